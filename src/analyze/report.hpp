// What a run's report says, as finished values: renderers format them and compute nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "slowtrace/causes.hpp"
#include "slowtrace/resolved.hpp"
#include "slowtrace/syscalls.hpp"

namespace slowtrace::analyze {

inline constexpr std::size_t outcome_count = static_cast<std::size_t>(resolve::AttemptOutcome::lost_race) + 1;

// Connect attempts to one endpoint, counted by how they went.
struct Attempts {
    std::uint64_t count = 0;
    std::array<std::uint64_t, outcome_count> outcomes{};  // by AttemptOutcome
    std::int64_t total_ns = 0, median_ns = 0, max_ns = 0;

    std::uint64_t of(resolve::AttemptOutcome outcome) const { return outcomes[static_cast<std::size_t>(outcome)]; }
    // One that lost a race was not needed: the other address was faster.
    std::uint64_t failures() const {
        return count - of(resolve::AttemptOutcome::connected) - of(resolve::AttemptOutcome::lost_race);
    }
};

// All waits of one kind for one subject.
struct CauseLine {
    CauseKind kind = CauseKind::unexplained;
    std::string subject;
    std::int64_t total_ns = 0;
    double share = 0;         // of the section's whole, 0 to 1
    std::uint64_t waits = 0;  // 0 for computing
    std::int64_t median_ns = 0, max_ns = 0;
    std::uint64_t timed_out = 0;  // how often a call gave up waiting for this, in the whole run
    std::optional<Attempts> attempts;
    std::vector<resolve::Endpoint> endpoints;  // the first few distinct ones
    std::vector<resolve::NameClaim> claims;    // all evidence for a peer's name, the first few
    // Locks, and waits for whatever comes: what the process' other threads did meanwhile, the most first. Shares are
    // of all that they did.
    std::vector<CauseLine> meanwhile;
};

// Causes that together are exactly `total_ns`, longest first.
struct CauseSection {
    std::int64_t total_ns = 0;
    std::vector<CauseLine> lines;
};

// How long one phase took, over all connections (or requests) that went through it.
struct PhaseTimes {
    std::uint64_t count = 0;
    std::int64_t median_ns = 0, max_ns = 0, total_ns = 0;
};

struct EndpointLine {
    std::string name;  // as causes call it
    resolve::Endpoint endpoint;
    std::vector<resolve::NameClaim> claims;  // all evidence for the name, distinct, the first few
    std::vector<std::string> addresses;      // distinct, the first few
    std::optional<resolve::LocalPeer> local_peer;
    bool dns_server = false;
    std::string name_service;               // "systemd-resolved" or "nscd" where that is what answers, else empty
    bool served = false;                    // these connections were accepted: the other end asks, the program answers
    std::uint64_t connections = 0;          // that carried something to it: a proxy's may be in several lines
    std::uint64_t counted_connections = 0;  // of them, those in no line before: over all lines, each is there once
    std::uint64_t reused = 0;               // of them, those that carried more than one request
    std::uint64_t requests = 0;             // in all
    // Not where a connection may have carried several requests at once (HTTP/2, HTTP/3): requests and concurrency are
    // then the least they were.
    bool requests_exact = true;
    Attempts attempts;
    std::vector<std::pair<int, std::uint64_t>> errors;  // failed connects: errno (0: not told) and how many
    PhaseTimes dns, connect, tls, first_byte;
    std::int64_t transfer_ns = 0;        // receiving, from first to last byte of each answer, all connections
    std::uint64_t transfer_bytes = 0;    // received meanwhile
    std::int64_t transferring_ns = 0;    // the time during which at least one connection was transferring
    std::uint64_t measured_bytes = 0;    // received in transfers long enough to time
    std::int64_t measured_ns = 0;        // the time during which at least one of these was under way
    std::uint64_t peak_concurrency = 0;  // exchanges in flight at once, from request to last byte
    double mean_concurrency = 0;         // while at least one was in flight
    std::int64_t critical_ns = 0;        // its part of "where the wall time went"
    std::uint64_t retransmits = 0;
    std::int64_t rtt_median_ns = 0;  // 0: the kernel told of no connection
    std::uint64_t tcp_reports = 0;   // connections the kernel told of
    std::uint64_t bytes_sent = 0, bytes_received = 0;
    // Measured bytes a second of measured time; nothing where too little was transferred to say.
    std::optional<double> rate() const;
    std::int64_t connect_ns = 0, tls_ns = 0, reply_ns = 0, receive_ns = 0, send_ns = 0, dns_ns = 0;  // of all threads
    std::uint64_t lookups = 0, unanswered = 0, negative = 0;  // negative: answered with an error code
    std::int64_t lookup_median_ns = 0;

    std::int64_t waited_ns() const;
};

// All calls of one name. Times have the engine's floor subtracted.
struct SyscallLine {
    std::string name;
    std::uint64_t calls = 0, errors = 0;
    std::int64_t total_ns = 0, mean_ns = 0, p50_ns = 0, p99_ns = 0, max_ns = 0;
};

// One call with all that is needed to show it.
struct SlowCall {
    std::int64_t ns = 0;
    model::Syscall call;
    model::SyscallRow row;
    resolve::Thread thread;
    resolve::Process process;
    std::vector<resolve::ResolvedDescriptor> descriptors, watched;
    std::optional<ProcessId> child;
    Cause cause;

    // Valid as long as this is.
    resolve::ResolvedCall resolved() const { return {call, row, thread, process, descriptors, watched, child}; }
};

struct RunFacts {
    std::vector<std::string> arguments;
    std::string engine, selection;
    std::int64_t start_ns = 0, wall_ns = 0, floor_ns = 0;
    std::int64_t cpu_ns = 0;
    std::uint64_t cpu_threads = 0;  // of how many threads the CPU time is known
    std::uint64_t processes = 0, threads = 0, calls = 0;
    std::int64_t tracing_ns = 0;              // estimate of what tracing added
    std::optional<int> status;                // wait status of the command
    std::vector<std::string> setuid_ignored;  // programs whose set-uid or set-gid bit tracing made ineffective
    std::uint64_t escapes = 0;
    std::uint64_t lost_events = 0;
    std::vector<std::string> loss_reasons;  // distinct, the first few
    std::uint64_t left_running = 0, late_stamps = 0;
    std::int64_t late_ns = 0;
    bool truncated = false;                   // the recording stops before its end
    std::vector<int> attached;                // pids the recording was attached to
    std::vector<std::string> attached_names;  // of these processes, in the same order; "" where not known
    bool let_go = false;                      // it ended by request, and they went on
    bool redacted = false;
};

// Exchanges in flight over the run, cut into equal stretches of time.
struct ConcurrencyStrip {
    std::int64_t from_ns = 0, to_ns = 0;
    std::vector<double> in_flight;     // mean number in each stretch
    std::vector<std::uint64_t> bytes;  // of answers, received in each stretch
    std::uint64_t peak = 0;
    bool exact = true;       // not where a connection may have carried several requests at once
    bool rate_known = true;  // not where most bytes came in stretches too short to time, and so are these
};

struct Report {
    RunFacts run;
    CauseSection wall;                    // the wall clock of the run
    CauseSection threads;                 // every thread's life, added up
    std::vector<EndpointLine> endpoints;  // most waited for first
    ConcurrencyStrip downloads;           // of all remote endpoints together; empty without exchanges
    std::vector<SlowCall> slowest;        // longest first
    std::vector<SyscallLine> syscalls;    // largest total first
};

}  // namespace slowtrace::analyze
