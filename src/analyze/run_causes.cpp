// Who last used each end of a pipe, and which process has which pid now.
#include "analyze/run_causes.hpp"

namespace slowtrace::analyze {

void RunCauses::process_started(const resolve::Process& process) {
    alive_[process.pid] = process.id;
    processes_[index(process.id)] = &process;
}

void RunCauses::process_ended(const resolve::Process& process) {
    if (const auto known = alive_.find(process.pid); known != alive_.end() && known->second == process.id)
        alive_.erase(known);
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

Cause RunCauses::cause_of(const resolve::ResolvedCall& call) const {
    Cause cause = analyze::cause_of(call);
    if (cause.kind == CauseKind::pipe) add_pipe_peer(call, cause);
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
