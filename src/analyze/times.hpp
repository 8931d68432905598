// Time stamps of a hostile trace, brought into a range in which differences cannot overflow.
#pragma once

#include <algorithm>
#include <cstdint>

namespace slowtrace::analyze {

constexpr std::int64_t sane(std::int64_t stamp_ns) {
    return std::clamp<std::int64_t>(stamp_ns, 0, std::int64_t{1} << 62);
}

}  // namespace slowtrace::analyze
