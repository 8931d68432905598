// Writes sorted events as one Chrome Trace Event JSON document.
//
// The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU ; what viewers make
// of it differs, so the form is the narrowest all of them read: metadata, complete slices, instants, counters,
// each with name, pid, tid and ts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "render/json_event_store.hpp"
#include "slowtrace/exporters.hpp"

namespace slowtrace::render {

// What the counters count; JsonEvent::tid of a counter event is one of these, or from `count` on one that was named.
enum class JsonCounter : std::uint32_t { open_connections, bytes_received, bytes_sent, count };

struct JsonCounterName {
    std::uint32_t number;
    std::string name;
    std::string_view unit;  // ASCII without quotes, the key of its only argument
};

class JsonWriter {
   public:
    explicit JsonWriter(ByteSink& out);
    // Before the first event. Counters without a name are left out.
    void name_counter(const JsonCounterName& counter);
    // Events in the order JsonEventStore::drain gives them.
    void event(const JsonEvent& event);
    void finish();

   private:
    struct Counter {
        std::string members;  // up to the value
        std::int64_t value = 0;
        std::int64_t written_ns = -1;
        std::int64_t due_ns = -1;  // a change waits to be written then; -1: none
        std::uint32_t pid = 0;
    };
    struct Track {
        std::vector<std::int64_t> ends;  // of its open slices, outermost first
        std::int64_t closed_ns = -1;     // the last end passed
    };
    void slice(const JsonEvent& event);
    void write_slice(const JsonEvent& event, Track& track);
    void write_moved();
    void counter(const JsonEvent& event);
    void write_due_counters(std::int64_t now_ns);
    void write_counter(Counter& counter, std::int64_t time_ns);
    void begin(std::string_view phase, std::uint32_t pid, std::uint32_t tid, std::int64_t time_ns);
    void end();

    ByteSink& out_;
    std::string buffer_;
    bool first_ = true;
    std::map<std::uint32_t, Counter> counters_;  // by number
    std::int64_t next_due_ns_;
    std::unordered_map<std::uint64_t, Track> tracks_;
    // Slices moved on by a nanosecond, all to the same one, until the events before it are written.
    struct Moved {
        JsonEvent event;
        std::string body;
    };
    std::vector<Moved> moved_;
};

}  // namespace slowtrace::render
