// The call a thread is blocked in, seen from outside without stopping it, and what a stop would do to that call.
//
// A stop asked for by a tracer ends a blocked call as a signal would. signal(7): most calls are then made anew by the
// kernel and the program never knows. Some are not: they return EINTR whatever the signal, or the part of their octets
// they have moved so far. A thread blocked in one of those must not be stopped until the call has returned by itself.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "record/ptrace.hpp"
#include "slowtrace/syscalls.hpp"

namespace slowtrace::record {

// AUDIT_ARCH_* of the program a process runs, by its ELF header (elf(5)); 0 when that cannot be told.
std::uint32_t audit_architecture_of(pid_t pid);

// proc(5), /proc/PID/syscall. As an entry stop would tell it; nothing while the thread runs, or is blocked outside a
// call, or cannot be looked at.
std::optional<SyscallStop> read_blocked_call(pid_t tid, std::uint32_t audit_architecture);
bool same_call(const SyscallStop& one, const SyscallStop& other);

// Nanoseconds the thread has been on a CPU so far (/proc/PID/task/TID/schedstat); 0 when that is not told.
std::int64_t time_on_cpu_ns(pid_t tid);

// Clock ticks the thread has spent in its program's own code (proc(5), utime).
std::uint64_t user_ticks(pid_t tid);

// What a stop does to a call.
enum class Disturbance : std::uint8_t {
    none,        // the kernel makes it anew, where it was
    restorable,  // it returns EINTR, but may be made anew instead: a wait without limit, or one that has just begun
    lasting,     // EINTR where a time limit would begin anew, or a part of the octets: it cannot be undone
};

// `just_began`: a time limit that begins anew is as good as the old one.
Disturbance disturbance_of(const SyscallStop& call, pid_t pid, pid_t tid, bool just_began);
// What a thread has done so far with calls such as the one it is blocked in. Where the kernel counts it, it tells two
// calls with the same arguments apart; else it is zero.
struct Progress {
    std::uint64_t write_calls = 0;  // that have returned (proc(5), /proc/PID/task/TID/io, syscw)
    std::uint64_t octets_sent = 0;  // into the TCP connection of a sendto(2)
};
Progress progress_of(const SyscallStop& call, pid_t pid, pid_t tid);
// Whether the call has returned between the two, both of which were read while the thread was in one just like it.
bool has_returned_between(const SyscallStop& call, const Progress& before, const Progress& after);

// Whether a stop would make the call return the part it has done so far.
bool moves_octets(const SyscallStop& call);
// Whether this call may return EINTR for a stop alone.
bool stop_may_cause_eintr(const model::SyscallRow& row);
// A wait with no time limit among those.
bool waits_without_limit(const model::SyscallRow& row, const std::uint64_t (&arguments)[6]);

}  // namespace slowtrace::record
