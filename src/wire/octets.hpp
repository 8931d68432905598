// Reading numbers and parts out of octets in network order, never past their end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace slowtrace::wire {

using Octets = std::span<const std::uint8_t>;

inline std::string_view text_of(Octets octets) {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

// What is read past the end is zero or shorter, and cut() says so from then on: callers check once, at the end.
class OctetReader {
   public:
    explicit OctetReader(Octets rest) : rest_(rest) {}

    // An unsigned number of `width` octets, at most 8.
    std::uint64_t number(std::size_t width) {
        std::uint64_t value = 0;
        for (const std::uint8_t octet : take(width)) value = value << 8 | octet;
        return cut_ ? 0 : value;
    }
    Octets take(std::uint64_t size) {
        cut_ = cut_ || size > rest_.size();
        const Octets taken = rest_.first(static_cast<std::size_t>(std::min<std::uint64_t>(size, rest_.size())));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }
    // The part behind a length of `width` octets.
    Octets part(std::size_t width) {
        const std::uint64_t size = number(width);
        return take(size);
    }
    Octets rest() const { return rest_; }
    bool empty() const { return rest_.empty(); }
    bool cut() const { return cut_; }

   private:
    Octets rest_;
    bool cut_ = false;
};

}  // namespace slowtrace::wire
