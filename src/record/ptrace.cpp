// The only file that includes <sys/ptrace.h>.
#include "record/ptrace.hpp"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace slowtrace::record {

namespace {

int event_of(int status) {
    return static_cast<int>(static_cast<unsigned>(status) >> 16);
}

void request(__ptrace_request what, pid_t tid, int signal) {
    // ESRCH means killed while stopped: the next wait tells. Nothing else can go wrong here.
    ptrace(what, tid, 0, static_cast<unsigned long>(signal));
}

// What a signal handler has waited for. The handler runs only while its own thread seizes, so the two never meet.
struct Collected {
    pid_t tid;
    int status;
    std::int64_t stamp_ns;
};
std::array<Collected, 4096> collected;
volatile std::size_t collected_count = 0;
std::size_t collected_taken = 0;
volatile sig_atomic_t seizing = 0;

std::optional<Collected> take_collected() {
    if (collected_taken == collected_count) {
        collected_taken = 0;
        collected_count = 0;
        return std::nullopt;
    }
    return collected[collected_taken++];
}

}  // namespace

std::int64_t now_ns() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

StopKind StoppedTracee::kind() const {
    const int stop_signal = WSTOPSIG(status_);
    switch (event_of(status_)) {
        case 0:
            return stop_signal == (SIGTRAP | 0x80) ? StopKind::syscall : StopKind::signal;
        case PTRACE_EVENT_SECCOMP:
            return StopKind::seccomp;
        case PTRACE_EVENT_CLONE:
        case PTRACE_EVENT_FORK:
        case PTRACE_EVENT_VFORK:
            return StopKind::clone;
        case PTRACE_EVENT_EXEC:
            return StopKind::exec;
        case PTRACE_EVENT_EXIT:
            return StopKind::exit;
        case PTRACE_EVENT_STOP:
            // ptrace(2): a group-stop reports the stopping signal, every other event-stop SIGTRAP.
            return stop_signal == SIGSTOP || stop_signal == SIGTSTP || stop_signal == SIGTTIN || stop_signal == SIGTTOU
                       ? StopKind::group_stop
                       : StopKind::event_stop;
        default:
            return StopKind::other;
    }
}

int StoppedTracee::signal() const {
    return WSTOPSIG(status_);
}

std::optional<SyscallStop> StoppedTracee::syscall_stop() const {
    __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid_, sizeof info, &info) <= 0) return std::nullopt;
    SyscallStop stop;
    stop.audit_architecture = info.arch;
    stop.instruction_pointer = info.instruction_pointer;
    stop.stack_pointer = info.stack_pointer;
    switch (info.op) {
        case PTRACE_SYSCALL_INFO_ENTRY:
        case PTRACE_SYSCALL_INFO_SECCOMP:
            // The two layouts agree in number and arguments (include/uapi/linux/ptrace.h).
            stop.entry = true;
            stop.number = info.entry.nr;
            std::copy_n(info.entry.args, 6, stop.arguments);
            return stop;
        case PTRACE_SYSCALL_INFO_EXIT:
            stop.result = info.exit.rval;
            return stop;
        default:
            return std::nullopt;
    }
}

std::optional<SyscallStop> StoppedTracee::position() const {
    __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid_, sizeof info, &info) <= 0) return std::nullopt;
    SyscallStop stop;
    stop.audit_architecture = info.arch;
    stop.instruction_pointer = info.instruction_pointer;
    stop.stack_pointer = info.stack_pointer;
    return stop;
}

std::optional<StoppedTracee::Return> StoppedTracee::returning_from(const Architecture& architecture) const {
    if (!architecture.number_offset) return std::nullopt;
    std::array<std::byte, 512> registers;
    iovec area{registers.data(), registers.size()};
    if (ptrace(PTRACE_GETREGSET, tid_, reinterpret_cast<void*>(NT_PRSTATUS), &area) != 0) return std::nullopt;
    if (area.iov_len != architecture.register_set_bytes) return std::nullopt;
    Return call;
    std::memcpy(&call.number, registers.data() + architecture.number_offset, sizeof call.number);
    std::memcpy(&call.result, registers.data() + architecture.result_offset, sizeof call.result);
    if (static_cast<std::int64_t>(call.number) < 0) return std::nullopt;
    return call;
}

std::optional<unsigned long> StoppedTracee::event_message() const {
    unsigned long message = 0;
    if (ptrace(PTRACE_GETEVENTMSG, tid_, 0, &message) != 0) return std::nullopt;
    return message;
}

std::optional<siginfo_t> StoppedTracee::signal_information() const {
    siginfo_t information;
    if (ptrace(PTRACE_GETSIGINFO, tid_, 0, &information) != 0) return std::nullopt;
    return information;
}

bool StoppedTracee::replace_result(const Architecture& architecture, std::int64_t result) {
    std::array<std::byte, 512> registers;
    iovec area{registers.data(), registers.size()};
    const auto general = reinterpret_cast<void*>(NT_PRSTATUS);
    if (ptrace(PTRACE_GETREGSET, tid_, general, &area) != 0) return false;
    // A 32-bit tracee has another, shorter register set.
    if (area.iov_len != architecture.register_set_bytes) return false;
    std::memcpy(registers.data() + architecture.result_offset, &result, sizeof result);
    return ptrace(PTRACE_SETREGSET, tid_, general, &area) == 0;
}

void StoppedTracee::resume_to_next_call(int signal) && {
    request(PTRACE_SYSCALL, std::exchange(tid_, 0), signal);
}
void StoppedTracee::resume(int signal) && {
    request(PTRACE_CONT, std::exchange(tid_, 0), signal);
}
void StoppedTracee::listen() && {
    request(PTRACE_LISTEN, std::exchange(tid_, 0), 0);
}
void StoppedTracee::detach(int signal) && {
    request(PTRACE_DETACH, std::exchange(tid_, 0), signal);
}

WaitReport Wait::report(pid_t tid, int status, bool may_be_late, std::int64_t stamp) {
    if (tid == 0) {
        idle_since_ns_ = stamp;
        return {WaitReport::Kind::nothing_pending, {}, {}};
    }
    if (tid < 0) return {errno == EINTR ? WaitReport::Kind::interrupted : WaitReport::Kind::no_tracees, {}, {}};
    const std::int64_t delay = may_be_late && idle_since_ns_ ? stamp - idle_since_ns_ : 0;
    if (WIFSTOPPED(status)) return {WaitReport::Kind::stopped, StoppedTracee(tid, status, stamp, delay), {}};
    return {WaitReport::Kind::dead, {}, {tid, status, stamp}};
}

WaitReport Wait::block() {
    if (const auto early = take_collected()) return report(early->tid, early->status, true, early->stamp_ns);
    // A wait that returns at once found a report already pending: then, and only then, its stamp may be late.
    constexpr std::int64_t at_once_ns = 2'000;
    const std::int64_t asked_ns = now_ns();
    int status = 0;
    const pid_t tid = wait4(-1, &status, __WALL, nullptr);
    const bool pending = now_ns() - asked_ns < at_once_ns;
    if (!pending) idle_since_ns_ = asked_ns;
    return report(tid, status, pending, now_ns());
}

WaitReport Wait::poll() {
    if (const auto early = take_collected()) return report(early->tid, early->status, true, early->stamp_ns);
    int status = 0;
    const pid_t tid = wait4(-1, &status, __WALL | WNOHANG, nullptr);
    return report(tid, status, true, now_ns());
}

WaitReport Wait::block_for(pid_t wanted) {
    int status = 0;
    const pid_t tid = wait4(wanted, &status, __WALL, nullptr);
    return report(tid, status, false, now_ns());
}

int seize(pid_t tid, bool filtered, bool kill_with_tracer) {
    unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                            PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT;
    if (filtered) options |= PTRACE_O_TRACESECCOMP;
    if (kill_with_tracer) options |= PTRACE_O_EXITKILL;
    seizing = 1;
    const int error = ptrace(PTRACE_SEIZE, tid, 0, options) == 0 ? 0 : errno;
    seizing = 0;
    return error;
}

void collect_while_seizing() {
    if (!seizing) return;
    const int saved = errno;
    while (collected_count < collected.size()) {
        int status = 0;
        const pid_t tid = wait4(-1, &status, __WALL | WNOHANG, nullptr);
        if (tid <= 0) break;
        if (WIFSTOPPED(status) && event_of(status) == PTRACE_EVENT_EXIT) {
            request(PTRACE_CONT, tid, 0);  // its death will be told
            continue;
        }
        collected[collected_count] = {tid, status, now_ns()};
        collected_count = collected_count + 1;
    }
    errno = saved;
}

bool interrupt(pid_t tid) {
    return ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0;
}

}  // namespace slowtrace::record
