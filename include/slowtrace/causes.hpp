// What one call waited for: the cause of a wait, by an ordered list of rules (analyze/wait_rules.cpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "slowtrace/resolved.hpp"

namespace slowtrace::analyze {

enum class CauseKind : std::uint8_t {
    computing,
    dns,
    connect,
    tls,
    reply,
    receive,
    send,
    accept,
    child,
    pipe,          // a pipe, FIFO or socketpair: the process at its other end
    local_socket,  // a UNIX socket
    lock,
    file_read,
    file_write,
    file_sync,
    file_metadata,
    file_lock,
    sleep,
    timer,
    terminal,
    signal,
    stopped,
    io_uring,
    tracing,
    idle,  // a multiplexed wait on nothing but timers, wake-up descriptors or listening sockets
    unexplained,
};

struct Cause {
    CauseKind kind = CauseKind::unexplained;
    std::string subject;           // "extra.example.org:80", a path, "PROCESS name"; empty where the kind says it all
    std::uint64_t connection = 0;  // its id + 1 where the wait was for one connection, else 0
    std::optional<ProcessId> process;  // whom it waited for: the child, the process at the pipe's other end
    bool timed_out = false;            // the call gave up
    bool operator==(const Cause&) const = default;
};

// A call shorter than this is part of running: no rule is asked about it.
inline constexpr std::int64_t shortest_wait_ns = 50'000;

// Never fails: the last rule is `unexplained`. Pure: depends on the call alone.
Cause cause_of(const resolve::ResolvedCall& call);

// "connecting to", "waiting for a reply from", … ; and the short name used as a category: "connect", "reply".
std::string_view phrase(CauseKind kind);
std::string_view name(CauseKind kind);
// Both in words: "connecting to extra.example.org:80", "sleeping". The subject's bytes are as recorded.
std::string describe(CauseKind kind, std::string_view subject);

// The time a call spent in the kernel: the sum of its pieces when it was interrupted, else exit − entry.
std::int64_t time_in_call(const model::Syscall& call);

}  // namespace slowtrace::analyze
