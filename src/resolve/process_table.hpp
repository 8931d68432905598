// Processes and threads by dense id and by pid: births, deaths, who is whose child.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "resolve/file_table.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

struct ThreadState;

struct ProcessState {
    Process process;
    ProcessState* parent = nullptr;
    std::vector<ThreadState*> threads;         // alive
    std::vector<ProcessState*> dead_children;  // not yet waited for
    std::int64_t last_death_ns = 0;            // of its threads
    bool exit_told = false;
    bool ended = false;
};

struct ThreadState {
    Thread thread;
    ProcessState* process = nullptr;
    std::shared_ptr<FileTable> files;  // null once dead
    ProcessState* last_child = nullptr;
    bool ended = false;
};

class ProcessTable {
   public:
    // nullptr for an id that was never announced: traces may be hostile.
    ThreadState* find_thread(std::uint32_t id);
    ProcessState* find_process(std::uint32_t id);

    struct Born {
        ThreadState* thread = nullptr;  // nullptr: this thread had been announced before
        ThreadState* creator = nullptr;
        bool new_process = false;
    };
    // Everything but the file table.
    Born add(const model::ThreadBirth& birth);

    // Of the processes that had this pid by `time_ns`, the latest child of `parent`, else the latest.
    ProcessState* by_pid(int pid, std::int64_t time_ns, const ProcessState& parent);
    // The process that had this pid then, where it was traced.
    const ProcessState* alive(int pid, std::int64_t time_ns) const;
    // A thread of the latest process with this pid that still has a file table.
    ThreadState* alive_in(int pid);

    // In order of appearance.
    const std::vector<ThreadState*>& threads() const { return thread_order_; }
    const std::vector<ProcessState*>& processes() const { return process_order_; }

   private:
    ProcessState& add_process(const model::ThreadBirth& birth, ThreadState* creator);

    std::unordered_map<std::uint32_t, std::unique_ptr<ThreadState>> threads_;
    std::unordered_map<std::uint32_t, std::unique_ptr<ProcessState>> processes_;
    std::unordered_map<int, std::vector<ProcessState*>> by_pid_;
    std::vector<ThreadState*> thread_order_;
    std::vector<ProcessState*> process_order_;
    ThreadState* last_found_ = nullptr;
};

}  // namespace slowtrace::resolve
