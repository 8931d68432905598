// The threads attached to that must not be stopped yet, and what a first stop makes of the call a thread was found in.
#include <algorithm>
#include <cerrno>

#include "record/recorder_engine.hpp"

namespace slowtrace::record {

namespace {

// A thread that was on a CPU for this long since it was last seen blocked has returned to its program; less may have
// been the kernel's own, looking whether what is waited for has come.
constexpr std::int64_t returned_ns = 20'000;

bool has_returned(const Tracee& tracee, const Unstopped& before, const std::optional<SyscallStop>& now,
                  std::int64_t on_cpu_ns) {
    if (now && !same_call(*now, before.call)) return true;
    // One that moves octets runs now and then without returning: only its program's own time tells, or what it has
    // done.
    if (moves_octets(before.call))
        return now ? has_returned_between(before.call, before.progress,
                                          progress_of(before.call, tracee.pid, tracee.tid))
                   : user_ticks(tracee.tid) > before.user_ticks;
    return !now || on_cpu_ns - before.on_cpu_ns > returned_ns;
}

Unstopped seen_in(const SyscallStop& call, const Tracee& tracee, std::int64_t now) {
    return {call, now, time_on_cpu_ns(tracee.tid), user_ticks(tracee.tid), progress_of(call, tracee.pid, tracee.tid)};
}

}  // namespace

void Engine::look_first(Tracee& tracee, const Seized& process, const SeizedThread& thread, std::int64_t start_ns) {
    const auto call = read_blocked_call(tracee.tid, process.audit_architecture);
    if (call) calls_.found(tracee, *call, start_ns);
    // Held by job control it is stopped anyhow, and seizing has made it tell so.
    const bool disturbed =
        call && !thread.stopped && disturbance_of(*call, tracee.pid, tracee.tid, false) == Disturbance::lasting;
    if (disturbed) {
        tracee.unstopped = seen_in(*call, tracee, now_ns());
        unstopped_.insert(tracee.tid);
        return;
    }
    tracee.found = call;
    if (!thread.stopped) ask_to_stop(tracee.tid);
}

// The threads left alone: has one left its call, and may it be stopped now?
void Engine::look_again() {
    constexpr std::int64_t period_ns = 8'000'000, share = 20;  // of our time, for many threads
    const std::int64_t start_ns = now_ns();
    if (start_ns < look_due_ns_) return;
    for (auto tid = unstopped_.begin(); tid != unstopped_.end();) {
        Tracee* tracee = tracees_.find(*tid);
        const bool settled = !tracee || !tracee->unstopped || stop_if_possible(*tracee);
        tid = settled ? unstopped_.erase(tid) : std::next(tid);
    }
    const std::int64_t end_ns = now_ns();
    look_due_ns_ = end_ns + std::max(period_ns, share * (end_ns - start_ns));
}

// It left its call for another that must not be stopped either: what lies between is not in the recording.
void Engine::tell_missed_calls(const Tracee& tracee, std::int64_t time_ns) {
    auto& loss = *event_.mutable_loss();
    loss.Clear();
    loss.set_time_ns(time_ns);
    loss.set_reason("calls of thread " + std::to_string(tracee.tid) +
                    " were not seen: it could not be stopped unharmed yet");
    sink_.event(event_);
}

bool Engine::stop_if_possible(Tracee& tracee) {
    if (ending_since_ns_) return false;
    Unstopped& before = *tracee.unstopped;
    const auto call = read_blocked_call(tracee.tid, before.call.audit_architecture);
    const std::int64_t now = now_ns(), on_cpu = time_on_cpu_ns(tracee.tid);
    if (!has_returned(tracee, before, call, on_cpu)) {
        before.seen_ns = now;
        before.on_cpu_ns = on_cpu;
        return false;
    }
    calls_.abandon(tracee, model::Syscall::DETACHED, before.seen_ns);
    if (call && disturbance_of(*call, tracee.pid, tracee.tid, true) == Disturbance::lasting) {
        calls_.found(tracee, *call, now);
        const bool told = std::exchange(before.missed_told, true);
        if (!told) tell_missed_calls(tracee, now);
        before = seen_in(*call, tracee, now);
        before.missed_told = true;
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

}  // namespace slowtrace::record
