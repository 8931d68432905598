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

const JsonCounterName fixed_counters[] = {
    {static_cast<std::uint32_t>(JsonCounter::open_connections), "open connections", "connections"},
    {static_cast<std::uint32_t>(JsonCounter::bytes_received), "bytes received", "bytes"},
    {static_cast<std::uint32_t>(JsonCounter::bytes_sent), "bytes sent", "bytes"},
};
static_assert(std::size(fixed_counters) == static_cast<std::size_t>(JsonCounter::count));

}  // namespace

JsonWriter::JsonWriter(ByteSink& out) : out_(out), next_due_ns_(never) {
    buffer_ = R"({"displayTimeUnit":"ns","traceEvents":[)";
    for (const JsonCounterName& counter : fixed_counters) name_counter(counter);
}

void JsonWriter::name_counter(const JsonCounterName& counter) {
    std::string& members = counters_[counter.number].members;
    members = R"("name":)";
    append_json_string(members, counter.name);
    members.append(R"(,"args":{")").append(counter.unit).append(R"(":)");
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
    const auto named = counters_.find(event.tid);
    if (named == counters_.end()) return;
    Counter& counter = named->second;
    std::int64_t change = 0;
    std::memcpy(&change, event.body.data(), std::min(sizeof change, event.body.size()));
    if (__builtin_add_overflow(counter.value, change, &counter.value)) counter.value = largest_exact_integer;
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
        Counter* earliest = nullptr;
        for (auto& [number, counter] : counters_) {
            if (counter.due_ns < 0 || counter.due_ns >= next_due_ns_) continue;
            next_due_ns_ = counter.due_ns;
            earliest = &counter;
        }
        if (earliest && next_due_ns_ < now_ns) {
            write_counter(*earliest, next_due_ns_);
            again = true;
        }
    }
}

// Of changes at one instant, one that takes away may be told first: only the sum of all is a value.
void JsonWriter::write_counter(Counter& counter, std::int64_t time_ns) {
    begin("C", counter.pid, counter.pid, time_ns);
    buffer_ += counter.members;
    append_decimal(buffer_, std::clamp<std::int64_t>(counter.value, 0, largest_exact_integer));
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
