// Which pid and tid each process and thread has in the exported file: its own, unless another life had it.
//
// Importers merge everything with one pid, so the second life of a reused number gets a synthetic one, as does a
// number no kernel gives (zero, negative, beyond PID_MAX_LIMIT).
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "render/json_timeline.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::render {

// The kernel gives pids below 2^22 (proc(5), /proc/sys/kernel/pid_max).
inline constexpr std::uint32_t kernel_pid_limit = 1 << 22;
inline constexpr std::uint32_t first_synthetic_pid = 5'000'000;
// Numbers of connection tracks; far above what synthetic pids reach, below 2^31.
inline constexpr std::uint32_t first_connection_number = 1'500'000'000;

class JsonNumbers {
   public:
    JsonNumbers() : used_(kernel_pid_limit) {}

    std::uint32_t pid(const resolve::Process& process);
    // Its process was told before.
    JsonTrack track(const resolve::Thread& thread);

   private:
    struct ProcessNumber {
        std::uint32_t pid = 0;
        bool main_taken = false;
    };
    ProcessNumber& number(ProcessId process, int wanted);
    std::uint32_t claim(int wanted);

    std::vector<bool> used_;
    std::uint32_t next_synthetic_ = first_synthetic_pid;
    std::unordered_map<std::uint32_t, ProcessNumber> processes_;  // by ProcessId
    std::unordered_map<std::uint32_t, JsonTrack> threads_;        // by ThreadId
};

}  // namespace slowtrace::render
