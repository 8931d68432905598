// Many durations in little memory: exact while few, then a log-linear histogram.
#pragma once

#include <cstdint>
#include <vector>

namespace slowtrace::analyze {

// Counts durations in buckets that are exact below 64 ns and 1/32 of their lower bound wide above it; a
// quantile is its bucket's middle, so off by at most 1.6 %.
class Histogram {
   public:
    void add(std::int64_t ns, std::uint64_t times = 1);
    void add(const Histogram& other);
    std::uint64_t count() const { return count_; }
    // The duration at rank ceil(fraction × count) (nearest rank); 0 when there is none.
    std::int64_t quantile(double fraction) const;

   private:
    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
};

// Count, sum, extremes and quantiles. The first `exact_limit` durations are kept as they are; after that
// all of them live in a Histogram.
class Distribution {
   public:
    static constexpr std::size_t exact_limit = 512;
    void add(std::int64_t ns, std::uint64_t times = 1);
    void add(const Distribution& other);
    std::uint64_t count() const { return count_; }
    std::int64_t total() const { return total_; }
    std::int64_t max() const { return max_; }
    std::int64_t mean() const { return count_ ? total_ / static_cast<std::int64_t>(count_) : 0; }
    std::int64_t quantile(double fraction) const;  // nearest rank, at most max()

   private:
    std::vector<std::int64_t> exact_;
    Histogram histogram_;
    std::uint64_t count_ = 0;
    std::int64_t total_ = 0, max_ = 0;
};

// Sums of a hostile trace's durations stop at the largest number instead of overflowing.
std::int64_t saturating_add(std::int64_t a, std::int64_t b);

}  // namespace slowtrace::analyze
