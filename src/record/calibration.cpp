// Times empty calls of a child with and without tracing.
#include "record/calibration.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "record/forbidden.hpp"
#include "record/ptrace.hpp"
#include "slowtrace/error.hpp"
#include "slowtrace/unique_fd.hpp"

namespace slowtrace::record {

namespace {

constexpr int calls = 200;

// What the child measured of itself, in memory shared with us.
struct Timings {
    std::int64_t untraced_ns, traced_ns;
};

std::int64_t time_empty_calls() {
    const std::int64_t from = now_ns();
    for (int at = 0; at < calls; ++at) syscall(SYS_getppid);
    return now_ns() - from;
}

[[noreturn]] void run_child(int channel, Timings* timings) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    time_empty_calls();  // warm
    timings->untraced_ns = time_empty_calls();
    char signal = 0;  // ready; then wait to be traced
    if (write(channel, &signal, 1) != 1 || read(channel, &signal, 1) != 1) _exit(1);
    timings->traced_ns = time_empty_calls();
    _exit(0);
}

// Follows the child to its end; the durations of its getppid calls as tracing shows them.
std::vector<std::int64_t> trace_child(pid_t child) {
    std::vector<std::int64_t> durations;
    durations.reserve(calls);
    Wait wait;
    std::int64_t entry_ns = 0;
    while (true) {
        WaitReport report = wait.block_for(child);
        if (report.kind == WaitReport::Kind::interrupted) continue;
        if (!report.stopped) return durations;
        StoppedTracee& stopped = *report.stopped;
        const StopKind kind = stopped.kind();
        const auto stop = kind == StopKind::syscall ? stopped.syscall_stop() : std::nullopt;
        if (stop && !stop->entry && entry_ns) durations.push_back(stopped.stamp_ns() - entry_ns);
        const int signal = kind == StopKind::signal ? stopped.signal() : 0;
        entry_ns = stop && stop->entry && stop->number == SYS_getppid ? now_ns() : 0;
        std::move(stopped).resume_to_next_call(signal);
    }
}

}  // namespace

Calibration calibrate() {
    void* shared = mmap(nullptr, sizeof(Timings), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int channel[2];
    if (shared == MAP_FAILED || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0)
        throw Error(std::string("cannot prepare the calibration: ") + strerror(errno));
    auto* timings = static_cast<Timings*>(shared);
    UniqueFd ours(channel[0]);
    UniqueFd theirs(channel[1]);
    const pid_t child = fork();
    if (child < 0) throw Error(std::string("cannot fork: ") + strerror(errno));
    if (child == 0) {
        ours.reset();
        run_child(theirs.get(), timings);
    }
    theirs.reset();
    char ready;
    while (read(ours.get(), &ready, 1) < 0 && errno == EINTR) {
    }
    if (const int error = seize(child, false, true)) {
        const std::string reason = why_ptrace_is_forbidden(child, error);
        kill(child, SIGKILL);
        while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
        }
        munmap(shared, sizeof(Timings));
        throw Error(reason);
    }
    // Seizing does not stop: an interrupt makes it report, and from there every call does.
    interrupt(child);
    [[maybe_unused]] const ssize_t written = write(ours.get(), "", 1);
    std::vector<std::int64_t> durations = trace_child(child);
    Calibration result;
    if (!durations.empty()) {
        std::nth_element(durations.begin(), durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2),
                         durations.end());
        result.floor_ns = durations[durations.size() / 2];
        result.call_cost_ns = std::max<std::int64_t>(0, (timings->traced_ns - timings->untraced_ns) / calls);
    }
    munmap(shared, sizeof(Timings));
    return result;
}

}  // namespace slowtrace::record
