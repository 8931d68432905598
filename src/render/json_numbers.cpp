// Distinct pids and tids for distinct lives.
#include "render/json_numbers.hpp"

namespace slowtrace::render {

std::uint32_t JsonNumbers::claim(int wanted) {
    if (wanted <= 0 || static_cast<std::uint32_t>(wanted) >= kernel_pid_limit) return next_synthetic_++;
    if (used_[static_cast<std::size_t>(wanted)]) return next_synthetic_++;
    used_[static_cast<std::size_t>(wanted)] = true;
    return static_cast<std::uint32_t>(wanted);
}

JsonNumbers::ProcessNumber& JsonNumbers::number(ProcessId process, int wanted) {
    const auto [found, fresh] = processes_.try_emplace(index(process));
    if (fresh) found->second.pid = claim(wanted);
    return found->second;
}

std::uint32_t JsonNumbers::pid(const resolve::Process& process) {
    return number(process.id, process.pid).pid;
}

JsonTrack JsonNumbers::track(const resolve::Thread& thread) {
    const auto [found, fresh] = threads_.try_emplace(index(thread.id));
    if (!fresh) return found->second;
    ProcessNumber& owner = number(thread.process, thread.tid);
    // Viewers know the main thread by tid = pid. After an exec by another thread two threads had that tid.
    const bool main = thread.main && !owner.main_taken;
    owner.main_taken = owner.main_taken || main;
    return found->second = {owner.pid, main ? owner.pid : claim(thread.tid)};
}

}  // namespace slowtrace::render
