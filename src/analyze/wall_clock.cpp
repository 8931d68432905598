// Descends from the root through waits for children.
#include "analyze/wall_clock.hpp"

#include <algorithm>

namespace slowtrace::analyze {
namespace {

constexpr int depth_limit = 256;  // deeper process trees keep "waiting for child"

void give(const WallVisitor& visitor, std::int64_t from_ns, std::int64_t to_ns, CauseId cause, std::uint64_t waits) {
    if (from_ns < to_ns) visitor({from_ns, to_ns, to_ns - from_ns, cause, waits, 0}, {});
}

}  // namespace

// The processes between the root and here: a trace that makes a process its own ancestor ends here.
struct WallClock::Path {
    const Path* above;
    ProcessId process;
    int depth;
    const WallVisitor& visitor;

    bool contains(ProcessId id) const { return process == id || (above && above->contains(id)); }
};

const ProcessLife* WallClock::life(ProcessId id) const {
    const auto found = processes_.find(id);
    return found == processes_.end() ? nullptr : &found->second;
}

void WallClock::visit(ProcessId root, std::int64_t from_ns, std::int64_t to_ns, OutsideCauses outside,
                      const WallVisitor& visitor) const {
    of_process(Path{nullptr, root, 0, visitor}, from_ns, to_ns, outside);
}

void WallClock::of_thread(const Path& path, const ThreadTiling& thread, std::int64_t from_ns,
                          std::int64_t to_ns) const {
    thread.visit(from_ns, to_ns, [&](const Tile& tile) {
        const Cause& cause = causes_[tile.cause].cause;
        const bool for_process = cause.kind == CauseKind::child || (cause.kind == CauseKind::pipe && cause.process);
        if (for_process && tile.whole() && path.depth < depth_limit)
            of_process_wait(path, tile);
        else
            path.visitor(tile, {life(path.process), &thread});
    });
}

void WallClock::of_process(const Path& path, std::int64_t from_ns, std::int64_t to_ns, OutsideCauses outside) const {
    CauseId elsewhere = outside.before;
    std::int64_t now = from_ns;
    const ProcessLife* process = life(path.process);
    for (const ThreadTiling* thread : process ? process->threads : std::vector<const ThreadTiling*>()) {
        if (thread->birth_ns() >= to_ns) break;
        if (thread->end_ns() <= now) {
            elsewhere = outside.after;
            continue;
        }
        give(path.visitor, now, thread->birth_ns(), elsewhere, 1);
        now = std::max(now, thread->birth_ns());
        const std::int64_t until = std::min(to_ns, thread->end_ns());
        of_thread(path, *thread, now, until);
        elsewhere = outside.after;
        now = until;
    }
    give(path.visitor, now, to_ns, elsewhere, 1);
}

void WallClock::of_process_wait(const Path& path, const Tile& tile) const {
    const auto descend = [&](ProcessId child, std::int64_t from_ns, std::int64_t to_ns) {
        of_process(Path{&path, child, path.depth + 1, path.visitor}, from_ns, to_ns, {tile.cause, tile.cause});
    };
    const Cause& cause = causes_[tile.cause].cause;
    if (cause.process) {
        if (life(*cause.process) && !path.contains(*cause.process))
            return descend(*cause.process, tile.from_ns, tile.to_ns);
        return path.visitor(tile, {});
    }
    // Children are sorted by birth, so the first that is not dead yet is the oldest alive.
    std::int64_t now = tile.from_ns;
    for (ProcessId child : life(path.process)->children) {
        const ProcessLife* process = life(child);
        if (!process || process->death_ns <= now || path.contains(child)) continue;
        if (process->birth_ns >= tile.to_ns) break;
        give(path.visitor, now, process->birth_ns, tile.cause, 1);
        now = std::max(now, process->birth_ns);
        const std::int64_t until = std::min(tile.to_ns, process->death_ns);
        descend(child, now, until);
        now = until;
        if (now == tile.to_ns) return;
    }
    give(path.visitor, now, tile.to_ns, tile.cause, tile.waits);
}

}  // namespace slowtrace::analyze
