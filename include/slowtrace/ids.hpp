// Dense ids of threads and processes: given in order of appearance, never reused within a run.
#pragma once

#include <cstdint>

namespace slowtrace {

enum class ThreadId : std::uint32_t {};
enum class ProcessId : std::uint32_t {};

constexpr std::uint32_t index(ThreadId id) {
    return static_cast<std::uint32_t>(id);
}
constexpr std::uint32_t index(ProcessId id) {
    return static_cast<std::uint32_t>(id);
}

}  // namespace slowtrace
