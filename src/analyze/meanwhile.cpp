// Lays each long wait over the lives of the process' other threads.
#include "analyze/meanwhile.hpp"

namespace slowtrace::analyze {

namespace {

constexpr std::size_t lines_kept = 3;

// Says nothing about what is going on.
bool waits_for_others(CauseKind kind) {
    return kind == CauseKind::lock || kind == CauseKind::idle;
}

}  // namespace

void Meanwhile::saw(const Tile& tile, const TileOwner& owner) {
    if (!owner.process || owner.process->threads.size() < 2) return;
    const CauseTable::Entry& waited = causes_[tile.cause];
    if (tile.ns < shortest_ns_ || !tile.whole() || !waits_for_others(waited.cause.kind)) return;
    const auto key = std::pair(waited.cause.kind, about_(waited).subject);
    CauseLines& lines = lines_.try_emplace(key, causes_, about_).first->second;
    for (const ThreadTiling* other : owner.process->threads) {
        if (other == owner.thread) continue;
        other->visit(tile.from_ns, tile.to_ns, [&](const Tile& one) {
            if (!waits_for_others(causes_[one.cause].cause.kind)) lines.add(one);
        });
    }
}

void Meanwhile::tell(CauseSection& section) {
    for (CauseLine& line : section.lines) {
        const auto known = lines_.find({line.kind, line.subject});
        if (known == lines_.end()) continue;
        line.meanwhile = known->second.section().lines;
        if (line.meanwhile.size() > lines_kept) line.meanwhile.resize(lines_kept);
    }
}

}  // namespace slowtrace::analyze
