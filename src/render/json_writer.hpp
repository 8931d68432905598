// Writes sorted events as one Chrome Trace Event JSON document.
//
// The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU ; what viewers make
// of it differs, so the form is the narrowest all of them read: metadata, complete slices, instants, counters,
// each with name, pid, tid and ts.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "render/json_event_store.hpp"
#include "slowtrace/exporters.hpp"

namespace slowtrace::render {

// What the counters count; JsonEvent::tid of a counter event is one of these.
enum class JsonCounter : std::uint32_t { open_connections, bytes_received, bytes_sent, count };

class JsonWriter {
   public:
    explicit JsonWriter(ByteSink& out);
    // Events in the order JsonEventStore::drain gives them.
    void event(const JsonEvent& event);
    void finish();

   private:
    struct Counter {
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
    void write_counter(JsonCounter which, std::int64_t time_ns);
    void begin(std::string_view phase, std::uint32_t pid, std::uint32_t tid, std::int64_t time_ns);
    void end();

    ByteSink& out_;
    std::string buffer_;
    bool first_ = true;
    std::array<Counter, static_cast<std::size_t>(JsonCounter::count)> counters_;
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
