// The check of host names from the wire.
#include "wire/host_name.hpp"

#include "catch.hpp"

namespace slowtrace::wire {
namespace {

using namespace std::string_literals;

TEST_CASE("host names are letters, digits and little else", "[hostname]") {
    for (const std::string& name :
         {"pypi.example.com"s, "a"s, "_http._tcp.example.org"s, "192.0.2.7"s, "2001:db8::7"s, "fe80::1%eth0"s,
          "::ffff:192.0.2.7"s, "XN--80AK6AA92E.test"s, std::string(253, 'x')}) {
        INFO(name);
        REQUIRE(checked_host_name(name) == name);
    }
    REQUIRE(checked_host_name("pypi.example.com.") == "pypi.example.com");
}

TEST_CASE("anything else is no host name", "[hostname]") {
    for (const std::string& name : {""s,
                                    "."s,
                                    "a.."s,
                                    "a b"s,
                                    " a"s,
                                    "a\n"s,
                                    "a\x1b[m"s,
                                    "a\x7f"s,
                                    "a\0"s,
                                    "a\xc2\x9b"s,
                                    "a/b"s,
                                    "a@b"s,
                                    "a?b"s,
                                    "a#b"s,
                                    "a\\b"s,
                                    "a\"b"s,
                                    "a<b"s,
                                    "a:443"s,
                                    "a%b"s,
                                    "2001:db8::7\0x"s,
                                    "2001:db8::7%a/b"s,
                                    "::1 "s,
                                    "1::2::3"s,
                                    std::string(254, 'x')}) {
        INFO(name);
        REQUIRE_FALSE(checked_host_name(name));
    }
}

TEST_CASE("authorities are a host and perhaps a port", "[hostname]") {
    const auto read = [](const std::string& text) {
        const auto both = checked_authority(text);
        return both ? both->host + " " + std::to_string(both->port) : "";
    };
    REQUIRE(read("a.test") == "a.test 0");
    REQUIRE(read("a.test:443") == "a.test 443");
    REQUIRE(read("a.test:") == "a.test 0");
    REQUIRE(read("[2001:db8::7]") == "2001:db8::7 0");
    REQUIRE(read("[2001:db8::7]:443") == "2001:db8::7 443");
    for (const char* text : {"", ":443", "a.test:65536", "a.test:-1", "a.test:4 ", "a.test:1:2", "[2001:db8::7", "[a]b",
                             "[]:1", "user@a.test", "a.test/x"}) {
        INFO(text);
        REQUIRE(read(text).empty());
    }
}

}  // namespace
}  // namespace slowtrace::wire
