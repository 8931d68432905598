// Members of slices, instants, counters and metadata.
#include "render/json_timeline.hpp"

#include <algorithm>
#include <limits>

namespace slowtrace::render {
namespace {

// A viewer's doubles still tell microseconds apart there (292 years); beyond it only a damaged trace goes.
constexpr std::int64_t latest_ns = std::int64_t{1} << 62;

void begin_members(JsonBody& body, std::string_view name) {
    body.text = R"("name":)";
    append_json_string(body.text, name);
}

JsonObject begin_metadata(JsonBody& body, std::string_view what) {
    begin_members(body, what);
    body.text += R"(,"args":)";
    return JsonObject(body.text);
}

}  // namespace

std::int64_t nanoseconds_between(std::int64_t from_ns, std::int64_t to_ns) {
    std::int64_t result = 0;
    if (!__builtin_sub_overflow(to_ns, from_ns, &result)) return result;
    return to_ns > from_ns ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

// Never negative: what began before the recording begins with it.
std::int64_t JsonTimeline::relative(std::int64_t time_ns) const {
    return std::clamp<std::int64_t>(nanoseconds_between(start_ns_, time_ns), 0, latest_ns);
}

JsonObject JsonTimeline::begin(JsonBody& body, std::string_view name, std::string_view category) {
    begin_members(body, name.empty() ? "?" : name);
    body.text += R"(,"cat":)";
    append_json_string(body.text, category);
    body.text += R"(,"args":)";
    const JsonObject arguments(body.text);
    body.arguments_offset = static_cast<std::uint32_t>(body.text.size());
    return arguments;
}

void JsonTimeline::slice(JsonTrack track, std::int64_t from_ns, std::int64_t to_ns, const JsonBody& body) {
    has_slices_ = true;
    const std::int64_t from = relative(from_ns);
    store_.add({.from_ns = from,
                .to_ns = std::max(from, relative(to_ns)),
                .pid = track.pid,
                .tid = track.tid,
                .kind = JsonEventKind::slice,
                .arguments_offset = body.arguments_offset,
                .body = body.text});
}

void JsonTimeline::instant(JsonTrack track, std::int64_t time_ns, const JsonBody& body) {
    const std::int64_t time = relative(time_ns);
    store_.add({.from_ns = time,
                .to_ns = time,
                .pid = track.pid,
                .tid = track.tid,
                .kind = JsonEventKind::instant,
                .arguments_offset = body.arguments_offset,
                .body = body.text});
}

void JsonTimeline::counter(std::uint32_t pid, std::uint32_t number, std::int64_t time_ns, std::int64_t change) {
    const std::int64_t time = relative(time_ns);
    store_.add({.from_ns = time,
                .to_ns = time,
                .pid = pid,
                .tid = number,
                .kind = JsonEventKind::counter,
                .body = {reinterpret_cast<const char*>(&change), sizeof change}});
}

void JsonTimeline::metadata(JsonTrack track) {
    store_.add({.pid = track.pid, .tid = track.tid, .kind = JsonEventKind::metadata, .body = scratch_.text});
}

void JsonTimeline::name(JsonTrack track, std::string_view what, std::string_view name) {
    JsonObject arguments = begin_metadata(scratch_, what);
    arguments.text("name", name.empty() ? "?" : name);
    arguments.close();
    metadata(track);
}

void JsonTimeline::sort_index(JsonTrack track, std::string_view what, std::uint32_t index) {
    JsonObject arguments = begin_metadata(scratch_, what);
    arguments.integer("sort_index", index);
    arguments.close();
    metadata(track);
}

// The main thread's tid is the pid, so process metadata makes no thread of its own.
void JsonTimeline::process_name(std::uint32_t pid, std::string_view name, std::uint32_t sort_index) {
    this->name({pid, pid}, "process_name", name);
    this->sort_index({pid, pid}, "process_sort_index", sort_index);
}

void JsonTimeline::thread_name(JsonTrack track, std::string_view name, std::uint32_t sort_index) {
    this->name(track, "thread_name", name);
    this->sort_index(track, "thread_sort_index", sort_index);
}

}  // namespace slowtrace::render
