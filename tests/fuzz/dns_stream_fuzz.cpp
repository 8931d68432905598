// A stream's messages do not depend on how reads split it. The first octet seeds the splits.
#include <algorithm>
#include <cstdlib>

#include "slowtrace/dns.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::span<const std::uint8_t> octets(data + 1, size - 1);
    const auto whole = slowtrace::wire::DnsStream().feed(octets);
    slowtrace::wire::DnsStream stream;
    std::size_t messages = 0;
    for (std::uint32_t state = data[0]; !octets.empty();) {
        state = state * 1'103'515'245 + 12'345;
        const std::size_t part = std::min<std::size_t>(1 + (state >> 16) % 64, octets.size());
        for (const auto& message : stream.feed(octets.first(part))) {
            if (messages >= whole.size()) std::abort();
            if (message.SerializeAsString() != whole[messages++].SerializeAsString()) std::abort();
        }
        octets = octets.subspan(part);
    }
    if (messages != whole.size()) std::abort();
    return 0;
}
