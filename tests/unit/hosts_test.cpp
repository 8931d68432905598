// The hosts file: addresses, their names, and lines that are neither.
#include "catch.hpp"
#include "slowtrace/hosts_file.hpp"
#include "temporary_directory.hpp"

namespace slowtrace::wire {
namespace {

TEST_CASE("entries of a hosts file are read, lines that do not parse are not", "[hosts]") {
    const model::HostsFile hosts = parse_hosts(test::read_file("fixtures/packets/example.hosts"));
    REQUIRE(hosts.entries_size() == 5);
    REQUIRE(hosts.entries(0).ip() == std::string("\x7f\0\0\1", 4));
    REQUIRE(hosts.entries(0).names_size() == 2);
    REQUIRE(hosts.entries(0).names(1) == "localhost.localdomain");
    REQUIRE(hosts.entries(1).ip() == std::string(15, '\0') + '\1');
    REQUIRE(hosts.entries(2).names(0) == "pypi.example.com");
    REQUIRE(hosts.entries(2).names_size() == 2);
    REQUIRE(hosts.entries(3).names(0) == "router.test");
    REQUIRE(hosts.entries(3).ip().size() == 16);
    REQUIRE(hosts.entries(4).names(0) == "extra.example.org");
}

TEST_CASE("line ends of any kind end a line", "[hosts]") {
    const model::HostsFile hosts = parse_hosts("192.0.2.1 a.test\r\n192.0.2.2\tb.test");
    REQUIRE(hosts.entries_size() == 2);
    REQUIRE(hosts.entries(0).names(0) == "a.test");
    REQUIRE(hosts.entries(1).names(0) == "b.test");
    REQUIRE(parse_hosts("").entries_size() == 0);
    REQUIRE(parse_hosts("\n\n#\n").entries_size() == 0);
}

TEST_CASE("names that could deceive a terminal are left out", "[hosts]") {
    using namespace std::string_literals;
    const model::HostsFile hosts =
        parse_hosts("192.0.2.1 bad\x1b[31m good.test\n192.0.2.2 nul\0byte\n192.0.2.3\0 x.test\n192.0.2.4 "s +
                    std::string(254, 'x') + "\n");
    REQUIRE(hosts.entries_size() == 1);
    REQUIRE(hosts.entries(0).names_size() == 1);
    REQUIRE(hosts.entries(0).names(0) == "good.test");
}

TEST_CASE("an IPv4 address has no zone", "[hosts]") {
    REQUIRE(parse_hosts("192.0.2.1%eth0 a.test").entries_size() == 0);
}

TEST_CASE("large hosts files are bounded and never cut inside a line", "[hosts]") {
    std::string many;
    for (int i = 0; i < 20'000; ++i) many += "192.0.2.1 a" + std::to_string(i) + ".test\n";
    REQUIRE(parse_hosts(many).entries_size() == 10'000);

    std::string long_lines;
    while (long_lines.size() < 2 << 20) {
        long_lines += "192.0.2.1";
        for (int i = 0; i < 500; ++i) long_lines += " name.example.test";
        long_lines += '\n';
    }
    const model::HostsFile hosts = parse_hosts(long_lines);
    REQUIRE(hosts.ByteSizeLong() <= std::size_t{1} << 21);
    for (const auto& entry : hosts.entries()) {
        REQUIRE(entry.names_size() == 500);
        REQUIRE(entry.names(499) == "name.example.test");
    }
}

}  // namespace
}  // namespace slowtrace::wire
