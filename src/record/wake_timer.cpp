// A POSIX timer whose SIGALRM goes to one thread (timer_create(2), SIGEV_THREAD_ID).
#include "record/wake_timer.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "record/ptrace.hpp"
#include "slowtrace/error.hpp"

// glibc before 2.38 does not name it.
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace slowtrace::record {

namespace {

timer_t timer;
volatile sig_atomic_t exists = 0;
volatile sig_atomic_t armed_by_handler = 0;
struct sigaction previous;

void arm(std::int64_t first_ns, std::int64_t period_ns) {
    constexpr std::int64_t second = 1'000'000'000;
    itimerspec times{};
    times.it_value = {first_ns / second, first_ns % second};
    times.it_interval = {period_ns / second, period_ns % second};
    timer_settime(timer, 0, &times, nullptr);
}

}  // namespace

WakeTimer::WakeTimer() {
    struct sigaction action {};
    action.sa_handler = [](int) { collect_while_seizing(); };  // no SA_RESTART: to interrupt is its purpose
    sigaction(SIGALRM, &action, &previous);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGALRM;
    event.sigev_notify_thread_id = gettid();
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        throw Error(std::string("cannot create a timer: ") + std::strerror(errno));
    exists = 1;
}

WakeTimer::~WakeTimer() {
    exists = 0;
    timer_delete(timer);
    sigaction(SIGALRM, &previous, nullptr);
}

void WakeTimer::every(std::int64_t period_ns) {
    if (period_ns == period_ns_ && !armed_by_handler) return;
    armed_by_handler = 0;
    period_ns_ = period_ns;
    arm(period_ns, period_ns);
}

void WakeTimer::soon() {
    constexpr std::int64_t soon_ns = 1'000'000, again_ns = 20'000'000;
    if (!exists) return;
    armed_by_handler = 1;
    arm(soon_ns, again_ns);
}

}  // namespace slowtrace::record
