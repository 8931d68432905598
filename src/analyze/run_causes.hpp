// The cause of a call with what the run so far adds to it: the process at a pipe's other end, the process a
// pidfd stands for. The report counts these causes, the timeline shows them.
#pragma once

#include <string>
#include <unordered_map>

#include "slowtrace/causes.hpp"

namespace slowtrace::analyze {

class RunCauses {
   public:
    void process_started(const resolve::Process& process);
    void process_ended(const resolve::Process& process);
    // To be told of every call, in order.
    void seen(const resolve::ResolvedCall& call) {
        const resolve::ResolvedDescriptor* subject = call.subject();
        if (subject && subject->file && subject->file->pair) used(subject->file->id, call);
    }
    void signal(const resolve::Thread& thread, const model::Signal& signal);
    Cause cause_of(const resolve::ResolvedCall& call) const;
    // What to say a cause is about: its subject, or the name of the process it waited for.
    std::string subject(const Cause& cause) const;

   private:
    // Whoever moved data through it; until someone has, who made it a standard descriptor of its own.
    struct PipeUser {
        ProcessId process;
        bool moved_data;
    };
    // A child's end that interrupted a thread, as SIGCHLD told it.
    struct ChildEnd {
        std::int64_t time_ns;
        int pid;
    };
    bool follow_child_end(const resolve::ResolvedCall& call, Cause& cause) const;
    void settle_own_pipe(const resolve::ResolvedCall& call, Cause& cause) const;
    void used(std::uint64_t file, const resolve::ResolvedCall& call);
    void add_pipe_peer(const resolve::ResolvedCall& call, Cause& cause) const;

    std::unordered_map<int, ProcessId> alive_;                // by pid
    std::unordered_map<int, ProcessId> ended_;                // the last of each pid
    std::unordered_map<std::uint64_t, PipeUser> last_users_;  // of pipe ends, by OpenFile::id
    std::unordered_map<std::uint32_t, ChildEnd> child_ends_;  // the last of each thread
    // Processes live as long as the Resolver, their names change at exec.
    std::unordered_map<std::uint32_t, const resolve::Process*> processes_;
};

}  // namespace slowtrace::analyze
