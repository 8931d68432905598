// One thread's life as tiles without gap or overlap: waits as they are told, computing in between.
//
// Computing is never stored: it is what no wait covers, so the tiles sum to the lifetime by construction.
// Memory is bounded: past `merge_limit` stored waits the oldest half is merged, 64 neighbours into one
// stretch that still knows how long each cause lasted in it, no longer where.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace slowtrace::analyze {

using CauseId = std::uint32_t;  // an index into a CauseTable
inline constexpr CauseId computing_cause = 0;

struct Tile {
    std::int64_t from_ns = 0, to_ns = 0;
    std::int64_t ns = 0;  // how much of [from, to): all of it, except in a merged stretch
    CauseId cause = computing_cause;
    std::uint64_t waits = 0;  // how many waits this is; 0 continues one, or is computing
    std::uint64_t wait = 0;   // which wait of this thread: the same in all of its pieces
    bool whole() const { return ns == to_ns - from_ns; }
};
using TileVisitor = std::function<void(const Tile&)>;

class ThreadTiling {
   public:
    static constexpr std::size_t merge_limit = 65'536;

    explicit ThreadTiling(std::int64_t birth_ns, std::size_t limit = merge_limit)
        : birth_ns_(birth_ns), end_ns_(birth_ns), limit_(limit) {}

    // Gives the part of [from, to) that no earlier tile holds to `cause`. `begins` false: another piece of
    // the last wait that began. `placed`: never merged. Returns whether anything was left to give.
    bool add(std::int64_t from_ns, std::int64_t to_ns, CauseId cause, bool begins = true, bool placed = false);
    // The life ends here, whatever was said to be later.
    void end(std::int64_t death_ns);

    std::int64_t birth_ns() const { return birth_ns_; }
    std::int64_t end_ns() const { return end_ns_; }
    std::size_t stored() const { return stretches_.size(); }
    // The tiles of [from, to) within the life, in order; their ns sum to its length.
    void visit(std::int64_t from_ns, std::int64_t to_ns, const TileVisitor& visitor) const;

   private:
    struct Share {
        CauseId cause;
        std::int64_t ns;
        std::uint64_t waits;
    };
    struct Stretch {
        std::int64_t from_ns, to_ns;
        CauseId cause;
        std::uint64_t wait;
        bool begins, placed;
        std::vector<Share> merged;  // empty: all of it is `cause`
    };

    std::vector<Stretch> gaps(std::int64_t from_ns, std::int64_t to_ns) const;
    void merge_oldest();
    static Stretch merge(std::vector<Stretch>::iterator first, std::vector<Stretch>::iterator last);
    static void visit_merged(const Stretch& stretch, std::int64_t from_ns, std::int64_t to_ns, const TileVisitor&);

    std::int64_t birth_ns_, end_ns_;
    std::size_t limit_;
    std::uint64_t last_wait_ = 0;
    std::vector<Stretch> stretches_;  // in order, disjoint
};

}  // namespace slowtrace::analyze
