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

JsonNumbers::ThreadNumber& JsonNumbers::number(const resolve::Thread& thread) {
    const auto [found, fresh] = threads_.try_emplace(index(thread.id));
    if (!fresh) return found->second;
    ProcessNumber& owner = number(thread.process, thread.tid);
    // Viewers know the main thread by tid = pid. After an exec by another thread two threads had that tid.
    const bool main = thread.main && !owner.main_taken;
    owner.main_taken = owner.main_taken || main;
    found->second.track = {owner.pid, main ? owner.pid : claim(thread.tid)};
    return found->second;
}

std::int64_t JsonNumbers::beginning(const resolve::Thread& thread, std::int64_t from_ns, std::int64_t to_ns) {
    std::int64_t& last_end_ns = number(thread).last_end_ns;
    const bool touches = from_ns == last_end_ns && to_ns > from_ns;
    last_end_ns = to_ns;
    return touches ? from_ns + 1 : from_ns;
}

}  // namespace slowtrace::render
