// Processes and threads by dense id and by pid: births, deaths, who is whose child.
#include "resolve/process_table.hpp"

#include <sched.h>

namespace slowtrace::resolve {

ThreadState* ProcessTable::find_thread(std::uint32_t id) {
    if (last_found_ != nullptr && index(last_found_->thread.id) == id) return last_found_;
    auto found = threads_.find(id);
    if (found == threads_.end()) return nullptr;
    return last_found_ = found->second.get();
}

ProcessState* ProcessTable::find_process(std::uint32_t id) {
    auto found = processes_.find(id);
    return found == processes_.end() ? nullptr : found->second.get();
}

ProcessTable::Born ProcessTable::add(const model::ThreadBirth& birth) {
    Born born;
    if (find_thread(birth.thread()) != nullptr) return born;
    if (birth.has_parent()) born.creator = find_thread(birth.parent_thread());
    ProcessState* process = find_process(birth.process());
    born.new_process = process == nullptr;
    if (process == nullptr) process = &add_process(birth, born.creator);

    auto thread = std::make_unique<ThreadState>();
    thread->process = process;
    thread->thread = {.id = ThreadId{birth.thread()},
                      .tid = birth.tid(),
                      .process = process->process.id,
                      .main = born.new_process,
                      .creator = {},
                      .name = birth.name(),
                      .birth_ns = birth.time_ns(),
                      .death_ns = {},
                      .run_ns = {},
                      .queued_ns = {}};
    if (born.creator != nullptr) {
        thread->thread.creator = born.creator->thread.id;
        if (thread->thread.name.empty()) thread->thread.name = born.creator->thread.name;
        if (born.new_process) born.creator->last_child = process;
    }
    born.thread = thread.get();
    process->threads.push_back(born.thread);
    thread_order_.push_back(born.thread);
    threads_.emplace(birth.thread(), std::move(thread));
    return born;
}

ProcessState& ProcessTable::add_process(const model::ThreadBirth& birth, ThreadState* creator) {
    auto owned = std::make_unique<ProcessState>();
    ProcessState& state = *owned;
    state.process.id = ProcessId{birth.process()};
    state.process.pid = birth.pid();
    state.process.birth_ns = birth.time_ns();
    if (creator != nullptr) {
        bool sibling = (birth.clone_flags() & CLONE_PARENT) != 0 && creator->process->parent != nullptr;
        state.parent = sibling ? creator->process->parent : creator->process;
        state.process.parent = state.parent->process.id;
        state.process.executable = creator->process->process.executable;
        state.process.arguments = creator->process->process.arguments;
    }
    by_pid_[birth.pid()].push_back(&state);
    process_order_.push_back(&state);
    processes_.emplace(birth.process(), std::move(owned));
    return state;
}

ProcessState* ProcessTable::by_pid(int pid, std::int64_t time_ns, const ProcessState& parent) {
    auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) return nullptr;
    ProcessState* latest = nullptr;
    for (auto one = found->second.rbegin(); one != found->second.rend(); ++one) {
        if ((*one)->process.birth_ns > time_ns) continue;
        if ((*one)->parent == &parent) return *one;
        if (latest == nullptr) latest = *one;
    }
    return latest;
}

const ProcessState* ProcessTable::alive(int pid, std::int64_t time_ns) const {
    auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) return nullptr;
    for (auto one = found->second.rbegin(); one != found->second.rend(); ++one)
        if ((*one)->process.birth_ns <= time_ns)
            return (*one)->process.death_ns.value_or(time_ns) >= time_ns ? *one : nullptr;
    return nullptr;
}

ThreadState* ProcessTable::alive_in(int pid) {
    auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) return nullptr;
    for (ThreadState* thread : found->second.back()->threads)
        if (thread->files != nullptr) return thread;
    return nullptr;
}

}  // namespace slowtrace::resolve
