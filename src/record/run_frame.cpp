// How a recording begins, at the command's exec, and ends, with what still runs let go unharmed.
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <climits>

#include "record/proc.hpp"
#include "record/recorder_engine.hpp"
#include "slowtrace/version.hpp"

namespace slowtrace::record {

namespace {

std::int64_t own_cpu_ns() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const auto nanoseconds = [](const timeval& time) {
        return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_usec} * 1'000;
    };
    return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

}  // namespace

void Engine::start_run(Tracee& root, std::int64_t exec_ns) {
    // The run begins with the command's own execve, where its entry was seen.
    const std::int64_t start_ns = root.in_call ? root.open.call.entry_ns() : exec_ns;
    begin_run(start_ns, {});
    root.process = tracees_.new_process();
    root.name = read_comm(root.tid).value_or("");
    model::ThreadBirth birth;
    birth.set_kind(model::ThreadBirth::ROOT);
    birth.set_time_ns(start_ns);
    tell_birth(root, birth);
}

void Engine::begin_run(std::int64_t start_ns, const std::vector<Seized>& attached) {
    started_ = true;
    start_ns_ = start_ns;
    cpu_at_start_ns_ = own_cpu_ns();
    auto& run = *event_.mutable_run();
    run.Clear();
    for (const std::string& argument : options_.command) run.add_argv(argument);
    char directory[PATH_MAX];
    if (getcwd(directory, sizeof directory)) run.set_cwd(directory);
    utsname machine;
    uname(&machine);
    run.set_kernel(machine.release);
    run.set_machine(machine.machine);
    run.set_engine("ptrace");
    run.set_slowtrace_version(version);
    run.set_start_ns(start_ns);
    timespec real;
    const std::int64_t age_ns = now_ns() - start_ns;
    clock_gettime(CLOCK_REALTIME, &real);
    run.set_start_realtime_ns(std::int64_t{real.tv_sec} * 1'000'000'000 + real.tv_nsec - age_ns);
    run.set_floor_ns(calibration_.floor_ns);
    run.set_stop_cost_ns(calibration_.call_cost_ns);
    run.set_processors(static_cast<std::uint32_t>(sysconf(_SC_NPROCESSORS_ONLN)));
    if (options_.selection) run.set_selection(options_.selection->expression());
    run.set_reverse_names(options_.reverse_names);
    for (const Seized& process : attached) run.add_attached_pids(process.pid);
    sink_.event(event_);
}

void Engine::let_go_of_all() {
    letting_go_ = true;
    left_running_ = static_cast<std::uint32_t>(processes_.size());
    for (auto& [tid, tracee] : tracees_) {
        // What our stop interrupts is made anew, its time limit from the start (settled_result).
        tracee->let_go = tracee->in_call && tracee->open.architecture && stop_may_cause_eintr(*tracee->open.row);
        interrupt(tid);
    }
    adopt_orphans();
}

// Whatever the stop, the thread goes on as if it had never been traced. A call that our own request has interrupted is
// made anew by the kernel once the thread is let go, on its way out of the kernel.
void Engine::let_go(Tracee& tracee, StoppedTracee stopped) {
    const StopKind kind = stopped.kind();
    if (kind == StopKind::exit) return on_exit(tracee, std::move(stopped));
    if (kind == StopKind::exec) return on_exec(tracee, std::move(stopped));
    if (kind == StopKind::clone) {
        if (const auto child = stopped.event_message()) claim(tracee, static_cast<pid_t>(*child), stopped.stamp_ns());
    } else if (kind == StopKind::syscall) {
        auto stop = stopped.syscall_stop();
        if (stop && stop->entry && stop_at_exit_instead(tracee, *stop)) {
            std::move(stopped).resume_to_next_call();
            interrupt(tracee.tid);
            return;
        }
        if (stop && !stop->entry) {
            stop = settled_result(tracee, stopped, *stop);
            constexpr std::int64_t first_restart = -516, last_restart = -512;
            const bool restarts = stop->result >= first_restart && stop->result <= last_restart;
            if (!restarts) calls_.end(tracee, *stop, stopped.stamp_ns(), stopped.delay_ns());
        }
    }
    tell_parting(tracee, stopped.stamp_ns());
    const pid_t tid = tracee.tid;
    let_go_.insert(tid);
    std::move(stopped).detach(kind == StopKind::signal ? stopped.signal() : 0);
    tracees_.erase(tid);
}

// Letting go of a thread at a call's entry interrupts the call (ptrace_unlink), which some calls tell their program: at
// the exit that can still be made good.
bool Engine::stop_at_exit_instead(Tracee& tracee, const SyscallStop& stop) {
    calls_.begin(tracee, stop);
    calls_.entered(tracee);
    tracee.let_go = tracee.open.architecture && stop_may_cause_eintr(*tracee.open.row);
    if (!tracee.let_go) tracee.in_call = false;
    return tracee.let_go;
}

void Engine::tell_parting(Tracee& tracee, std::int64_t time_ns) {
    calls_.abandon(tracee, model::Syscall::DETACHED, time_ns);
    end_job_stop(tracee, time_ns);
    model::ThreadDeath death;
    death.set_time_ns(time_ns);
    death.set_cause(model::ThreadDeath::DETACHED);
    read_schedule(tracee.pid, tracee.tid, death);
    tell_death(tracee, death);
}

void Engine::end_run() {
    auto& end = *event_.mutable_end();
    end.Clear();
    end.set_time_ns(end_ns_ ? end_ns_ : now_ns());
    end.set_has_status(root_status_.has_value());
    end.set_status(root_status_.value_or(0));
    end.set_stops(stops_);
    end.set_late_stamps(calls_.late_stamps());
    end.set_late_ns(calls_.late_ns());
    end.set_tracing_ns(static_cast<std::int64_t>(calls_.calls()) * calibration_.call_cost_ns);
    end.set_left_running(left_running_);
    end.set_let_go(let_go_by_request_);
    end.set_slowtrace_cpu_ns(own_cpu_ns() - cpu_at_start_ns_);
    sink_.event(event_);
}

}  // namespace slowtrace::record
