// What the run's wall clock went into: the root's main thread, and where it waited for a child, the child's.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "analyze/cause_table.hpp"
#include "analyze/thread_tiling.hpp"

namespace slowtrace::analyze {

// A process as the wall clock sees it.
struct ProcessLife {
    // The first is the main thread's; should it end early (a zombie leader, another thread's exec), the oldest
    // thread left stands for the process.
    std::vector<const ThreadTiling*> threads;  // by birth
    std::int64_t birth_ns = 0, death_ns = 0;
    std::vector<ProcessId> children;  // by birth
};

// Where no thread of the root lived, the wall clock went into one of these.
struct OutsideCauses {
    CauseId before = computing_cause, after = computing_cause;
};

// Whose life a tile of the wall clock is part of; nobody's where none of the root's threads lived.
struct TileOwner {
    const ProcessLife* process = nullptr;
    const ThreadTiling* thread = nullptr;
};
using WallVisitor = std::function<void(const Tile&, const TileOwner&)>;

class WallClock {
   public:
    WallClock(const std::map<ProcessId, ProcessLife>& processes, const CauseTable& causes)
        : processes_(processes), causes_(causes) {}

    // The tiles of [from, to) in order; their ns sum to its length. A wait for a child, or on a pipe whose other
    // end another process has, is replaced by what that process was doing meanwhile (where a wait for children did
    // not say which: the oldest child alive at each moment). Processes that wait for each other end the descent.
    void visit(ProcessId root, std::int64_t from_ns, std::int64_t to_ns, OutsideCauses outside,
               const WallVisitor& visitor) const;

   private:
    struct Path;
    void of_process(const Path& path, std::int64_t from_ns, std::int64_t to_ns, OutsideCauses outside) const;
    void of_thread(const Path& path, const ThreadTiling& thread, std::int64_t from_ns, std::int64_t to_ns) const;
    void of_process_wait(const Path& path, const Tile& tile) const;
    const ProcessLife* life(ProcessId id) const;

    const std::map<ProcessId, ProcessLife>& processes_;
    const CauseTable& causes_;
};

}  // namespace slowtrace::analyze
