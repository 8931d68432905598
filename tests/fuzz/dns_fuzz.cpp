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
        const bool named = answer.type() == 5 || answer.type() == 33 || answer.type() == 64 || answer.type() == 65;
        const bool address = answer.type() == 1 || answer.type() == 28;
        if (named == address || (named && !sound(answer.target()))) std::abort();
        if (address && answer.ip().size() != (answer.type() == 1 ? 4U : 16U)) std::abort();
        if (!answer.ip().empty() && answer.ip().size() != 4 && answer.ip().size() != 16) std::abort();
        if (answer.port() > 65'535) std::abort();
    }
    return 0;
}
