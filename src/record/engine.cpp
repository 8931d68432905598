// The loop: collect every pending stop, then handle each.
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "record/forbidden.hpp"
#include "record/recorder_engine.hpp"
#include "record/seccomp_filter.hpp"
#include "slowtrace/error.hpp"

namespace slowtrace::record {

namespace {

bool is_exec(const SyscallStop& stop) {
    const Architecture* architecture = find_architecture(stop.audit_architecture, stop.number);
    return architecture &&
           model::syscall_row(architecture->abi, static_cast<std::uint32_t>(stop.number)).call == model::Call::execve;
}

// sigaction(2): si_pid is there for signals a process sent, and for a child's end.
bool has_sender(const siginfo_t& information) {
    const int code = information.si_code;
    return code == SI_USER || code == SI_QUEUE || code == SI_TKILL || code == SI_MESGQ ||
           (code > 0 && information.si_signo == SIGCHLD);
}

}  // namespace

RecordOutcome record(const RecordOptions& options, EventSink& sink) {
    return Engine(options, sink).run();
}

Engine::Engine(const RecordOptions& options, EventSink& sink)
    : options_(options),
      sink_(sink),
      calls_(sink, options.interpret),
      filtered_(options.selection.has_value() && options.attach.empty()) {
    if (options.selection) calls_.select(&*options.selection);
}

RecordOutcome Engine::run() {
    calibration_ = calibrate();
    return attaching() ? run_attached() : run_command();
}

RecordOutcome Engine::run_command() {
    const std::string program = find_program(options_.command.front());
    WakeTimer timer;
    timer_ = &timer;
    HeldCommand command(program, options_.command,
                        filtered_ ? seccomp_program(*options_.selection) : std::vector<sock_filter>{});
    root_ = command.pid();
    if (const int error = seize(root_, filtered_, true)) {
        const std::string reason = why_ptrace_is_forbidden(root_, error);
        command.abandon();
        throw Error(reason);
    }
    Tracee& root = tracees_.add(root_, root_);
    root.descriptors = std::make_shared<DescriptorWatch>();
    interrupt(root_);  // a first stop, from which every call is seen
    relay_.forward_to(root_);
    if (const int early = relay_.take_end_request()) kill(root_, early);
    command.release();

    follow();
    timer_ = nullptr;
    if (!started_) {
        command.throw_start_failure();
        throw Error("the command died before it could start");
    }
    end_run();
    return {root_status_};
}

// Until nobody is left to follow, or those attached to are to be let go.
void Engine::follow() {
    std::vector<WaitReport> batch;
    while (tracees_.size() > 0 || !unclaimed_.empty()) {
        if (attaching() && may_part()) return;
        timer_->every(wake_period_ns());
        collect(batch);
        if (batch.back().kind == WaitReport::Kind::no_tracees) return;
        for (WaitReport& report : batch) handle(report);
        if (!unclaimed_.empty()) adopt_orphans();
        after_waking();
    }
}

void Engine::after_waking() {
    if (!unstopped_.empty()) look_again();
    if (options_.long_wait_ns && started_) tell_long_waits();
    if (started_ && relay_.take_question()) tell_all_threads();
    if (attaching()) return;
    follow_terminal_stop();
    if (root_status_ && !letting_go_) after_the_command();
}

bool Engine::out_of_time() const {
    return options_.limit_ns && now_ns() - start_ns_ >= *options_.limit_ns;
}

std::int64_t Engine::wake_period_ns() const {
    constexpr std::int64_t millisecond = 1'000'000;
    if (!unstopped_.empty()) return 10 * millisecond;
    if (options_.long_wait_ns) return std::clamp(*options_.long_wait_ns / 4, millisecond, 100 * millisecond);
    if (options_.limit_ns || ending_since_ns_) return 20 * millisecond;
    return 0;
}

// At least one report, blocking; then, where several threads run, all that are already pending, so that one busy
// thread cannot keep the stamps of the others waiting.
void Engine::collect(std::vector<WaitReport>& batch) {
    batch.clear();
    batch.push_back(wait_.block());
    if (tracees_.size() < 2 || batch.back().kind == WaitReport::Kind::no_tracees) return;
    while (true) {
        WaitReport next = wait_.poll();
        if (next.kind != WaitReport::Kind::stopped && next.kind != WaitReport::Kind::dead) return;
        batch.push_back(std::move(next));
    }
}

void Engine::handle(WaitReport& report) {
    if (report.kind == WaitReport::Kind::dead) {
        on_death(report.dead);
    } else if (report.kind == WaitReport::Kind::stopped) {
        ++stops_;
        stillborn_.erase(report.stopped->tid());
        if (Tracee* tracee = tracees_.find(report.stopped->tid()))
            handle_stop(*tracee, std::move(*report.stopped));
        else
            unclaimed_.emplace(report.stopped->tid(), std::move(*report.stopped));
    }
}

void Engine::handle_stop(Tracee& tracee, StoppedTracee stopped) {
    if (letting_go_) return let_go(tracee, std::move(stopped));
    if (tracee.unsettled) settle(tracee, stopped);
    switch (stopped.kind()) {
        case StopKind::syscall:
        case StopKind::seccomp:
            return on_syscall(tracee, std::move(stopped));
        case StopKind::signal:
            return on_signal(tracee, std::move(stopped));
        case StopKind::group_stop:
            return on_group_stop(tracee, std::move(stopped));
        case StopKind::event_stop:
            return on_event_stop(tracee, std::move(stopped));
        case StopKind::clone:
            return on_birth(tracee, std::move(stopped));
        case StopKind::exec:
            return on_exec(tracee, std::move(stopped));
        case StopKind::exit:
            return on_exit(tracee, std::move(stopped));
        case StopKind::other:
            return go_on(tracee, std::move(stopped));
    }
}

// The command has ended. A filter outlives us in the background children it left: with no tracer its calls would
// fail (seccomp(2): ENOSYS), so those children must be followed to their end.
void Engine::after_the_command() {
    const bool follow = options_.wait_for_all || filtered_;
    if (!follow || relay_.asked_to_end()) return let_go_of_all();
    if (options_.wait_for_all || told_waiting_ || tracees_.size() == 0) return;
    told_waiting_ = true;
    if (options_.notice)
        options_.notice("the command has ended; following " + std::to_string(processes_.size()) +
                        " background process(es) to the end, because --trace filters their calls");
}

// With a filter, only the exits of selected calls are asked for; entries come as seccomp events.
void Engine::go_on(Tracee& tracee, StoppedTracee stopped, int signal) {
    if (filtered_ && started_ && !tracee.in_call)
        std::move(stopped).resume(signal);
    else
        std::move(stopped).resume_to_next_call(signal);
}

void Engine::on_syscall(Tracee& tracee, StoppedTracee stopped) {
    const auto stop = stopped.syscall_stop();
    if (!stop) return go_on(tracee, std::move(stopped));
    if (!stop->entry) {
        if (started_)
            calls_.end(tracee, settled_result(tracee, stopped, *stop), stopped.stamp_ns(), stopped.delay_ns());
        tracee.in_call = tracee.in_call && started_;
        return go_on(tracee, std::move(stopped));
    }
    // Before the command's own exec this is still slowtrace's code: only that exec is the command's.
    if (!started_ && !is_exec(*stop)) return go_on(tracee, std::move(stopped));
    calls_.begin(tracee, *stop);
    calls_.entered(tracee);
    std::move(stopped).resume_to_next_call();
}

// signal(7): some calls return EINTR whatever the signal, and being traced makes even ignored signals interrupt.
// ERESTARTNOHAND in its place is what the program would have seen untraced: EINTR if a handler runs, no interruption
// if none does. Only for waits without a time limit: a limit would start anew.
SyscallStop Engine::settled_result(Tracee& tracee, StoppedTracee& stopped, SyscallStop stop) {
    constexpr std::int64_t restart_no_handler = -514;
    if (stop.result != -EINTR || !tracee.in_call) return stop;
    std::uint64_t arguments[6];
    std::copy_n(tracee.open.call.arguments().data(), 6, arguments);
    const bool just_began = tracee.let_go && stop_may_cause_eintr(*tracee.open.row);  // interrupted by us, at once
    if (!just_began && !waits_without_limit(*tracee.open.row, arguments)) return stop;
    if (stopped.replace_result(*tracee.open.architecture, restart_no_handler)) stop.result = restart_no_handler;
    return stop;
}

void Engine::on_signal(Tracee& tracee, StoppedTracee stopped) {
    const auto information = stopped.signal_information();
    if (information && tracee.tid == root_ && came_twice(*information, stopped.stamp_ns()))
        return go_on(tracee, std::move(stopped));
    if (information && started_) {
        auto& signal = *event_.mutable_signal();
        signal.Clear();
        signal.set_thread(index(tracee.thread));
        signal.set_time_ns(stopped.stamp_ns());
        signal.set_number(information->si_signo);
        signal.set_code(information->si_code);
        if (has_sender(*information)) signal.set_sender_pid(information->si_pid);
        sink_.event(event_);
    }
    const int signal = stopped.signal();
    go_on(tracee, std::move(stopped), signal);
}

// A signal sent to our whole process group reaches the command by itself, and once more through us.
bool Engine::came_twice(const siginfo_t& information, std::int64_t time_ns) {
    constexpr std::int64_t at_once_ns = 50'000'000;
    const bool ours = has_sender(information) && information.si_pid == getpid();
    const bool again = last_end_signal_.number == information.si_signo && last_end_signal_.ours != ours &&
                       time_ns - last_end_signal_.time_ns < at_once_ns;
    last_end_signal_ = {again ? 0 : information.si_signo, ours, time_ns};
    return again;
}

void Engine::on_group_stop(Tracee& tracee, StoppedTracee stopped) {
    if (!tracee.stopped_since_ns) tracee.stopped_since_ns = stopped.stamp_ns();
    tracee.stopped_by = stopped.signal();
    std::move(stopped).listen();
}

// A newborn's first stop, our own interrupt, or SIGCONT after a group-stop.
void Engine::on_event_stop(Tracee& tracee, StoppedTracee stopped) {
    end_job_stop(tracee, stopped.stamp_ns());
    go_on(tracee, std::move(stopped));
}

void Engine::end_job_stop(Tracee& tracee, std::int64_t time_ns) {
    if (!tracee.stopped_since_ns) return;
    auto& stop = *event_.mutable_stop();
    stop.Clear();
    stop.set_thread(index(tracee.thread));
    stop.set_from_ns(*tracee.stopped_since_ns);
    stop.set_to_ns(time_ns);
    stop.set_signal(tracee.stopped_by);
    tracee.stopped_since_ns.reset();
    sink_.event(event_);
}

// Ctrl-Z stops the command; the shell waits for us, so we must be seen to stop with it.
void Engine::follow_terminal_stop() {
    if (!relay_.asked_to_stop()) return;
    const Tracee* root = tracees_.find(root_);
    if (root && root->stopped_since_ns) relay_.stop_now();
}

}  // namespace slowtrace::record
