// One traced thread: who it is, the call it is in, and the calls a signal interrupted.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "record/arch/architecture.hpp"
#include "record/descriptor_watch.hpp"
#include "record/ptrace.hpp"
#include "slowtrace/ids.hpp"
#include "slowtrace/syscalls.hpp"

namespace slowtrace::record {

// A call between its entry and its end: also what is left of it while a signal handler runs.
struct OpenCall {
    model::Syscall call;
    const model::SyscallRow* row = nullptr;
    const Architecture* architecture = nullptr;
    std::uint64_t instruction_pointer = 0, stack_pointer = 0;
    std::int64_t piece_entry_ns = 0;  // of the stretch in progress; call.entry_ns is the first one's
    std::int64_t piece_exit_ns = 0;   // the exit stamp of the last finished stretch
    int restart_code = 0;             // ERESTARTSYS and its kin, as the kernel returned it
    bool handler_ran = false;         // the thread made other calls since: a signal handler's
    bool restarts = false;            // the handler has returned onto the instruction, which will run again
};

// An attached thread that is not stopped, because its call would not come through it unchanged.
struct Unstopped {
    SyscallStop call;
    std::int64_t seen_ns = 0;      // when it was last seen in that call
    std::int64_t on_cpu_ns = 0;    // its time on a CPU then: a thread that has run since has left the call
    std::uint64_t user_ticks = 0;  // of that, when it was first seen in the call: its program's own
};

struct Tracee {
    pid_t tid = 0, pid = 0;
    ThreadId thread{};
    ProcessId process{};
    std::string name;
    std::shared_ptr<DescriptorWatch> descriptors;
    bool in_call = false;
    OpenCall open;
    std::vector<OpenCall> interrupted;  // innermost last
    std::optional<std::int64_t> stopped_since_ns;
    int stopped_by = 0;
    std::uint64_t alternate_stack = 0, alternate_stack_bytes = 0;  // sigaltstack(2)
    // --live: the call last told (by its entry), and the age at which to tell it again.
    std::int64_t told_entry_ns = 0, tell_at_age_ns = 0;
    bool death_told = false;
    bool let_go = false;  // it will stop at no call any more
    // Attached: until its first stop has told what became of the call it was found in.
    bool unsettled = false;
    std::optional<SyscallStop> found;
    model::ThreadDeath before;  // its counters when it was attached to
    std::optional<Unstopped> unstopped;
};

// All tracees by tid. Dense ids are given here.
class TraceeTable {
   public:
    Tracee* find(pid_t tid) {
        if (last_ && last_->tid == tid) return last_;
        const auto found = tracees_.find(tid);
        return last_ = found == tracees_.end() ? nullptr : found->second.get();
    }
    Tracee& add(pid_t tid, pid_t pid) {
        auto tracee = std::make_unique<Tracee>();
        tracee->tid = tid;
        tracee->pid = pid;
        tracee->thread = ThreadId{next_thread_++};
        last_ = nullptr;
        return *(tracees_[tid] = std::move(tracee));
    }
    void erase(pid_t tid) {
        last_ = nullptr;
        tracees_.erase(tid);
    }
    // After exec from a thread that was not the leader: it is the leader now.
    void rename(pid_t from, pid_t to) {
        last_ = nullptr;
        auto node = tracees_.extract(from);
        tracees_.erase(to);
        if (node.empty()) return;
        node.key() = to;
        node.mapped()->tid = to;
        tracees_.insert(std::move(node));
    }
    ProcessId new_process() { return ProcessId{next_process_++}; }
    std::size_t size() const { return tracees_.size(); }
    auto begin() { return tracees_.begin(); }
    auto end() { return tracees_.end(); }

   private:
    std::unordered_map<pid_t, std::unique_ptr<Tracee>> tracees_;
    Tracee* last_ = nullptr;  // the same thread stops again and again
    std::uint32_t next_thread_ = 0, next_process_ = 0;
};

}  // namespace slowtrace::record
