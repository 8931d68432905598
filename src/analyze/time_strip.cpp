// Whole cells are kept as differences between neighbours, so that a long exchange costs no more than a short one.
#include "analyze/time_strip.hpp"

#include <algorithm>
#include <cmath>

#include "analyze/times.hpp"

namespace slowtrace::analyze {

// Every cell by itself: differences added up.
std::vector<TimeStrip::Cell> TimeStrip::flattened() const {
    std::vector<Cell> flat = cells_;
    double exchanges = 0, rate = 0;
    for (Cell& cell : flat) {
        exchanges += cell.exchanges_begin;
        rate += cell.rate_begin;
        cell.exchange_ns += exchanges * static_cast<double>(width_ns_);
        cell.bytes += rate * static_cast<double>(width_ns_);
        cell.exchanges_begin = cell.rate_begin = 0;
    }
    return flat;
}

void TimeStrip::widen() {
    const std::vector<Cell> flat = flattened();
    cells_.assign((flat.size() + 1) / 2, {});
    for (std::size_t i = 0; i < flat.size(); ++i) {
        cells_[i / 2].exchange_ns += flat[i].exchange_ns;
        cells_[i / 2].bytes += flat[i].bytes;
    }
    width_ns_ *= 2;
}

void TimeStrip::cover(std::int64_t from_ns, std::int64_t to_ns) {
    if (cells_.empty()) origin_ns_ = from_ns;
    const std::int64_t begin_ns = std::min(from_ns, origin_ns_);
    const std::int64_t end_ns = std::max(to_ns, origin_ns_ + static_cast<std::int64_t>(cells_.size()) * width_ns_);
    while ((end_ns - begin_ns) / width_ns_ + 2 > static_cast<std::int64_t>(most_cells)) widen();
    if (from_ns < origin_ns_) {
        const std::int64_t more = (origin_ns_ - from_ns + width_ns_ - 1) / width_ns_;
        cells_.insert(cells_.begin(), static_cast<std::size_t>(more), Cell{});
        origin_ns_ -= more * width_ns_;
    }
    // One cell more than needed: what ends a stretch of whole cells is noted in the cell behind it.
    const auto needed = static_cast<std::size_t>((to_ns - origin_ns_) / width_ns_ + 2);
    if (cells_.size() < needed) cells_.resize(needed);
}

template <typename Touch, typename Fill>
void TimeStrip::spread(std::int64_t from_ns, std::int64_t to_ns, Touch touch, Fill fill) {
    cover(from_ns, to_ns);
    first_ns_ = std::min(first_ns_, from_ns);
    last_ns_ = std::max(last_ns_, to_ns);
    const auto first = static_cast<std::size_t>((from_ns - origin_ns_) / width_ns_);
    const auto last = static_cast<std::size_t>((to_ns - origin_ns_) / width_ns_);
    if (first == last) return touch(cells_[first], to_ns - from_ns);
    touch(cells_[first], origin_ns_ + static_cast<std::int64_t>(first + 1) * width_ns_ - from_ns);
    fill(cells_[first + 1], 1);
    fill(cells_[last], -1);
    touch(cells_[last], to_ns - (origin_ns_ + static_cast<std::int64_t>(last) * width_ns_));
}

void TimeStrip::in_flight(std::int64_t from_ns, std::int64_t to_ns) {
    if (from_ns >= to_ns) return;
    spread(
        from_ns, to_ns, [](Cell& cell, std::int64_t ns) { cell.exchange_ns += static_cast<double>(ns); },
        [](Cell& cell, int sign) { cell.exchanges_begin += sign; });
}

void TimeStrip::received(std::int64_t from_ns, std::int64_t to_ns, std::uint64_t bytes) {
    if (bytes == 0) return;
    to_ns = std::max(to_ns, from_ns + 1);
    bytes_ = bytes_ > UINT64_MAX - bytes ? UINT64_MAX : bytes_ + bytes;
    const double rate = static_cast<double>(bytes) / static_cast<double>(to_ns - from_ns);
    spread(
        from_ns, to_ns, [rate](Cell& cell, std::int64_t ns) { cell.bytes += rate * static_cast<double>(ns); },
        [rate](Cell& cell, int sign) { cell.rate_begin += sign * rate; });
}

ConcurrencyStrip TimeStrip::strip(std::size_t stretches) const {
    ConcurrencyStrip strip;
    if (first_ns_ >= last_ns_ || stretches == 0) return strip;
    strip.from_ns = first_ns_;
    strip.to_ns = last_ns_;
    stretches = std::min(stretches, static_cast<std::size_t>(std::min<std::int64_t>(last_ns_ - first_ns_, 1'000)));
    const double length = static_cast<double>(last_ns_ - first_ns_) / static_cast<double>(stretches);
    strip.in_flight.assign(stretches, 0);
    std::vector<double> bytes(stretches, 0);
    const std::vector<Cell> flat = flattened();
    for (std::size_t i = 0; i < flat.size(); ++i) {
        // A cell's part before the first beginning and behind the last end is empty: its content lies within.
        const auto at =
            static_cast<double>(origin_ns_ - first_ns_) + static_cast<double>(i) * static_cast<double>(width_ns_);
        const double from = std::max(at, 0.0);
        const double to = std::min(at + static_cast<double>(width_ns_), static_cast<double>(last_ns_ - first_ns_));
        if (from >= to) continue;
        for (auto j = static_cast<std::size_t>(from / length); j < stretches; ++j) {
            const double begin = static_cast<double>(j) * length;
            if (begin >= to) break;
            const double part = (std::min(begin + length, to) - std::max(begin, from)) / (to - from);
            if (part <= 0) continue;
            strip.in_flight[j] += flat[i].exchange_ns * part / length;
            bytes[j] += flat[i].bytes * part;
        }
    }
    // Rounded so that the stretches add up to exactly what was received.
    double sum = 0;
    std::uint64_t told = 0;
    for (std::size_t j = 0; j < stretches; ++j) {
        sum += bytes[j];
        const std::uint64_t rounded = whole(sum + 0.5);
        const std::uint64_t upto = j + 1 == stretches ? bytes_ : std::clamp(rounded, told, bytes_);
        strip.bytes.push_back(upto - told);
        told = upto;
    }
    // What summing and spreading leave behind is below a thousandth.
    for (double& in_flight : strip.in_flight) in_flight = std::max(std::round(in_flight * 1000) / 1000, 0.0);
    return strip;
}

}  // namespace slowtrace::analyze
