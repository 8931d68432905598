// Installs the handlers; they only set flags and call kill(2).
#include "record/signal_relay.hpp"

#include <array>
#include <cerrno>

#include "record/wake_timer.hpp"

namespace slowtrace::record {

namespace {

constexpr std::array relayed{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::array stopping{SIGTSTP, SIGTTIN, SIGTTOU};
constexpr std::array ignored{SIGPIPE, SIGXFSZ};

volatile sig_atomic_t command_pid = 0;
volatile sig_atomic_t end_requested = 0;
volatile sig_atomic_t stop_requested = 0;
volatile sig_atomic_t question_asked = 0;
std::array<struct sigaction, NSIG> previous;
sigset_t previous_mask;

// Blocked signals are inherited (signal(7)): those handled here must arrive whatever slowtrace was started with.
void let_arrive() {
    sigset_t handled;
    sigemptyset(&handled);
    for (const int number : relayed) sigaddset(&handled, number);
    for (const int number : stopping) sigaddset(&handled, number);
    sigaddset(&handled, SIGUSR1);
    sigaddset(&handled, SIGALRM);  // WakeTimer's
    pthread_sigmask(SIG_UNBLOCK, &handled, &previous_mask);
}

void relay(int number, siginfo_t* information, void*) {
    const int saved = errno;
    if (command_pid == 0) {
        end_requested = number;
        WakeTimer::soon();
    } else if (information->si_code != SI_KERNEL) {
        kill(command_pid, number);
    }
    errno = saved;
}

void note_stop(int) {
    stop_requested = 1;
    WakeTimer::soon();
}

void note_question(int) {
    question_asked = 1;
    WakeTimer::soon();
}

template <typename Signals>
void install(const Signals& signals, const struct sigaction& action) {
    for (const int number : signals) {
        sigaction(number, nullptr, &previous[static_cast<std::size_t>(number)]);
        // nohup and background jobs: what was ignored stays ignored, here and in the command.
        if (previous[static_cast<std::size_t>(number)].sa_handler == SIG_IGN && action.sa_handler != SIG_IGN) continue;
        sigaction(number, &action, nullptr);
    }
}

}  // namespace

SignalRelay::SignalRelay() {
    command_pid = 0;
    end_requested = 0;
    stop_requested = 0;
    question_asked = 0;
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO;  // no SA_RESTART: the wait must notice
    action.sa_sigaction = relay;
    install(relayed, action);
    action.sa_flags = 0;
    action.sa_handler = note_stop;
    install(stopping, action);
    action.sa_handler = note_question;
    sigaction(SIGUSR1, &action, nullptr);
    action.sa_handler = SIG_IGN;
    install(ignored, action);
    let_arrive();
}

SignalRelay::~SignalRelay() {
    command_pid = 0;
    pthread_sigmask(SIG_SETMASK, &previous_mask, nullptr);
    const auto restore = [](const auto& signals) {
        for (const int number : signals) sigaction(number, &previous[static_cast<std::size_t>(number)], nullptr);
    };
    restore(relayed);
    restore(stopping);
    signal(SIGUSR1, SIG_IGN);  // a question that comes too late
    // SIGPIPE and SIGXFSZ stay ignored: the report may still meet a closed pipe or a full disk.
}

void SignalRelay::forward_to(pid_t command) {
    command_pid = command;
}
int SignalRelay::take_end_request() {
    const int number = end_requested;
    end_requested = 0;
    return number;
}
bool SignalRelay::asked_to_end() const {
    return end_requested;
}
bool SignalRelay::take_question() {
    const bool asked = question_asked;
    question_asked = 0;
    return asked;
}
bool SignalRelay::asked_to_stop() const {
    return stop_requested;
}
void SignalRelay::stop_now() {
    stop_requested = 0;
    raise(SIGSTOP);
}

}  // namespace slowtrace::record
