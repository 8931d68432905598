// How tracees come and go: births in any order, exec from any thread, death at any moment.
#include <linux/sched.h>
#include <sys/wait.h>

#include <algorithm>

#include "record/proc.hpp"
#include "record/recorder_engine.hpp"

namespace slowtrace::record {

namespace {

using model::Call;

bool creates(Call call) {
    return call == Call::clone || call == Call::clone3 || call == Call::fork || call == Call::vfork;
}

struct CreationFlags {
    bool known = false;
    std::uint64_t flags = 0, clear_child_tid = 0;
    model::ThreadBirth::Kind kind = model::ThreadBirth::CLONE;
};

// What the creator's own call asked for. clone(2): where child_tid is depends on the architecture.
CreationFlags creation_flags(const Tracee& parent) {
    CreationFlags result;
    if (!parent.in_call || !creates(parent.open.row->call)) return result;
    result.known = true;
    const model::Syscall& call = parent.open.call;
    switch (parent.open.row->call) {
        case Call::fork:
            result.kind = model::ThreadBirth::FORK;
            break;
        case Call::vfork:
            result.kind = model::ThreadBirth::VFORK;
            result.flags = CLONE_VM | CLONE_VFORK;
            break;
        case Call::clone:
            result.flags = call.arguments(0);
            if (result.flags & CLONE_CHILD_CLEARTID)
                result.clear_child_tid =
                    call.arguments(call.abi() == model::X86_64 || call.abi() == model::X32 ? 3 : 4);
            break;
        default:
            for (const model::Captured& captured : call.captured())
                if (captured.has_clone()) {
                    result.flags = captured.clone().flags();
                    if (result.flags & CLONE_CHILD_CLEARTID) result.clear_child_tid = captured.clone().child_tid();
                }
    }
    return result;
}

}  // namespace

void Engine::on_birth(Tracee& parent, StoppedTracee stopped) {
    if (const auto message = stopped.event_message()) claim(parent, static_cast<pid_t>(*message), stopped.stamp_ns());
    go_on(parent, std::move(stopped));
}

void Engine::claim(Tracee& parent, pid_t child, std::int64_t time_ns) {
    if (tracees_.find(child) || let_go_.contains(child)) return;  // already adopted
    const CreationFlags creation = creation_flags(parent);
    bool is_thread = creation.flags & CLONE_THREAD;
    bool shares_files = creation.flags & CLONE_FILES;
    if (!creation.known) {  // its call was not selected: /proc tells threads from processes
        const auto status = read_status(child);
        is_thread = shares_files = status && status->tgid != child;
    }
    const pid_t pid = is_thread ? parent.pid : child;
    Tracee& tracee = tracees_.add(child, pid);
    tracee.name = parent.name;
    tracee.process = is_thread ? parent.process : tracees_.new_process();
    tracee.descriptors = shares_files ? parent.descriptors : std::make_shared<DescriptorWatch>(*parent.descriptors);
    if (!is_thread) {  // sigaltstack(2): a child inherits it, a thread does not
        tracee.alternate_stack = parent.alternate_stack;
        tracee.alternate_stack_bytes = parent.alternate_stack_bytes;
    }
    model::ThreadBirth birth;
    birth.set_kind(creation.kind);
    birth.set_has_parent(true);
    birth.set_parent_thread(index(parent.thread));
    birth.set_time_ns(time_ns);
    birth.set_clone_flags(creation.known ? creation.flags : is_thread ? std::uint64_t{CLONE_THREAD | CLONE_FILES} : 0);
    birth.set_clear_child_tid(creation.clear_child_tid);
    tell_birth(tracee, birth);
    if (const auto waiting = unclaimed_.find(child); waiting != unclaimed_.end()) {
        StoppedTracee first = std::move(waiting->second);
        unclaimed_.erase(waiting);
        handle_stop(tracee, std::move(first));
    } else if (stillborn_.erase(child)) {
        on_death({child, 0, time_ns});
    }
}

bool Engine::somebody_is_creating() {
    return std::ranges::any_of(tracees_, [](const auto& entry) {
        const Tracee& tracee = *entry.second;
        return tracee.in_call && creates(tracee.open.row->call);
    });
}

// A newborn waits until its creator's event tells of it. A creator killed first never will: then /proc must do.
void Engine::adopt_orphans() {
    const bool wait_on = filtered_ ? !death_seen_ : somebody_is_creating();
    if (wait_on && !letting_go_) return;
    death_seen_ = false;
    auto orphans = std::move(unclaimed_);
    unclaimed_.clear();
    for (auto& [tid, stopped] : orphans) adopt(std::move(stopped));
}

void Engine::adopt(StoppedTracee stopped) {
    const pid_t tid = stopped.tid();
    const auto status = read_status(tid);
    const pid_t pid = status ? status->tgid : tid;
    const Tracee* relative = any_of_process(pid);
    const bool is_thread = pid != tid && relative;
    if (!relative && status) relative = any_of_process(status->parent);
    Tracee& tracee = tracees_.add(tid, pid);
    tracee.process = is_thread ? relative->process : tracees_.new_process();
    tracee.descriptors = is_thread ? relative->descriptors : std::make_shared<DescriptorWatch>();
    tracee.name = read_comm(tid).value_or("");
    model::ThreadBirth birth;
    birth.set_kind(model::ThreadBirth::ADOPTED);
    birth.set_has_parent(relative != nullptr);
    if (relative) birth.set_parent_thread(index(relative->thread));
    birth.set_time_ns(stopped.stamp_ns());
    birth.set_clone_flags(is_thread ? CLONE_THREAD | CLONE_FILES : 0);
    tell_birth(tracee, birth);
    handle_stop(tracee, std::move(stopped));
}

Tracee* Engine::any_of_process(pid_t pid) {
    for (auto& [tid, tracee] : tracees_)
        if (tracee->pid == pid) return tracee.get();
    return nullptr;
}

void Engine::on_exec(Tracee& leader, StoppedTracee stopped) {
    // execve(2): whichever thread calls it takes the leader's tid, and every other thread is gone.
    const auto former = static_cast<pid_t>(stopped.event_message().value_or(static_cast<unsigned long>(stopped.tid())));
    const pid_t pid = stopped.tid();
    std::vector<pid_t> vanished;
    for (auto& [tid, other] : tracees_)
        if (other->pid == pid && tid != former) vanished.push_back(tid);
    for (const pid_t tid : vanished) {
        Tracee& other = *tracees_.find(tid);
        calls_.abandon(other, model::Syscall::EXECED, stopped.stamp_ns());
        model::ThreadDeath death;
        death.set_time_ns(stopped.stamp_ns());
        death.set_cause(model::ThreadDeath::EXEC_BY_OTHER_THREAD);
        tell_death(other, death);
        tracees_.erase(tid);
    }
    if (former != pid) tracees_.rename(former, pid);
    Tracee* tracee = former == pid ? &leader : tracees_.find(pid);
    if (!tracee) return std::move(stopped).resume_to_next_call();  // its thread died untold; the process lives on
    if (!started_) start_run(*tracee, stopped.stamp_ns());
    calls_.end_program(*tracee, stopped.stamp_ns());
    // exec unshares the descriptor table and closes what was marked close-on-exec.
    if (tracee->descriptors.use_count() > 1)
        tracee->descriptors = std::make_shared<DescriptorWatch>(*tracee->descriptors);
    tracee->descriptors->keep_only(open_descriptors(pid));
    tracee->name = read_comm(pid).value_or(tracee->name);

    tell_program(*tracee, stopped.stamp_ns(), former, setuid_was_ignored(pid));
    auto& renamed = *event_.mutable_name();
    renamed.Clear();
    renamed.set_thread(index(tracee->thread));
    renamed.set_time_ns(stopped.stamp_ns());
    renamed.set_name(tracee->name);
    sink_.event(event_);
    go_on(*tracee, std::move(stopped));
}

bool Engine::last_of_its_table(const Tracee& tracee) {
    return tracee.descriptors.use_count() == 1 || std::ranges::none_of(tracees_, [&](const auto& entry) {
               const Tracee& other = *entry.second;
               return &other != &tracee && !other.death_told && other.descriptors == tracee.descriptors;
           });
}

// What runs now, by /proc.
void Engine::tell_program(const Tracee& tracee, std::int64_t time_ns, pid_t former_tid, bool setuid_ignored) {
    const pid_t pid = tracee.pid;
    model::Exec exec;
    exec.set_thread(index(tracee.thread));
    exec.set_time_ns(time_ns);
    exec.set_path(read_link("/proc/" + std::to_string(pid) + "/exe").value_or(""));
    CommandLine command_line = read_command_line(pid);
    for (std::string& argument : command_line.arguments) exec.add_argv(std::move(argument));
    exec.set_argv_truncated(command_line.truncated);
    exec.set_former_tid(former_tid);
    exec.set_setuid_ignored(setuid_ignored);
    event_.mutable_exec()->Swap(&exec);
    sink_.event(event_);
}

void Engine::on_exit(Tracee& tracee, StoppedTracee stopped) {
    if (const auto status = stopped.event_message(); status && started_) {
        calls_.abandon(tracee, model::Syscall::DIED, stopped.stamp_ns());
        end_job_stop(tracee, stopped.stamp_ns());
        if (last_of_its_table(tracee)) calls_.end_table(tracee, stopped.stamp_ns());
        model::ThreadDeath death;
        death.set_time_ns(stopped.stamp_ns());
        death.set_status(static_cast<int>(*status));
        death.set_cause(WIFSIGNALED(static_cast<int>(*status)) ? model::ThreadDeath::KILLED
                                                               : model::ThreadDeath::EXITED);
        read_schedule(tracee.pid, tracee.tid, death);
        tell_death(tracee, death);
    }
    death_seen_ = true;
    std::move(stopped).resume();
}

void Engine::on_death(const DeadTracee& dead) {
    death_seen_ = true;
    Tracee* tracee = tracees_.find(dead.tid);
    if (!tracee) {
        if (unclaimed_.erase(dead.tid)) stillborn_.insert(dead.tid);
        return;
    }
    if (started_) {
        calls_.abandon(*tracee, model::Syscall::DIED, dead.stamp_ns);
        end_job_stop(*tracee, dead.stamp_ns);
        model::ThreadDeath death;
        death.set_time_ns(dead.stamp_ns);
        death.set_status(dead.status);
        death.set_cause(WIFSIGNALED(dead.status) ? model::ThreadDeath::KILLED : model::ThreadDeath::EXITED);
        tell_death(*tracee, death);
        if (tracee->tid == tracee->pid) {
            auto& exit = *event_.mutable_process_exit();
            exit.Clear();
            exit.set_process(index(tracee->process));
            exit.set_time_ns(dead.stamp_ns);
            exit.set_status(dead.status);
            sink_.event(event_);
        }
    }
    if (dead.tid == root_) {
        root_status_ = dead.status;
        end_ns_ = dead.stamp_ns;
        relay_.forward_to(0);
    }
    if (tracee->tid == tracee->pid) processes_.erase(tracee->pid);
    tracees_.erase(dead.tid);
}

void Engine::tell_birth(const Tracee& tracee, model::ThreadBirth& birth) {
    birth.set_thread(index(tracee.thread));
    birth.set_process(index(tracee.process));
    birth.set_tid(tracee.tid);
    birth.set_pid(tracee.pid);
    birth.set_name(tracee.name);
    event_.mutable_birth()->Swap(&birth);
    sink_.event(event_);
    processes_.insert(tracee.pid);
}

void Engine::tell_death(Tracee& tracee, model::ThreadDeath& death) {
    if (tracee.death_told) return;
    tracee.death_told = true;
    if (death.has_schedule()) {  // of an attached thread: since then
        const model::ThreadDeath& before = tracee.before;
        death.set_run_ns(death.run_ns() - before.run_ns());
        death.set_queued_ns(death.queued_ns() - before.queued_ns());
        death.set_minor_faults(death.minor_faults() - std::min(death.minor_faults(), before.minor_faults()));
        death.set_major_faults(death.major_faults() - std::min(death.major_faults(), before.major_faults()));
    }
    death.set_thread(index(tracee.thread));
    event_.mutable_death()->Swap(&death);
    sink_.event(event_);
}

}  // namespace slowtrace::record
