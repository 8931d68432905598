// The kernel's ptrace interface, such that an illegal request cannot be written.
//
// ptrace(2) requests are legal only while the tracee is stopped. So only wait_for_tracee() yields a
// StoppedTracee, and resuming consumes it. A tracee may be killed at any moment, even while stopped: every
// request can find it gone (ESRCH), which is a value here (nullopt or false), never an exception; its death is
// then told by a later wait.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "record/arch/architecture.hpp"

namespace slowtrace::record {

// CLOCK_MONOTONIC in nanoseconds.
std::int64_t now_ns();

struct SyscallStop {
    bool entry = false;  // else exit
    std::uint32_t audit_architecture = 0;
    std::uint64_t instruction_pointer = 0, stack_pointer = 0;
    std::uint64_t number = 0;         // entry only
    std::uint64_t arguments[6] = {};  // entry only
    std::int64_t result = 0;          // exit only
};

enum class StopKind {
    syscall,     // entry or exit: syscall_stop() tells
    seccomp,     // entry of a call the filter selected
    signal,      // about to be delivered; resume with it, or it is lost
    group_stop,  // held by job control: listen()
    event_stop,  // a new tracee's first stop, SIGCONT's end of a group-stop, or our own interrupt
    clone,       // event_message() is the new thread or process
    exec,        // event_message() is the tid that called exec
    exit,        // about to die; event_message() is the wait status
    other,
};

class StoppedTracee {
   public:
    StoppedTracee(StoppedTracee&& other) noexcept
        : tid_(std::exchange(other.tid_, 0)),
          status_(other.status_),
          stamp_ns_(other.stamp_ns_),
          delay_ns_(other.delay_ns_) {}
    StoppedTracee& operator=(StoppedTracee&& other) noexcept {
        tid_ = std::exchange(other.tid_, 0);
        status_ = other.status_;
        stamp_ns_ = other.stamp_ns_;
        delay_ns_ = other.delay_ns_;
        return *this;
    }
    StoppedTracee(const StoppedTracee&) = delete;
    StoppedTracee& operator=(const StoppedTracee&) = delete;

    pid_t tid() const { return tid_; }
    StopKind kind() const;
    // The signal of a signal or group stop.
    int signal() const;
    // Taken right after wait returned, before anything else was done.
    std::int64_t stamp_ns() const { return stamp_ns_; }
    // The stop may have happened up to this much before its stamp.
    std::int64_t delay_ns() const { return delay_ns_; }

    std::optional<SyscallStop> syscall_stop() const;
    std::optional<unsigned long> event_message() const;
    std::optional<siginfo_t> signal_information() const;

    // Where the thread stands, whatever the stop: the ABI's architecture, instruction and stack pointer.
    std::optional<SyscallStop> position() const;
    // The call the thread is returning from at a stop that is not that call's own: its number (as in SyscallStop) and
    // result, -ERESTART codes included. Nothing when it comes from its own code, or the registers do not tell.
    struct Return {
        std::uint64_t number = 0;
        std::int64_t result = 0;
    };
    std::optional<Return> returning_from(const Architecture& architecture) const;

    // At an exit stop, or while returning_from() tells: the call returns `result` instead. False where the registers
    // are not as expected.
    bool replace_result(const Architecture& architecture, std::int64_t result);

    // Each lets the tracee go on, delivering `signal` where the stop was a signal's (0: none).
    void resume_to_next_call(int signal = 0) &&;  // stops at the next entry or exit
    void resume(int signal = 0) &&;               // stops at events and filtered calls only
    void listen() &&;                             // stays stopped for job control, reports SIGCONT
    void detach(int signal = 0) &&;

   private:
    friend class Wait;
    StoppedTracee(pid_t tid, int status, std::int64_t stamp_ns, std::int64_t delay_ns)
        : tid_(tid), status_(status), stamp_ns_(stamp_ns), delay_ns_(delay_ns) {}
    pid_t tid_;
    int status_;
    std::int64_t stamp_ns_;
    std::int64_t delay_ns_;
};

struct DeadTracee {
    pid_t tid = 0;
    int status = 0;  // wait status
    std::int64_t stamp_ns = 0;
};

// One report of wait(2): a stop, a death, or neither (interrupted by a signal to us, nothing pending, none left).
struct WaitReport {
    enum class Kind { stopped, dead, interrupted, nothing_pending, no_tracees } kind;
    std::optional<StoppedTracee> stopped;
    DeadTracee dead;
};

// Yields reports, and knows how late a stamp may be: reports already waiting when we asked may have been so since
// the moment nothing was pending.
class Wait {
   public:
    WaitReport block();
    WaitReport poll();
    // Blocks for one tracee only.
    WaitReport block_for(pid_t tid);

   private:
    WaitReport report(pid_t tid, int status, bool may_be_late, std::int64_t stamp);
    std::int64_t idle_since_ns_ = 0;
};

// Options of design.md §2: syscalls marked, births, exec and exit reported. With `filtered`, seccomp events too.
// With `kill_with_tracer`, the tracee dies if slowtrace is killed.
// Returns 0 or the errno of PTRACE_SEIZE.
//
// Seizing a thread of a process within execve(2) blocks until all its other threads are gone (fs/exec.c, de_thread,
// which holds cred_guard_mutex), and those already seized are gone only when their tracer has waited for them. So
// somebody must wait while this blocks: a signal handler that calls collect_while_seizing() every now and then.
int seize(pid_t tid, bool filtered, bool kill_with_tracer);
// Safe in a signal handler of the seizing thread, and does nothing unless it is in seize(). Threads about to die go on;
// every other report is kept for Wait.
void collect_while_seizing();
// Asks a running tracee to stop (event_stop). False when it is gone.
bool interrupt(pid_t tid);

}  // namespace slowtrace::record
