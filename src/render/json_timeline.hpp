// Events of a run put on tracks: absolute times become relative to the run's start, members become JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "render/json_event_store.hpp"
#include "render/json_text.hpp"
#include "render/json_writer.hpp"

namespace slowtrace::render {

struct JsonTrack {
    std::uint32_t pid = 0, tid = 0;
    bool operator==(const JsonTrack&) const = default;
};

// The members of one slice or instant, without its time and track.
struct JsonBody {
    std::string text;
    std::uint32_t arguments_offset = 0;
};

// `to` − `from`, saturating: times of a damaged trace may be anything.
std::int64_t nanoseconds_between(std::int64_t from_ns, std::int64_t to_ns);

class JsonTimeline {
   public:
    explicit JsonTimeline(JsonEventStore& store) : store_(store) {}

    void start_at(std::int64_t start_ns) { start_ns_ = start_ns; }

    // Begins the members in `body` and returns the object that takes the arguments: at least one, then close().
    static JsonObject begin(JsonBody& body, std::string_view name, std::string_view category);

    void slice(JsonTrack track, std::int64_t from_ns, std::int64_t to_ns, const JsonBody& body);
    void instant(JsonTrack track, std::int64_t time_ns, const JsonBody& body);
    bool has_slices() const { return has_slices_; }
    void counter(std::uint32_t pid, JsonCounter which, std::int64_t time_ns, std::int64_t change) {
        counter(pid, static_cast<std::uint32_t>(which), time_ns, change);
    }
    // One that JsonWriter::name_counter names before the document is written.
    void counter(std::uint32_t pid, std::uint32_t number, std::int64_t time_ns, std::int64_t change);

    void process_name(std::uint32_t pid, std::string_view name, std::uint32_t sort_index);
    void thread_name(JsonTrack track, std::string_view name, std::uint32_t sort_index);

   private:
    std::int64_t relative(std::int64_t time_ns) const;
    void name(JsonTrack track, std::string_view what, std::string_view name);
    void sort_index(JsonTrack track, std::string_view what, std::uint32_t index);
    void metadata(JsonTrack track);

    JsonEventStore& store_;
    std::int64_t start_ns_ = 0;
    bool has_slices_ = false;
    JsonBody scratch_;
};

}  // namespace slowtrace::render
