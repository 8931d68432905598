// A program's memory as a test lays it out: objects one after another, at addresses of its own.
#pragma once

#include <cstring>
#include <string_view>
#include <vector>

#include "record/remote_memory.hpp"

namespace slowtrace::test {

class SavedMemory : public record::RemoteMemory {
   public:
    std::size_t read(record::RemoteAddress address, std::span<std::byte> into) override {
        ++reads;
        if (address.value < base || address.value >= base + bytes_.size()) return 0;
        const std::size_t at = address.value - base, size = std::min(into.size(), bytes_.size() - at);
        std::memcpy(into.data(), bytes_.data() + at, size);
        return size;
    }

    // Each returns the address of what it added.
    std::uint64_t text(std::string_view octets) { return add(octets.data(), octets.size()); }
    template <typename Word>
    std::uint64_t words(std::initializer_list<Word> values) {
        return add(values.begin(), values.size() * sizeof(Word));
    }

    int reads = 0;

   private:
    static constexpr std::uint64_t base = 0x10000;
    std::uint64_t add(const void* from, std::size_t size) {
        const std::uint64_t address = base + bytes_.size();
        const auto* octets = static_cast<const std::byte*>(from);
        bytes_.insert(bytes_.end(), octets, octets + size);
        return address;
    }
    std::vector<std::byte> bytes_;
};

}  // namespace slowtrace::test
