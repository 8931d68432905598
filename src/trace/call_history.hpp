// What the calls before say about the next one: writer and reader keep the same history, the file only
// holds the differences. Tables are of fixed size: two kinds (or threads) that share a slot cost a few octets
// more, never a wrong value.
#pragma once

#include <array>
#include <cstdint>

namespace slowtrace::trace {

// A signed difference modulo 2^64, small when the two values are near each other.
inline std::int64_t difference(std::uint64_t value, std::uint64_t before) {
    return static_cast<std::int64_t>(value - before);
}

class CallHistory {
   public:
    struct Values {
        std::array<std::uint64_t, 6> arguments{};
        std::uint64_t result = 0;
        std::uint64_t instruction_pointer = 0;
    };

    void start(std::int64_t base_ns) {
        kinds_.fill({});
        exits_.fill(static_cast<std::uint64_t>(base_ns));
        thread_ = 0;
    }
    Values& of_kind(std::uint64_t kind) { return kinds_[(kind ^ kind >> 10) % kinds_.size()]; }
    std::uint64_t& exit_of(std::uint32_t thread) { return exits_[thread % exits_.size()]; }
    std::uint32_t& thread() { return thread_; }

   private:
    std::array<Values, 1024> kinds_;
    std::array<std::uint64_t, 1024> exits_;
    std::uint32_t thread_ = 0;
};

}  // namespace slowtrace::trace
