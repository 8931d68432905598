// Whatever the octets: no crash, bounded facts, no name that could deceive a terminal.
#include <algorithm>
#include <cstdlib>

#include "slowtrace/dns.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // 253 octets, each written "\255" at worst.
    const auto sound = [](const std::string& name) {
        return !name.empty() && name.size() <= 253 * 4 &&
               std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    };
    const auto facts = slowtrace::wire::parse_dns({data, size});
    if (!facts) return 0;
    if (facts->questions_size() > 64 || facts->answers_size() > 256) std::abort();
    for (const auto& question : facts->questions())
        if (!sound(question.name())) std::abort();
    for (const auto& answer : facts->answers()) {
        if (!sound(answer.name())) std::abort();
        const bool alias = answer.type() == 5;
        if (alias ? !sound(answer.target()) : answer.ip().size() != (answer.type() == 1 ? 4U : 16U)) std::abort();
    }
    return 0;
}
