// Each fuzzer's entry point, run on a few thousand mutations of its seeds: the same ones every time.
#include <filesystem>
#include <random>

#include "catch.hpp"
#include "events_for_test.hpp"
#include "temporary_directory.hpp"
#include "trace/block_encoder.hpp"

// The entry points all have the name libFuzzer looks for.
#define LLVMFuzzerTestOneInput dns_fuzz
#include "../fuzz/dns_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput dns_stream_fuzz
#include "../fuzz/dns_stream_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput hosts_fuzz
#include "../fuzz/hosts_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput trace_file_fuzz
#include "../fuzz/trace_file_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput stream_fuzz
#include "../fuzz/stream_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput datagrams_fuzz
#include "../fuzz/datagrams_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput name_service_fuzz
#include "../fuzz/name_service_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput header_block_fuzz
#include "../fuzz/header_block_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace slowtrace::test {
namespace {

using Entry = int (*)(const std::uint8_t*, std::size_t);

std::vector<std::string> seeds_of(const std::string& directory, const std::string& extension) {
    std::vector<std::string> paths, seeds;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        if (entry.path().extension() == extension) paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());  // the order of a directory is not the same everywhere
    for (const std::string& path : paths) seeds.push_back(read_file(path));
    REQUIRE(!seeds.empty());
    return seeds;
}

// One to eight small damages of the kinds that confuse parsers.
std::string mutate(std::string input, const std::string& other, std::mt19937& random) {
    for (unsigned n = 1 + random() % 8; n > 0; --n) {
        const std::size_t at = input.empty() ? 0 : random() % input.size();
        const char extremes[] = {'\0', '\1', '\x7f', '\x80', '\xc0', '\xff', ' ', '\n'};
        switch (random() % 6) {
            case 0:
                if (!input.empty()) input[at] = static_cast<char>(input[at] ^ 1 << random() % 8);
                break;
            case 1:
                if (!input.empty()) input[at] = extremes[random() % sizeof extremes];
                break;
            case 2:
                input.resize(at);
                break;
            case 3:
                input.insert(at, input.substr(at, random() % 16));
                break;
            case 4:
                input.erase(at, random() % 8);
                break;
            default:
                if (!other.empty()) input.insert(at, other.substr(random() % other.size(), random() % 32));
        }
    }
    return input;
}

void run(Entry entry, const std::vector<std::string>& seeds, int rounds) {
    std::mt19937 random(20'260'101);
    const auto feed = [&](const std::string& input) {
        // A copy of exactly this size: the sanitizer sees one octet too far.
        const std::vector<std::uint8_t> exact(input.begin(), input.end());
        REQUIRE(entry(exact.data(), exact.size()) == 0);
    };
    for (const std::string& seed : seeds) feed(seed);
    for (int i = 0; i < rounds; ++i)
        feed(mutate(seeds[random() % seeds.size()], seeds[random() % seeds.size()], random));
}

TEST_CASE("DNS messages survive damage", "[fuzz]") {
    run(dns_fuzz, seeds_of("fixtures/packets", ".dns"), 20'000);
}

TEST_CASE("DNS streams survive damage", "[fuzz]") {
    std::vector<std::string> seeds = seeds_of("fixtures/packets", ".dns");
    for (std::string& seed : seeds) seed = "s" + std::string(1, '\0') + static_cast<char>(seed.size()) + seed;
    seeds.push_back(seeds[0] + seeds[1].substr(1) + seeds[2].substr(1));
    run(dns_stream_fuzz, seeds, 5'000);
}

TEST_CASE("hosts files survive damage", "[fuzz]") {
    run(hosts_fuzz, seeds_of("fixtures/packets", ".hosts"), 5'000);
}

TEST_CASE("conversations survive damage", "[fuzz]") {
    const std::vector<std::string> seeds = seeds_of("fixtures/packets", ".conversation");
    run(stream_fuzz, seeds, 5'000);
    run(datagrams_fuzz, seeds, 2'000);
    run(name_service_fuzz, seeds, 3'000);
}

TEST_CASE("header blocks survive damage", "[fuzz]") {
    // RFC 7541, appendices C.3.1, C.4.1 and C.5.1.
    run(header_block_fuzz,
        {"\x82\x86\x84\x41\x0fwww.example.com", "\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
         "\x48\x03"
         "302\x58\x07private\x61\x1dMon, 21 Oct 2013 20:13:21 GMT"},
        20'000);
}

TEST_CASE("trace files survive damage", "[fuzz]") {
    std::vector<std::string> seeds = seeds_of("fixtures/traces", ".slowtrace");
    for (unsigned seed = 0; seed < 5; ++seed) {
        RandomMessages random(seed);
        trace::BlockEncoder encoder;
        for (const model::Event& event : random.one_of_each_kind())
            if (!event.has_syscall()) encoder.add(event);
        for (int i = 0; i < 6; ++i) encoder.add(random.call());
        seeds.push_back(encoder.block().SerializeAsString());
    }
    run(trace_file_fuzz, seeds, 5'000);
}

}  // namespace
}  // namespace slowtrace::test
