// Nearest-rank quantiles over exact values or log-linear buckets.
#include "analyze/distribution.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace slowtrace::analyze {
namespace {

constexpr int sub_bits = 5;
constexpr std::uint64_t linear = 2ull << sub_bits;  // below this, a bucket a nanosecond

std::size_t bucket_of(std::uint64_t value) {
    if (value < linear) return value;
    const int shift = std::bit_width(value) - (sub_bits + 1);
    return linear + static_cast<std::size_t>(shift - 1) * (linear / 2) + ((value >> shift) - linear / 2);
}

std::int64_t middle_of(std::size_t bucket) {
    if (bucket < linear) return static_cast<std::int64_t>(bucket);
    const std::size_t shift = (bucket - linear) / (linear / 2) + 1;
    const std::uint64_t lower = (linear / 2 + (bucket - linear) % (linear / 2)) << shift;
    return static_cast<std::int64_t>(lower + ((1ull << shift) >> 1));
}

std::uint64_t rank(double fraction, std::uint64_t count) {
    const double wanted = std::ceil(fraction * static_cast<double>(count));
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::max(wanted, 1.0)), 1, count);
}

}  // namespace

std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
    std::int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return a > 0 ? INT64_MAX : INT64_MIN;
}

void Histogram::add(std::int64_t ns, std::uint64_t times) {
    const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)));
    if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
    buckets_[bucket] += times;
    count_ += times;
}

std::int64_t Histogram::quantile(double fraction) const {
    if (count_ == 0) return 0;
    std::uint64_t left = rank(fraction, count_);
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
        if (buckets_[bucket] >= left) return middle_of(bucket);
        left -= buckets_[bucket];
    }
    return 0;
}

void Distribution::add(std::int64_t ns, std::uint64_t times) {
    if (times == 0) return;
    ns = std::max<std::int64_t>(ns, 0);
    std::int64_t sum;
    if (__builtin_mul_overflow(ns, times, &sum)) sum = INT64_MAX;
    total_ = saturating_add(total_, sum);
    max_ = std::max(max_, ns);
    count_ += times;
    if (histogram_.count() == 0 && exact_.size() + times <= exact_limit) {
        exact_.insert(exact_.end(), times, ns);
        return;
    }
    for (std::int64_t kept : exact_) histogram_.add(kept);
    exact_ = {};
    histogram_.add(ns, times);
}

std::int64_t Distribution::quantile(double fraction) const {
    if (count_ == 0) return 0;
    if (histogram_.count() != 0) return std::min(histogram_.quantile(fraction), max_);
    std::vector<std::int64_t> sorted = exact_;
    const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(rank(fraction, count_) - 1);
    std::nth_element(sorted.begin(), nth, sorted.end());
    return *nth;
}

void Histogram::add(const Histogram& other) {
    if (buckets_.size() < other.buckets_.size()) buckets_.resize(other.buckets_.size());
    for (std::size_t at = 0; at < other.buckets_.size(); ++at) buckets_[at] += other.buckets_[at];
    count_ += other.count_;
}

void Distribution::add(const Distribution& other) {
    for (const std::int64_t ns : other.exact_) add(ns);
    if (other.count_ == other.exact_.size()) return;
    for (const std::int64_t ns : exact_) histogram_.add(ns);
    exact_.clear();
    histogram_.add(other.histogram_);
    count_ += other.count_;
    total_ = saturating_add(total_, other.total_);
    max_ = std::max(max_, other.max_);
}

}  // namespace slowtrace::analyze
