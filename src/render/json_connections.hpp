// A track per connection: one slice for its life, inside it the phases it went through, one after the other.
//
// Phases tile the life: each call on the connection ends the quiet stretch before it, and what that stretch was
// (waiting for a reply, idle, …) follows from what happened at its two ends. So phases are disjoint by
// construction, also when several threads use the connection at once.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "render/json_timeline.hpp"
#include "slowtrace/causes.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::render {

class JsonConnections {
   public:
    // `first_number` and above are free for the synthetic process and its tracks.
    JsonConnections(JsonTimeline& timeline, std::uint32_t first_number)
        : timeline_(timeline), pid_(first_number), next_tid_(first_number + 1) {}

    void opened(const resolve::Connection& connection, std::int64_t time_ns);
    void attempt(const resolve::ConnectAttempt& attempt);
    void call(const resolve::ResolvedCall& call);
    void closed(const resolve::Connection& connection, std::int64_t time_ns);
    // After the last event.
    void finish();

   private:
    enum class Phase : std::uint8_t { connecting, sending, waiting, receiving, idle };
    // What one call moved.
    struct Exchange {
        std::int64_t from_ns = 0, to_ns = 0;
        std::int64_t sent = 0, received = 0;
    };
    struct Life {
        std::uint32_t lane = 0;
        std::int64_t begin_ns = 0;   // of the life
        std::int64_t cursor_ns = 0;  // phases are told up to here
        std::optional<Phase> phase;  // the one that ends at the cursor
        std::int64_t phase_ns = 0;   // where it began
        resolve::Direction last = resolve::Direction::none;
        // Held back for one event: the call may have been what told the program that it was connected.
        std::optional<Exchange> held;
        std::uint64_t bytes_sent = 0, bytes_received = 0;  // told so far
        std::uint64_t phase_sent = 0, phase_received = 0;  // of them, in this phase
        resolve::AttemptOutcome outcome = resolve::AttemptOutcome::unfinished;
        int error = 0;
    };
    struct Lane {
        std::uint32_t tid = 0;
        std::string name;
        bool reused = false;
    };

    Life* life_of(const resolve::Connection& connection);
    std::uint32_t take_lane();
    void moved(const resolve::Connection& connection, Life& life, std::int64_t from_ns, std::int64_t to_ns);
    void tell_held(Life& life);
    void extend(Life& life, Phase phase, std::int64_t to_ns);
    void end_phase(Life& life);

    JsonTimeline& timeline_;
    std::uint32_t pid_, next_tid_;
    std::unordered_map<std::uint64_t, Life> lives_;  // by Connection::id
    std::vector<Lane> lanes_;
    std::deque<std::uint32_t> free_lanes_;  // indices into lanes_, longest free first
    JsonBody body_;
};

}  // namespace slowtrace::render
