// A sweep over beginnings and ends.
#include "analyze/overlap.hpp"

#include <algorithm>
#include <functional>
#include <queue>

#include "analyze/distribution.hpp"

namespace slowtrace::analyze {

void Overlap::add(std::int64_t from_ns, std::int64_t to_ns) {
    from_ns = std::max(from_ns, settled_ns_);
    if (from_ns < to_ns) intervals_.push_back({from_ns, to_ns});
}

void Overlap::sweep(const std::vector<Interval>& intervals, std::int64_t until_ns, Sums& sums) {
    std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> ends;  // of those open
    std::int64_t covered_until_ns = INT64_MIN;
    for (const Interval& interval : intervals) {
        if (interval.from_ns >= until_ns) break;
        const std::int64_t to_ns = std::min(interval.to_ns, until_ns);
        // What ends as another begins is not over it.
        while (!ends.empty() && ends.top() <= interval.from_ns) ends.pop();
        ends.push(to_ns);
        sums.peak = std::max<std::uint64_t>(sums.peak, ends.size());
        sums.total_ns = saturating_add(sums.total_ns, to_ns - interval.from_ns);
        const std::int64_t new_from_ns = std::max(interval.from_ns, covered_until_ns);
        if (new_from_ns < to_ns) sums.covered_ns = saturating_add(sums.covered_ns, to_ns - new_from_ns);
        covered_until_ns = std::max(covered_until_ns, to_ns);
    }
}

void Overlap::settle_half() {
    if (intervals_.size() < 2) return;
    const auto earlier = [](const Interval& a, const Interval& b) { return a.from_ns < b.from_ns; };
    std::sort(intervals_.begin(), intervals_.end(), earlier);
    settled_ns_ = intervals_[intervals_.size() / 2].from_ns;
    sweep(intervals_, settled_ns_, settled_);
    std::erase_if(intervals_, [this](const Interval& interval) { return interval.to_ns <= settled_ns_; });
    for (Interval& interval : intervals_) interval.from_ns = std::max(interval.from_ns, settled_ns_);
}

Overlap::Sums Overlap::sums() const {
    Sums sums = settled_;
    std::vector<Interval> sorted = intervals_;
    std::sort(sorted.begin(), sorted.end(), [](const Interval& a, const Interval& b) { return a.from_ns < b.from_ns; });
    sweep(sorted, INT64_MAX, sums);
    return sums;
}

}  // namespace slowtrace::analyze
