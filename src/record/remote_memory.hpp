// Another process' memory: addresses that are not pointers, read through an interface that tests fake.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace slowtrace::record {

struct RemoteAddress {
    std::uint64_t value = 0;
    explicit operator bool() const { return value != 0; }
    RemoteAddress operator+(std::uint64_t offset) const { return {value + offset}; }
};

// A stretch of another process' memory.
struct RemoteStretch {
    RemoteAddress address;
    std::size_t size = 0;
};

class RemoteMemory {
   public:
    virtual ~RemoteMemory() = default;
    // Copies as much as is readable from `address` on; returns the number of bytes, 0 when none is.
    virtual std::size_t read(RemoteAddress address, std::span<std::byte> into) = 0;
    // The same for stretches that follow one another in `into`, up to the first that is not wholly readable.
    virtual std::size_t gather(std::span<const RemoteStretch> stretches, std::span<std::byte> into);

    template <typename T>
    std::optional<T> value(RemoteAddress address) {
        T result;
        if (read(address, std::as_writable_bytes(std::span(&result, 1))) != sizeof result) return std::nullopt;
        return result;
    }
    // A NUL-terminated string of at most `limit` bytes; `truncated` tells when no NUL was found in them.
    // Nothing when not even the first byte can be read.
    std::optional<std::string> string(RemoteAddress address, std::size_t limit, bool& truncated);
    // Exactly `size` bytes, or nothing.
    std::optional<std::vector<std::byte>> bytes(RemoteAddress address, std::size_t size);
};

// process_vm_readv(2). A tracer may read its tracee; anything else is simply unreadable.
class ProcessMemory : public RemoteMemory {
   public:
    explicit ProcessMemory(pid_t thread) : thread_(thread) {}
    std::size_t read(RemoteAddress address, std::span<std::byte> into) override;
    // One call for up to 64 stretches.
    std::size_t gather(std::span<const RemoteStretch> stretches, std::span<std::byte> into) override;

   private:
    pid_t thread_;
};

}  // namespace slowtrace::record
