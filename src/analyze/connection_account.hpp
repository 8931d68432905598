// What one living connection did, kept until it is certain with whom.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "slowtrace/causes.hpp"

namespace slowtrace::analyze {

struct EndpointRow;

// A PhaseStretch without its peer.
struct Passage {
    resolve::Phase phase = resolve::Phase::idle;
    std::int64_t from_ns = 0, to_ns = 0;
    std::uint64_t bytes_sent = 0, bytes_received = 0, exchange = 0;
    bool first_byte_unknown = false;
    std::int64_t ns() const { return to_ns - from_ns; }
};

// One request from its first octet to its answer's last, so far.
struct OpenExchange {
    EndpointRow* row = nullptr;  // null: there is none
    std::uint64_t number = 0;
    std::int64_t from_ns = 0, to_ns = 0;
    std::int64_t waited_ns = 0;  // between the request and the answer
    bool answered = false;
};

struct ConnectionAccount {
    // Names come with the first octets: so many stretches later there will be no better one.
    static constexpr std::size_t early_limit = 32;

    resolve::Endpoint peer;  // the best name so far
    std::string name;        // what causes call it
    resolve::Transport transport = resolve::Transport::other;
    bool remembered = false;
    bool download = false;  // it counts among what this program fetches from others
    // Until the name is certain.
    std::vector<Passage> early;
    std::vector<std::pair<CauseKind, std::int64_t>> waits;  // one of a kind
    std::vector<resolve::ConnectAttempt> attempts;
    OpenExchange exchange;
    std::uint64_t requests = 0, bytes_sent = 0, bytes_received = 0;  // given to endpoints already
};

}  // namespace slowtrace::analyze
