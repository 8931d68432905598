// Ordered, disjoint stretches of waiting; everything between them is computing.
#include "analyze/thread_tiling.hpp"

#include <algorithm>
#include <iterator>

namespace slowtrace::analyze {
namespace {

// How far back a late wait (one that a signal handler's calls overtook) may still find its place. Bounds the
// work a hostile trace can ask for; a handler that waits more often than this turns its caller's wait before
// it into computing.
constexpr std::size_t look_back = 4'096;
constexpr std::size_t merged_at_once = 64;

}  // namespace

std::vector<ThreadTiling::Stretch> ThreadTiling::gaps(std::int64_t from_ns, std::int64_t to_ns) const {
    auto first = stretches_.begin();
    if (stretches_.size() > look_back) {
        first = stretches_.end() - look_back;
        from_ns = std::max(from_ns, first->from_ns);
    }
    auto at = std::partition_point(first, stretches_.end(), [&](const Stretch& s) { return s.to_ns <= from_ns; });
    std::vector<Stretch> found;
    for (; from_ns < to_ns; ++at) {
        const std::int64_t until = at == stretches_.end() ? to_ns : std::min(at->from_ns, to_ns);
        if (from_ns < until) found.push_back({from_ns, until, computing_cause, last_wait_, false, false, {}});
        if (at == stretches_.end()) break;
        from_ns = std::max(from_ns, at->to_ns);
    }
    return found;
}

bool ThreadTiling::add(std::int64_t from_ns, std::int64_t to_ns, CauseId cause, bool begins, bool placed) {
    from_ns = std::max(from_ns, birth_ns_);
    if (from_ns >= to_ns) return false;
    end_ns_ = std::max(end_ns_, to_ns);
    if (begins) ++last_wait_;
    if (stretches_.size() >= limit_) merge_oldest();
    if (stretches_.empty() || stretches_.back().to_ns <= from_ns) {
        stretches_.push_back({from_ns, to_ns, cause, last_wait_, begins, placed, {}});
        return true;
    }
    std::vector<Stretch> free = gaps(from_ns, to_ns);
    for (Stretch& gap : free) {
        gap.cause = cause;
        gap.begins = begins;
        gap.placed = placed;
        begins = false;
    }
    const auto old_size = static_cast<std::ptrdiff_t>(stretches_.size());
    std::move(free.begin(), free.end(), std::back_inserter(stretches_));
    std::inplace_merge(stretches_.begin(), stretches_.begin() + old_size, stretches_.end(),
                       [](const Stretch& a, const Stretch& b) { return a.from_ns < b.from_ns; });
    return !free.empty();
}

void ThreadTiling::end(std::int64_t death_ns) {
    end_ns_ = std::max(death_ns, birth_ns_);
}

ThreadTiling::Stretch ThreadTiling::merge(std::vector<Stretch>::iterator first, std::vector<Stretch>::iterator last) {
    Stretch merged{first->from_ns, std::prev(last)->to_ns, computing_cause, 0, true, false, {}};
    const auto add = [&merged](const Share& share) {
        auto same = std::find_if(merged.merged.begin(), merged.merged.end(),
                                 [&](const Share& other) { return other.cause == share.cause; });
        if (same == merged.merged.end()) {
            merged.merged.push_back(share);
        } else {
            same->ns += share.ns;
            same->waits += share.waits;
        }
    };
    for (; first != last; ++first)
        if (first->merged.empty())
            add({first->cause, first->to_ns - first->from_ns, first->begins});
        else
            std::for_each(first->merged.begin(), first->merged.end(), add);
    return merged;
}

void ThreadTiling::merge_oldest() {
    std::vector<Stretch> kept;
    const auto half = stretches_.begin() + static_cast<std::ptrdiff_t>(stretches_.size() / 2);
    for (auto at = stretches_.begin(); at != half;) {
        auto last = at;
        while (last != half && !last->placed && last - at < static_cast<std::ptrdiff_t>(merged_at_once)) ++last;
        if (last - at > 1) {
            kept.push_back(merge(at, last));
            at = last;
        } else {
            kept.push_back(std::move(*at++));
        }
    }
    std::move(half, stretches_.end(), std::back_inserter(kept));
    // Nothing but placed waits: let them be, and do not try again at every one of them.
    if (kept.size() > limit_ * 3 / 4) limit_ *= 2;
    stretches_ = std::move(kept);
}

// A part of a merged stretch gets its part of every cause, rounded down; computing takes the rest.
void ThreadTiling::visit_merged(const Stretch& stretch, std::int64_t from_ns, std::int64_t to_ns,
                                const TileVisitor& visitor) {
    const __int128 length = stretch.to_ns - stretch.from_ns;
    std::int64_t rest = to_ns - from_ns;
    for (const Share& share : stretch.merged) {
        const auto part = static_cast<std::int64_t>(static_cast<__int128>(share.ns) * (to_ns - from_ns) / length);
        const auto waits = static_cast<std::uint64_t>(static_cast<__int128>(share.waits) * (to_ns - from_ns) / length);
        if (part > 0) visitor({from_ns, to_ns, part, share.cause, waits, 0});
        rest -= part;
    }
    if (rest > 0) visitor({from_ns, to_ns, rest, computing_cause, 0, 0});
}

void ThreadTiling::visit(std::int64_t from_ns, std::int64_t to_ns, const TileVisitor& visitor) const {
    from_ns = std::max(from_ns, birth_ns_);
    to_ns = std::min(to_ns, end_ns_);
    auto at = std::partition_point(stretches_.begin(), stretches_.end(),
                                   [&](const Stretch& stretch) { return stretch.to_ns <= from_ns; });
    while (from_ns < to_ns) {
        const bool computing = at == stretches_.end() || at->from_ns > from_ns;
        const std::int64_t limit = at == stretches_.end() ? to_ns : computing ? at->from_ns : at->to_ns;
        const std::int64_t until = std::min(limit, to_ns);
        if (computing)
            visitor({from_ns, until, until - from_ns, computing_cause, 0, 0});
        else if (at->merged.empty())
            visitor(
                {from_ns, until, until - from_ns, at->cause, at->begins || from_ns > at->from_ns ? 1u : 0u, at->wait});
        else
            visit_merged(*at, from_ns, until, visitor);
        if (!computing) ++at;
        from_ns = until;
    }
}

}  // namespace slowtrace::analyze
