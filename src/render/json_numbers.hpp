// Which pid and tid each process and thread has in the exported file: its own, unless another life had it.
//
// Importers merge everything with one pid, so the second life of a reused number gets a synthetic one, as does a
// number no kernel gives (zero, negative, beyond PID_MAX_LIMIT). Many processes cost viewers more than many events,
// so beyond `most_lanes` a new process takes the lane of one that has ended: its pid and its tids. What it then
// shares is named as shared, and each process there is a slice of its own around its calls.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
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
    static constexpr std::size_t most_lanes = 1000;

    explicit JsonNumbers(JsonTimeline& timeline) : timeline_(timeline), used_(kernel_pid_limit) {}

    // Processes and threads must live as long as this.
    std::uint32_t started(const resolve::Process& process);
    void ended(const resolve::Process& process);
    std::uint32_t pid(const resolve::Process& process) { return started(process); }
    // Its process was told before.
    JsonTrack track(const resolve::Thread& thread);
    void ended(const resolve::Thread& thread);
    // After the last event: names everything.
    void finish();

   private:
    struct ThreadName {
        std::uint32_t tid = 0;
        std::string name;
        std::uint32_t sort_index = 0;
    };
    struct Lane {
        std::uint32_t pid = 0;
        const resolve::Process* holder = nullptr;  // the last one
        bool shared = false;
        bool main_taken = false;
        std::vector<ThreadName> threads;
        std::vector<std::uint32_t> spare_tids;  // of ended holders
    };
    std::size_t take_lane(const resolve::Process& process);
    void tell_life(const Lane& lane);
    std::uint32_t claim(int wanted);

    JsonTimeline& timeline_;
    std::vector<bool> used_;
    std::uint32_t next_synthetic_ = first_synthetic_pid;
    std::vector<Lane> lanes_;
    std::deque<std::size_t> free_lanes_;                        // longest free first
    std::unordered_map<std::uint32_t, std::size_t> processes_;  // lanes by ProcessId
    std::unordered_map<std::uint32_t, JsonTrack> threads_;      // by ThreadId
    JsonBody body_;
};

}  // namespace slowtrace::render
