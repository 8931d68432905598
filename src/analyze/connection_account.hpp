// What one living connection did, kept until it is certain with whom.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "slowtrace/causes.hpp"

namespace slowtrace::analyze {

struct EndpointRow;

// Whether so long a transfer tells how fast so many bytes came. A short answer lies in the kernel's buffers before its
// first octet is read: how fast it came nobody measured.
constexpr bool is_timed(std::int64_t ns, std::uint64_t bytes) {
    constexpr std::int64_t long_enough_ns = 10'000'000, long_enough_for_many_ns = 1'000'000;
    constexpr std::uint64_t many_bytes = 1 << 20;
    return ns >= long_enough_ns || (bytes >= many_bytes && ns >= long_enough_for_many_ns);
}

// A PhaseStretch without its peer.
struct Passage {
    resolve::Phase phase = resolve::Phase::idle;
    std::int64_t from_ns = 0, to_ns = 0;
    std::uint64_t bytes_sent = 0, bytes_received = 0, exchange = 0;
    std::int64_t ns() const { return to_ns - from_ns; }
    bool timed() const { return phase == resolve::Phase::transfer && is_timed(ns(), bytes_received); }
};

// One request from its first octet to its answer's last, so far.
struct OpenExchange {
    EndpointRow* row = nullptr;  // null: there is none
    std::uint64_t number = 0;
    std::int64_t from_ns = 0, to_ns = 0;
    std::int64_t waited_ns = 0;  // between the request and the answer
    std::int64_t wait_began_ns = 0;
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
    std::map<EndpointRow*, std::uint64_t> carried;                   // to whom, and how many requests
    std::uint64_t requests = 0, bytes_sent = 0, bytes_received = 0;  // given to endpoints already
};

}  // namespace slowtrace::analyze
