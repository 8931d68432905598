// Distinct pids and tids for distinct lives, shared lanes where there are too many.
#include "render/json_numbers.hpp"

#include <algorithm>

namespace slowtrace::render {
namespace {

// Viewers keep sort indices in 32 bits; the connections come after every process.
std::uint32_t sort_index(std::uint32_t id) {
    return std::min(id, std::uint32_t{999'999'999});
}

}  // namespace

std::uint32_t JsonNumbers::claim(int wanted) {
    if (wanted <= 0 || static_cast<std::uint32_t>(wanted) >= kernel_pid_limit) return next_synthetic_++;
    if (used_[static_cast<std::size_t>(wanted)]) return next_synthetic_++;
    used_[static_cast<std::size_t>(wanted)] = true;
    return static_cast<std::uint32_t>(wanted);
}

std::size_t JsonNumbers::take_lane(const resolve::Process& process) {
    if (lanes_.size() < most_lanes || free_lanes_.empty()) {
        Lane& lane = lanes_.emplace_back();
        lane.pid = claim(process.pid);
        lane.holder = &process;
        return lanes_.size() - 1;
    }
    const std::size_t number = free_lanes_.front();
    free_lanes_.pop_front();
    Lane& lane = lanes_[number];
    tell_life(lane);
    lane.holder = &process;
    lane.shared = true;
    lane.main_taken = false;
    lane.spare_tids.clear();
    for (const ThreadName& thread : lane.threads)
        if (thread.tid != lane.pid) lane.spare_tids.push_back(thread.tid);
    return number;
}

std::uint32_t JsonNumbers::started(const resolve::Process& process) {
    const auto found = processes_.find(index(process.id));
    if (found != processes_.end()) return lanes_[found->second].pid;
    const std::size_t lane = take_lane(process);
    processes_.emplace(index(process.id), lane);
    return lanes_[lane].pid;
}

void JsonNumbers::ended(const resolve::Process& process) {
    started(process);
    free_lanes_.push_back(processes_.at(index(process.id)));
}

JsonTrack JsonNumbers::track(const resolve::Thread& thread) {
    const auto [found, fresh] = threads_.try_emplace(index(thread.id));
    if (!fresh) return found->second;
    Lane& lane = lanes_.at(processes_.at(index(thread.process)));
    JsonTrack track{lane.pid, lane.pid};
    // Viewers know the main thread by tid = pid. After an exec by another thread two threads had that tid.
    if (!thread.main || lane.main_taken) {
        track.tid = lane.spare_tids.empty() ? claim(thread.tid) : lane.spare_tids.back();
        if (!lane.spare_tids.empty()) lane.spare_tids.pop_back();
    } else {
        lane.main_taken = true;
    }
    return found->second = track;
}

void JsonNumbers::ended(const resolve::Thread& thread) {
    const JsonTrack own = track(thread);
    std::vector<ThreadName>& names = lanes_.at(processes_.at(index(thread.process))).threads;
    const bool named =
        std::any_of(names.begin(), names.end(), [&](const ThreadName& one) { return one.tid == own.tid; });
    if (!named) names.push_back({own.tid, thread.name, sort_index(index(thread.id))});
}

// A process of a shared lane, around its calls.
void JsonNumbers::tell_life(const Lane& lane) {
    const resolve::Process& process = *lane.holder;
    std::string command;
    for (const std::string& argument : process.arguments) command += (command.empty() ? "" : " ") + argument;
    JsonObject arguments = JsonTimeline::begin(body_, process.name(), "life");
    arguments.text("detail", command);
    arguments.integer("pid", process.pid);
    arguments.close();
    timeline_.slice({lane.pid, lane.pid}, process.birth_ns, process.death_ns.value_or(process.birth_ns), body_);
}

void JsonNumbers::finish() {
    for (const Lane& lane : lanes_) {
        std::string name = lane.shared ? "short processes, one after another" : lane.holder->name();
        // Importers merge lives with one pid; a life that had to take another number says which it had.
        if (!lane.shared && lane.pid != static_cast<std::uint32_t>(lane.holder->pid))
            name += " (pid " + std::to_string(lane.holder->pid) + " again)";
        timeline_.process_name(lane.pid, name, sort_index(index(lane.holder->id)));
        for (const ThreadName& thread : lane.threads)
            timeline_.thread_name({lane.pid, thread.tid}, lane.shared ? "one after another" : thread.name,
                                  thread.sort_index);
        if (lane.shared) tell_life(lane);
    }
}

}  // namespace slowtrace::render
