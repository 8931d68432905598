// A track per connection: one slice for its life, inside it the phases it went through; counters per endpoint.
//
// The tracks of one endpoint's connections stand together. Whom a connection is with is certain only when it ends, so
// tracks are named and sorted at the end.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "render/json_endpoint_counters.hpp"
#include "render/json_timeline.hpp"

namespace slowtrace::render {

class JsonConnections {
   public:
    // `first_number` and above are free for the synthetic process and its tracks.
    JsonConnections(JsonTimeline& timeline, std::uint32_t first_number)
        : timeline_(timeline), endpoints_(timeline, first_number), pid_(first_number), next_tid_(first_number + 1) {}

    void opened(const resolve::Connection& connection, std::int64_t time_ns);
    void attempt(const resolve::ConnectAttempt& attempt);
    void call(const resolve::ResolvedCall& call);
    void phase(const resolve::Connection& connection, const resolve::PhaseStretch& stretch);
    void closed(const resolve::Connection& connection, std::int64_t time_ns);
    // After the last event. The counters that are worth a track, by number (JsonWriter::name_counter).
    std::vector<JsonCounterName> finish();

   private:
    struct Life {
        std::uint32_t lane = 0;
        std::int64_t begin_ns = 0, end_ns = 0;
        std::uint64_t bytes_sent = 0, bytes_received = 0;  // told to the counters so far
        resolve::AttemptOutcome outcome = resolve::AttemptOutcome::unfinished;
        int error = 0;
        JsonEndpointCounters::Exchange exchange;
    };
    struct Lane {
        std::uint32_t tid = 0;
        std::string name;  // of its connections' peers; empty: none has ended yet
        bool mixed = false;
    };

    Life* life_of(const resolve::Connection& connection);
    std::uint32_t take_lane(const std::string& name);
    void count_bytes(const resolve::Connection& connection, Life& life, std::int64_t time_ns);
    void tell_life(const resolve::Connection& connection, const Life& life, const std::string& peer);

    JsonTimeline& timeline_;
    JsonEndpointCounters endpoints_;
    std::uint32_t pid_, next_tid_;
    std::unordered_map<std::uint64_t, Life> lives_;  // by Connection::id
    std::vector<Lane> lanes_;
    std::deque<std::uint32_t> free_lanes_;  // indices into lanes_, longest free first
    JsonBody body_;
};

}  // namespace slowtrace::render
