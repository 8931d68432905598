// Numbers of a hostile trace, brought into a range in which differences and casts cannot overflow.
#pragma once

#include <algorithm>
#include <cstdint>

namespace slowtrace::analyze {

constexpr std::int64_t sane(std::int64_t stamp_ns) {
    return std::clamp<std::int64_t>(stamp_ns, 0, std::int64_t{1} << 62);
}

// Never negative.
constexpr std::int64_t span_ns(std::int64_t from_ns, std::int64_t to_ns) {
    return std::max<std::int64_t>(sane(to_ns) - sane(from_ns), 0);
}

// The whole part; nothing below 0, and no more than fits.
constexpr std::uint64_t whole(double value) {
    constexpr double too_much = 0x1p64;
    if (!(value > 0)) return 0;
    return value < too_much ? static_cast<std::uint64_t>(value) : UINT64_MAX;
}

}  // namespace slowtrace::analyze
