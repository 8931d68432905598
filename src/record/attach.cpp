// Attaching to running processes, and leaving them as they were.
//
// PTRACE_SEIZE stops nothing, but a thread's calls are seen only after a stop (ptrace(2)). So each thread is stopped
// once, unless that would change what the call it is blocked in returns (blocked_call.hpp): such a thread is looked at
// again and again from outside, and stopped as soon as it has left that call (unstopped.cpp).
//
// Letting go stops nobody either: PTRACE_DETACH needs a stop, but when a tracing *thread* ends, the kernel detaches its
// tracees as they are (kernel/ptrace.c, exit_ptrace). So the recording runs in a thread of its own.
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <thread>

#include "record/descriptor_copy.hpp"
#include "record/forbidden.hpp"
#include "record/proc.hpp"
#include "record/recorder_engine.hpp"
#include "slowtrace/error.hpp"

namespace slowtrace::record {

namespace {

constexpr std::uint64_t same_files = CLONE_THREAD | CLONE_FILES;
// How often reports are collected while seizing a thread blocks.
constexpr std::int64_t collecting_period_ns = 2'000'000;

bool is_quiet(const Tracee& tracee) {
    return tracee.let_go || tracee.in_call || tracee.stopped_since_ns || tracee.unsettled;
}

bool has_ended(const ProcessStatus& status) {
    return status.state == 'Z' || status.state == 'X';
}

bool is_ours(const ProcessStatus& status) {
    return status.tracer == gettid() || status.tracer == getpid();
}

}  // namespace

std::string name_of_process(pid_t pid) {
    return read_comm(pid).value_or("");
}

RecordOutcome Engine::run_attached() {
    std::exception_ptr failure;
    sigset_t all, before;
    sigfillset(&all);
    // Every signal to us is the tracing thread's: there it interrupts the wait.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread tracer([&] {
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        try {
            trace_attached();
        } catch (...) {
            failure = std::current_exception();
        }
    });
    tracer.join();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (failure) std::rethrow_exception(failure);
    tell_partings();
    end_run();
    return {};
}

void Engine::trace_attached() {
    WakeTimer timer;
    timer_ = &timer;
    attach_to_all();
    follow();
    if (tracees_.size() > 0) part_from_stopped();
    timer_ = nullptr;
}

// Processes that cannot be traced are told; the last of them by an Error where none is left.
void Engine::attach_to_all() {
    std::vector<Seized> seized;
    std::string refusal;
    const std::int64_t start_ns = now_ns();
    timer_->every(collecting_period_ns);
    for (const pid_t pid : options_.attach) {
        std::string reason = seize_process(pid, seized);
        if (reason.empty()) continue;
        if (!refusal.empty() && options_.notice) options_.notice(refusal);
        refusal = std::move(reason);
    }
    if (seized.empty()) throw Error(refusal);
    if (!refusal.empty() && options_.notice) options_.notice(refusal);
    // Parents before their children, which name them.
    std::ranges::stable_sort(seized, {}, [](const Seized& one) { return start_ticks(one.pid); });
    root_ = seized.size() == 1 ? seized.front().pid : 0;
    tell_start(start_ns, seized);
    for (const Seized& process : seized) {
        attached_.insert(process.pid);
        for (const SeizedThread& thread : process.threads) {
            // One that has stopped by itself, or has been replaced by execve, is seen already.
            Tracee* tracee = tracees_.find(thread.tid);
            if (tracee && tracee->unsettled) look_first(*tracee, process, thread, start_ns);
            handle_pending();  // no thread waits for its fellows to be looked at
        }
    }
}

void Engine::handle_pending() {
    constexpr int at_once = 32;  // busy threads stop again and again
    for (int handled = 0; handled < at_once; ++handled) {
        WaitReport report = wait_.poll();
        if (report.kind != WaitReport::Kind::stopped && report.kind != WaitReport::Kind::dead) return;
        handle(report);
    }
}

// All threads there are, and those that appear meanwhile: an unseen one may replace all others by its execve(2).
// Returns why not, or nothing.
std::string Engine::seize_process(pid_t pid, std::vector<Seized>& seized) {
    constexpr int passes_in_vain = 5;
    constexpr useconds_t pause_us = 1'000;  // an execve is soon over
    const auto status = read_status(pid);
    if (status && status->tgid != pid) return seize_process(status->tgid, seized);  // a thread's id: its process
    if (std::ranges::any_of(seized, [&](const Seized& one) { return one.pid == pid; })) return {};
    Seized process{pid, 0, {}};
    int error = status ? 0 : ESRCH;
    bool confirmed = false;
    for (int vain = 0; status && pid != getpid() && vain < passes_in_vain;) {
        const SeizingPass pass = seize_threads(process);
        error = pass.error;
        if (pass.complete && (confirmed || !pass.leader_ended)) break;
        confirmed = pass.complete;  // an execve may be taking the leader's place: it is looked for once more
        vain = pass.progress ? 0 : vain + 1;
        if (!pass.progress) usleep(pause_us);
    }
    forget_replaced(process);
    if (process.threads.empty()) return why_attaching_is_forbidden(pid, error);
    // A leader that has exited tells nothing more.
    for (const SeizedThread& thread : process.threads)
        if (process.audit_architecture == 0) process.audit_architecture = audit_architecture_of(thread.tid);
    seized.push_back(std::move(process));
    return {};
}

Engine::SeizingPass Engine::seize_threads(Seized& process) {
    SeizingPass pass;
    bool tried = false, any = false;
    for (const pid_t tid : threads_of(process.pid)) {
        const auto before = read_status(tid);
        if (tid == process.pid) pass.leader_ended = !before || has_ended(*before);
        if (!before || has_ended(*before)) continue;
        any = true;
        // A thread born of one already seized is traced from birth: its creator's stop tells of it.
        if (is_ours(*before)) continue;
        tried = true;
        const int failed = seize(tid, false, false);
        if (failed == 0) {
            pass.progress = true;
            // A second leader is what an execve has left of the whole process.
            if (std::ranges::any_of(process.threads, [&](const auto& one) { return one.tid == tid; }))
                process.threads.clear();
            process.threads.push_back({tid, before->state == 'T'});
            continue;
        }
        const auto after = read_status(tid);
        if (after && !is_ours(*after) && !has_ended(*after)) pass.error = failed;
    }
    pass.complete = any && !tried;
    return pass;
}

// An execve meanwhile has left one thread, which has taken the leader's id.
void Engine::forget_replaced(Seized& process) {
    const auto now = threads_of(process.pid);
    const auto is_there = [&](const SeizedThread& one) { return std::ranges::find(now, one.tid) != now.end(); };
    std::erase_if(process.threads, [&](const SeizedThread& one) { return !is_there(one); });
    const auto leader = read_status(process.pid);
    const bool known =
        std::ranges::any_of(process.threads, [&](const SeizedThread& one) { return one.tid == process.pid; });
    if (!known && leader && is_ours(*leader) && !has_ended(*leader))
        process.threads.insert(process.threads.begin(), {process.pid, leader->state == 'T'});
}

void Engine::tell_start(std::int64_t start_ns, const std::vector<Seized>& seized) {
    begin_run(start_ns, seized);
    for (const Seized& process : seized) {
        const auto status = read_status(process.pid);
        const Tracee* relative = status ? any_of_process(status->parent) : nullptr;
        ProcessId id = tracees_.new_process();
        const auto descriptors = std::make_shared<DescriptorWatch>();
        Tracee* first = nullptr;
        for (const SeizedThread& thread : process.threads) {
            Tracee& tracee = tracees_.add(thread.tid, process.pid);
            tracee.process = id;
            const bool shares = !first || share_descriptors(first->tid, thread.tid);  // unshare(2) ends it
            tracee.descriptors = shares ? descriptors : std::make_shared<DescriptorWatch>();
            tracee.name = read_comm(thread.tid).value_or("");
            tracee.unsettled = true;
            read_schedule(process.pid, thread.tid, tracee.before);
            const Tracee* creator = first ? first : relative;
            model::ThreadBirth birth;
            birth.set_kind(model::ThreadBirth::ATTACHED);
            birth.set_has_parent(creator != nullptr);
            if (creator) birth.set_parent_thread(index(creator->thread));
            birth.set_time_ns(start_ns);
            if (first) birth.set_clone_flags(shares ? same_files : CLONE_THREAD);
            tell_birth(tracee, birth);
            if (first) continue;
            first = &tracee;
            calls_.met(process.pid, thread.tid);
            tell_program(tracee, start_ns, process.pid, false);
        }
    }
}

// A thread asked to stop has had its call interrupted, which only its stop can undo: it is waited for, unless it does
// not come because it sleeps uninterruptibly, and then nothing has interrupted its call either.
bool Engine::may_part() {
    constexpr std::int64_t patience_ns = 500'000'000;
    const bool asked = relay_.asked_to_end() || out_of_time() || (attached_ended() && !options_.wait_for_all);
    if (!asked) return false;
    if (!ending_since_ns_) ending_since_ns_ = now_ns();
    std::erase_if(awaited_, [this](pid_t tid) { return !tracees_.find(tid); });
    return awaited_.empty() || now_ns() - ending_since_ns_ > patience_ns;
}

bool Engine::attached_ended() const {
    return attaching() && std::ranges::none_of(attached_, [this](pid_t pid) { return processes_.contains(pid); });
}

// The kernel lets go of what runs without touching it, but what is stopped it wakes as a signal would (ptrace_unlink):
// at a call's entry that would interrupt the call. So no thread is left that may yet stop there: one inside a call
// stops at its exit, if at all; every other one is waited for, a little, and asked for no more stops.
void Engine::part_from_stopped() {
    constexpr std::int64_t patience_ns = 50'000'000, period_ns = 1'000'000;
    letting_go_ = true;
    end_ns_ = now_ns();
    timer_->every(period_ns);
    while (true) {
        WaitReport report = wait_.poll();
        if (report.kind == WaitReport::Kind::nothing_pending) {
            const bool quiet = std::ranges::all_of(tracees_, [](const auto& entry) { return is_quiet(*entry.second); });
            if (quiet || now_ns() - end_ns_ > patience_ns) return;
            report = wait_.block();
        }
        if (report.kind == WaitReport::Kind::no_tracees) return;
        if (report.kind == WaitReport::Kind::dead) on_death(report.dead);
        if (report.kind == WaitReport::Kind::stopped) part_from(std::move(*report.stopped));
    }
}

// Goes on, to stop no more at its calls (PTRACE_CONT).
void Engine::part_from(StoppedTracee stopped) {
    Tracee* tracee = tracees_.find(stopped.tid());
    if (!tracee) return std::move(stopped).resume();  // a newborn: nobody has heard of it
    if (tracee->unsettled) settle(*tracee, stopped);
    const StopKind kind = stopped.kind();
    if (kind == StopKind::exit) return on_exit(*tracee, std::move(stopped));
    if (kind == StopKind::group_stop) return on_group_stop(*tracee, std::move(stopped));
    if (kind == StopKind::syscall) {
        auto stop = stopped.syscall_stop();
        if (stop && !stop->entry)
            calls_.end(*tracee, settled_result(*tracee, stopped, *stop), stopped.stamp_ns(), stopped.delay_ns());
    }
    tracee->let_go = true;
    std::move(stopped).resume(kind == StopKind::signal ? stopped.signal() : 0);
}

void Engine::tell_partings() {
    if (tracees_.size() == 0) return;
    let_go_by_request_ = true;
    left_running_ = static_cast<std::uint32_t>(processes_.size());
    for (auto& [tid, tracee] : tracees_) tell_parting(*tracee, end_ns_);
}

}  // namespace slowtrace::record
