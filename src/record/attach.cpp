// Attaching to running processes, watching the threads that must not be stopped, and leaving all as they were.
//
// PTRACE_SEIZE stops nothing, but a thread's calls are seen only after a stop (ptrace(2)). So each thread is stopped
// once, unless that would change what the call it is blocked in returns (blocked_call.hpp): such a thread is looked at
// again and again from outside, and stopped as soon as it has left that call.
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

#include "record/forbidden.hpp"
#include "record/proc.hpp"
#include "record/recorder_engine.hpp"
#include "slowtrace/error.hpp"

namespace slowtrace::record {

namespace {

constexpr std::uint64_t same_files = CLONE_THREAD | CLONE_FILES;
// A thread that was on a CPU for this long since it was last seen blocked has returned to its program; less may have
// been the kernel's own, looking whether what is waited for has come.
constexpr std::int64_t returned_ns = 20'000;

bool has_returned(pid_t tid, const Unstopped& before, const std::optional<SyscallStop>& now, std::int64_t on_cpu_ns) {
    if (now && !same_call(*now, before.call)) return true;
    // One that moves octets runs now and then without returning: only its program's own time tells.
    if (moves_octets(before.call)) return !now && user_ticks(tid) > before.user_ticks;
    return !now || on_cpu_ns - before.on_cpu_ns > returned_ns;
}

bool is_quiet(const Tracee& tracee) {
    return tracee.let_go || tracee.in_call || tracee.stopped_since_ns || tracee.unsettled;
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
        for (const SeizedThread& thread : process.threads)
            if (Tracee* tracee = tracees_.find(thread.tid)) look_first(*tracee, process, thread, start_ns);
    }
}

// All threads there are, and those that appear meanwhile. Returns why not, or nothing.
std::string Engine::seize_process(pid_t pid, std::vector<Seized>& seized) {
    const auto status = read_status(pid);
    if (status && status->tgid != pid) return seize_process(status->tgid, seized);  // a thread's id: its process
    if (std::ranges::any_of(seized, [&](const Seized& one) { return one.pid == pid; })) return {};
    Seized process{pid, audit_architecture_of(pid), {}};
    std::set<pid_t> seen;
    int error = status ? 0 : ESRCH;
    for (bool more = status.has_value() && pid != getpid(); more;) {
        more = false;
        for (const pid_t tid : threads_of(pid)) {
            if (!seen.insert(tid).second) continue;
            const auto thread = read_status(tid);
            // A thread born of one already seized is traced from birth: its creator's stop tells of it.
            if (!thread || is_ours(*thread)) continue;
            const int failed = seize(tid, false, false);
            more = true;
            if (failed == 0)
                process.threads.push_back({tid, thread->state == 'T'});
            else if (thread->state != 'Z' && thread->state != 'X' && failed != ESRCH)
                error = failed;
        }
    }
    if (process.threads.empty()) return why_attaching_is_forbidden(pid, error);
    seized.push_back(std::move(process));
    return {};
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
            tracee.descriptors = descriptors;
            tracee.name = read_comm(thread.tid).value_or("");
            tracee.unsettled = true;
            read_schedule(process.pid, thread.tid, tracee.before);
            const Tracee* creator = first ? first : relative;
            model::ThreadBirth birth;
            birth.set_kind(model::ThreadBirth::ATTACHED);
            birth.set_has_parent(creator != nullptr);
            if (creator) birth.set_parent_thread(index(creator->thread));
            birth.set_time_ns(start_ns);
            if (first) birth.set_clone_flags(same_files);
            tell_birth(tracee, birth);
            if (first) continue;
            first = &tracee;
            tell_program(tracee, start_ns, process.pid, false);
        }
    }
}

void Engine::look_first(Tracee& tracee, const Seized& process, const SeizedThread& thread, std::int64_t start_ns) {
    const auto call = read_blocked_call(tracee.tid, process.audit_architecture);
    if (call) calls_.found(tracee, *call, start_ns);
    // Held by job control it is stopped anyhow, and seizing has made it tell so.
    const bool disturbed =
        call && !thread.stopped && disturbance_of(*call, tracee.pid, tracee.tid, false) == Disturbance::lasting;
    if (disturbed) {
        tracee.unstopped = {*call, now_ns(), time_on_cpu_ns(tracee.tid), user_ticks(tracee.tid)};
        unstopped_.insert(tracee.tid);
        return;
    }
    tracee.found = call;
    if (!thread.stopped) ask_to_stop(tracee.tid);
}

// The threads left alone: has one left its call, and may it be stopped now?
void Engine::look_again() {
    for (auto tid = unstopped_.begin(); tid != unstopped_.end();) {
        Tracee* tracee = tracees_.find(*tid);
        const bool settled = !tracee || !tracee->unstopped || stop_if_possible(*tracee);
        tid = settled ? unstopped_.erase(tid) : std::next(tid);
    }
}

bool Engine::stop_if_possible(Tracee& tracee) {
    if (ending_since_ns_) return false;
    Unstopped& before = *tracee.unstopped;
    const auto call = read_blocked_call(tracee.tid, before.call.audit_architecture);
    const std::int64_t now = now_ns(), on_cpu = time_on_cpu_ns(tracee.tid);
    if (!has_returned(tracee.tid, before, call, on_cpu)) {
        before.seen_ns = now;
        before.on_cpu_ns = on_cpu;
        return false;
    }
    calls_.abandon(tracee, model::Syscall::DETACHED, before.seen_ns);
    if (call && disturbance_of(*call, tracee.pid, tracee.tid, true) == Disturbance::lasting) {
        calls_.found(tracee, *call, now);
        before = {*call, now, on_cpu, user_ticks(tracee.tid)};
        return false;
    }
    tracee.unstopped.reset();  // `before` is gone
    ask_to_stop(tracee.tid);
    return true;
}

// The first stop of an attached thread: what became of the call it was found in.
void Engine::settle(Tracee& tracee, StoppedTracee& stopped) {
    tracee.unsettled = false;
    awaited_.erase(tracee.tid);
    const auto found = tracee.unstopped ? std::optional(tracee.unstopped->call) : std::exchange(tracee.found, {});
    const std::int64_t seen_ns = tracee.unstopped ? tracee.unstopped->seen_ns : tracee.open.piece_entry_ns;
    tracee.unstopped.reset();
    const StopKind kind = stopped.kind();
    // Every other kind of stop lies inside the call, whose end will tell.
    if (kind != StopKind::signal && kind != StopKind::group_stop && kind != StopKind::event_stop) return;
    const auto position = stopped.position();
    const auto result = position ? interrupted_result(stopped, *position, found) : std::nullopt;
    if (!tracee.in_call) return;
    if (!result) return calls_.abandon(tracee, model::Syscall::DETACHED, seen_ns);
    SyscallStop end = *position;
    end.result = *result;
    calls_.end(tracee, end, stopped.stamp_ns(), stopped.delay_ns());
}

// What `found` returns, its restart included; nothing when the thread has left it unseen. EINTR that only our stop has
// brought about becomes a restart, for `found` and for whatever call has begun since (see settled_result).
std::optional<std::int64_t> Engine::interrupted_result(StoppedTracee& stopped, const SyscallStop& position,
                                                       const std::optional<SyscallStop>& found) {
    constexpr std::int64_t restart_no_handler = -514, restart_block = -516;
    const Architecture* architecture = find_architecture(position.audit_architecture, found ? found->number : 0);
    if (!architecture) return std::nullopt;
    const bool same_stack = found && position.stack_pointer == found->stack_pointer;
    if (!architecture->number_offset) {
        const auto back = position.instruction_pointer + static_cast<std::uint64_t>(architecture->instruction_bytes);
        return same_stack && back == found->instruction_pointer ? std::optional(restart_block) : std::nullopt;
    }
    auto call = stopped.returning_from(*architecture);
    if (!call) return std::nullopt;
    const auto& row =
        model::syscall_row(architecture->abi, static_cast<std::uint32_t>(call->number & ~architecture->number_tag));
    // Held by job control, EINTR is the program's own.
    if (call->result == -EINTR && stopped.kind() != StopKind::group_stop && stop_may_cause_eintr(row) &&
        stopped.replace_result(*architecture, restart_no_handler))
        call->result = restart_no_handler;
    const bool same =
        same_stack && call->number == found->number && position.instruction_pointer == found->instruction_pointer;
    return same ? std::optional(call->result) : std::nullopt;
}

void Engine::ask_to_stop(pid_t tid) {
    if (interrupt(tid)) awaited_.insert(tid);
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
