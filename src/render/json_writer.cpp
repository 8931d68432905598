// Chrome Trace Event JSON, one event a line.
#include "render/json_writer.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "render/json_text.hpp"

namespace slowtrace::render {
namespace {

constexpr std::size_t buffer_bytes = 64 << 10;
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
// A counter's changes within this time are written as one: a value per received packet helps nobody.
constexpr std::int64_t counter_interval_ns = 1'000'000;

// Each counter's members up to the value, in the order of JsonCounter.
constexpr std::string_view counter_members[] = {
    R"("name":"open connections","args":{"connections":)",
    R"("name":"bytes received","args":{"bytes":)",
    R"("name":"bytes sent","args":{"bytes":)",
};
static_assert(std::size(counter_members) == static_cast<std::size_t>(JsonCounter::count));

}  // namespace

JsonWriter::JsonWriter(ByteSink& out) : out_(out), next_due_ns_(never) {
    buffer_ = R"({"displayTimeUnit":"ns","traceEvents":[)";
}

void JsonWriter::begin(std::string_view phase, std::uint32_t pid, std::uint32_t tid, std::int64_t time_ns) {
    buffer_ += first_ ? "\n" : ",\n";
    first_ = false;
    buffer_ += R"({"ph":")";
    buffer_ += phase;
    buffer_ += R"(","pid":)";
    append_decimal(buffer_, pid);
    buffer_ += R"(,"tid":)";
    append_decimal(buffer_, tid);
    buffer_ += R"(,"ts":)";
    append_microseconds(buffer_, std::max<std::int64_t>(time_ns, 0));
    buffer_ += ',';
}

void JsonWriter::end() {
    buffer_ += '}';
    if (buffer_.size() < buffer_bytes) return;
    out_.write(buffer_);
    buffer_.clear();
}

void JsonWriter::event(const JsonEvent& event) {
    if (!moved_.empty() && moved_.front().event.from_ns <= event.from_ns) write_moved();
    if (next_due_ns_ < event.from_ns) write_due_counters(event.from_ns);
    switch (event.kind) {
        case JsonEventKind::slice:
            return slice(event);
        case JsonEventKind::counter:
            return counter(event);
        case JsonEventKind::metadata:
            begin("M", event.pid, event.tid, 0);
            break;
        case JsonEventKind::instant:
            begin("i", event.pid, event.tid, event.from_ns);
            buffer_ += R"("s":"t",)";
            break;
    }
    buffer_ += event.body;
    end();
}

// Viewers compute ends as ts + dur in doubles, from an origin of their own; two that are one nanosecond may round
// past each other, and then speedscope stretches the whole thread. So a slice that begins where another ended
// begins a nanosecond later, and one that ends with its parent ends a nanosecond earlier.
void JsonWriter::slice(const JsonEvent& event) {
    Track& track = tracks_[std::uint64_t{event.pid} << 32 | event.tid];
    while (!track.ends.empty() && track.ends.back() <= event.from_ns) {
        track.closed_ns = track.ends.back();
        track.ends.pop_back();
    }
    if (event.from_ns != track.closed_ns || event.to_ns <= event.from_ns) return write_slice(event, track);
    moved_.push_back({event, std::string(event.body)});
    ++moved_.back().event.from_ns;
}

void JsonWriter::write_moved() {
    if (moved_.empty()) return;
    if (next_due_ns_ < moved_.front().event.from_ns) write_due_counters(moved_.front().event.from_ns);
    for (Moved& moved : moved_) {
        moved.event.body = moved.body;
        write_slice(moved.event, tracks_[std::uint64_t{moved.event.pid} << 32 | moved.event.tid]);
    }
    moved_.clear();
}

// Slices of a track nest or are disjoint, or viewers drop or stretch them. A recording says so too; should one
// not (a hand-made or damaged trace), the slice is cut at its parent's end and says that it was.
void JsonWriter::write_slice(const JsonEvent& event, Track& track) {
    const std::int64_t limit_ns = track.ends.empty() ? never : track.ends.back();
    const bool cut = event.to_ns > limit_ns;
    std::int64_t end_ns = std::clamp(event.to_ns, event.from_ns, std::max(limit_ns, event.from_ns));
    if (end_ns == limit_ns && end_ns > event.from_ns) --end_ns;
    track.ends.push_back(end_ns);
    begin("X", event.pid, event.tid, event.from_ns);
    buffer_ += R"("dur":)";
    append_microseconds(buffer_, end_ns - event.from_ns);
    buffer_ += ',';
    buffer_ += event.body.substr(0, event.arguments_offset);
    if (cut) buffer_ += R"("cut":true,)";
    buffer_ += event.body.substr(event.arguments_offset);
    end();
}

void JsonWriter::counter(const JsonEvent& event) {
    Counter& counter = counters_.at(event.tid);
    std::int64_t change = 0;
    std::memcpy(&change, event.body.data(), std::min(sizeof change, event.body.size()));
    if (__builtin_add_overflow(counter.value, change, &counter.value)) counter.value = largest_exact_integer;
    counter.value = std::clamp<std::int64_t>(counter.value, 0, largest_exact_integer);
    counter.pid = event.pid;
    if (counter.due_ns >= 0) return;
    counter.due_ns =
        counter.written_ns < 0 ? event.from_ns : std::max(event.from_ns, counter.written_ns + counter_interval_ns);
    next_due_ns_ = std::min(next_due_ns_, counter.due_ns);
}

// Called before anything later than a due time is written, so the order holds.
void JsonWriter::write_due_counters(std::int64_t now_ns) {
    for (bool again = true; again;) {
        again = false;
        next_due_ns_ = never;
        std::size_t earliest = 0;
        for (std::size_t which = 0; which < counters_.size(); ++which) {
            if (counters_[which].due_ns < 0 || counters_[which].due_ns >= next_due_ns_) continue;
            next_due_ns_ = counters_[which].due_ns;
            earliest = which;
        }
        if (next_due_ns_ < now_ns) {
            write_counter(static_cast<JsonCounter>(earliest), next_due_ns_);
            again = true;
        }
    }
}

void JsonWriter::write_counter(JsonCounter which, std::int64_t time_ns) {
    Counter& counter = counters_[static_cast<std::size_t>(which)];
    begin("C", counter.pid, counter.pid, time_ns);
    buffer_ += counter_members[static_cast<std::size_t>(which)];
    append_decimal(buffer_, counter.value);
    buffer_ += '}';
    end();
    counter.written_ns = time_ns;
    counter.due_ns = -1;
}

void JsonWriter::finish() {
    write_moved();
    write_due_counters(never);
    buffer_ += "\n]}\n";
    out_.write(buffer_);
    buffer_.clear();
}

}  // namespace slowtrace::render
