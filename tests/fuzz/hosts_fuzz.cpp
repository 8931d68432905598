// Any text as a hosts file: bounded entries, whole addresses, no control characters in names.
#include <algorithm>
#include <cstdlib>

#include "slowtrace/hosts_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto hosts = slowtrace::wire::parse_hosts({reinterpret_cast<const char*>(data), size});
    if (hosts.entries_size() > 10'000) std::abort();
    for (const auto& entry : hosts.entries()) {
        if ((entry.ip().size() != 4 && entry.ip().size() != 16) || entry.names_size() == 0) std::abort();
        for (const std::string& name : entry.names()) {
            const bool sound = std::none_of(name.begin(), name.end(), [](unsigned char c) { return c <= 0x20; });
            if (name.empty() || name.size() > 253 || !sound) std::abort();
        }
    }
    return 0;
}
