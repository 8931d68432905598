// Reads a tracee's memory with process_vm_readv(2), page by page where a string's end is unknown.
#include "record/remote_memory.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <array>

namespace slowtrace::record {

namespace {
constexpr std::uint64_t page_bytes = 4096;
}

std::optional<std::string> RemoteMemory::string(RemoteAddress address, std::size_t limit, bool& truncated) {
    std::string result;
    truncated = true;
    std::array<std::byte, 512> chunk;
    while (result.size() < limit) {
        const RemoteAddress at = address + result.size();
        // Never past a page's end: the next page may not exist although the string ends before it.
        const std::size_t wanted =
            std::min({chunk.size(), limit - result.size(), std::size_t(page_bytes - at.value % page_bytes)});
        const std::size_t got = read(at, std::span(chunk).first(wanted));
        if (got == 0) break;
        const char* text = reinterpret_cast<const char*>(chunk.data());
        const std::size_t length = strnlen(text, got);
        result.append(text, length);
        if (length < got) {
            truncated = false;
            return result;
        }
    }
    if (result.empty()) return std::nullopt;
    return result;
}

std::optional<std::vector<std::byte>> RemoteMemory::bytes(RemoteAddress address, std::size_t size) {
    std::vector<std::byte> result(size);
    if (read(address, result) != size) return std::nullopt;
    return result;
}

std::size_t RemoteMemory::gather(std::span<const RemoteStretch> stretches, std::span<std::byte> into) {
    std::size_t total = 0;
    for (const RemoteStretch& stretch : stretches) {
        const auto rest = into.subspan(total, std::min(stretch.size, into.size() - total));
        const std::size_t got = read(stretch.address, rest);
        total += got;
        if (got < rest.size()) break;
    }
    return total;
}

std::size_t ProcessMemory::gather(std::span<const RemoteStretch> stretches, std::span<std::byte> into) {
    constexpr std::size_t stretches_limit = 64;
    std::array<iovec, stretches_limit> remote;
    const std::size_t count = std::min(stretches.size(), stretches_limit);
    for (std::size_t at = 0; at < count; ++at)
        remote[at] = {reinterpret_cast<void*>(stretches[at].address.value), stretches[at].size};
    iovec local{into.data(), into.size()};
    const ssize_t got = process_vm_readv(thread_, &local, 1, remote.data(), count, 0);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

std::size_t ProcessMemory::read(RemoteAddress address, std::span<std::byte> into) {
    iovec local{into.data(), into.size()};
    iovec remote{reinterpret_cast<void*>(address.value), into.size()};
    const ssize_t got = process_vm_readv(thread_, &local, 1, &remote, 1, 0);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

}  // namespace slowtrace::record
