// Who last used each end of a pipe, and which process has which pid now.
#include "analyze/run_causes.hpp"

#include <cerrno>
#include <csignal>

namespace slowtrace::analyze {

void RunCauses::process_started(const resolve::Process& process) {
    alive_[process.pid] = process.id;
    processes_[index(process.id)] = &process;
}

void RunCauses::process_ended(const resolve::Process& process) {
    if (const auto known = alive_.find(process.pid); known != alive_.end() && known->second == process.id)
        alive_.erase(known);
    // SIGCHLD is delivered after the death it tells of; pids are reused, so the last of each is enough.
    ended_[process.pid] = process.id;
}

// Ends of pipes long gone are only forgotten all at once; what is lost is a name in a report.
void RunCauses::used(std::uint64_t file, const resolve::ResolvedCall& call) {
    const bool moves_data = call.row.returns == model::Returns::bytes;
    if (!moves_data && !call.row.name.starts_with("dup")) return;
    constexpr std::size_t limit = 100'000;
    if (last_users_.size() >= limit) last_users_.clear();
    const auto [known, is_new] = last_users_.try_emplace(file, PipeUser{call.process.id, moves_data});
    if (is_new || (known->second.moved_data && !moves_data)) return;
    known->second = {call.process.id, moves_data};
}

void RunCauses::add_pipe_peer(const resolve::ResolvedCall& call, Cause& cause) const {
    const auto try_one = [&](const resolve::ResolvedDescriptor& descriptor) {
        if (!descriptor.file || !descriptor.file->pair || descriptor.file->path != cause.subject) return;
        const auto user = last_users_.find(*descriptor.file->pair);
        if (user == last_users_.end()) return;
        cause.process = user->second.process;
        cause.subject.clear();
    };
    for (const auto& descriptor : call.descriptors)
        if (!cause.process) try_one(descriptor);
    for (const auto& descriptor : call.watched)
        if (!cause.process) try_one(descriptor);
}

void RunCauses::signal(const resolve::Thread& thread, const model::Signal& signal) {
    if (signal.number() == SIGCHLD) child_ends_[index(thread.id)] = {signal.time_ns(), signal.sender_pid()};
}

// A wait that a child's end interrupted was a wait for that child: the signal is recorded right behind the call.
bool RunCauses::follow_child_end(const resolve::ResolvedCall& call, Cause& cause) const {
    if (call.call.result() != -EINTR) return false;
    const auto end = child_ends_.find(index(call.thread.id));
    if (end == child_ends_.end() || end->second.time_ns < call.call.exit_ns()) return false;
    const auto child = alive_.find(end->second.pid);
    cause = {CauseKind::child, {}, 0, {}, false};
    if (child != alive_.end())
        cause.process = child->second;
    else if (const auto ended = ended_.find(end->second.pid); ended != ended_.end())
        cause.process = ended->second;
    return true;
}

// A pipe whose other end nobody else uses is a program's own alarm clock: it waits for whatever would ring it.
void RunCauses::settle_own_pipe(const resolve::ResolvedCall& call, Cause& cause) const {
    if (cause.process && *cause.process != call.process.id) return;
    if (call.watched.empty()) return;
    if (cause.timed_out)
        cause = {CauseKind::sleep, {}, 0, {}, false};
    else if (cause.process)
        cause = {CauseKind::idle, {}, 0, {}, false};
}

Cause RunCauses::cause_of(const resolve::ResolvedCall& call) const {
    Cause cause = analyze::cause_of(call);
    if (cause.kind == CauseKind::pipe) add_pipe_peer(call, cause);
    const bool may_be_for_child = cause.kind == CauseKind::signal || cause.kind == CauseKind::pipe ||
                                  cause.kind == CauseKind::idle || cause.kind == CauseKind::sleep;
    if (may_be_for_child && follow_child_end(call, cause)) return cause;
    if (cause.kind == CauseKind::pipe) settle_own_pipe(call, cause);
    if (cause.kind == CauseKind::idle && cause.timed_out) cause = {CauseKind::sleep, {}, 0, {}, false};
    if (cause.kind == CauseKind::child && !cause.process && cause.subject.starts_with("pid ")) {
        const auto known = alive_.find(std::atoi(cause.subject.c_str() + 4));
        if (known != alive_.end()) {
            cause.process = known->second;
            cause.subject.clear();
        }
    }
    return cause;
}

std::string RunCauses::subject(const Cause& cause) const {
    if (!cause.subject.empty() || !cause.process) return cause.subject;
    const auto known = processes_.find(index(*cause.process));
    const std::string name = known == processes_.end() ? "an unknown process" : known->second->name();
    return cause.kind == CauseKind::pipe ? "a pipe with " + name : name;
}

}  // namespace slowtrace::analyze
