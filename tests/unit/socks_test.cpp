// SOCKS clients: the host they mean, and what travels inside.
#include "catch.hpp"
#include "conversations.hpp"

namespace slowtrace::wire {
namespace {

using namespace std::string_literals;
using test::Conversation;
using test::Lines;
using test::received;
using test::sent;
using test::told;

const std::string greeting = "\x05\x01\x00"s, chosen = "\x05\x00"s,
                  granted = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"s;
const std::string by_name = "\x05\x01\x00\x03\x10pypi.example.com\x01\xbb"s;
const auto inside = sent("GET / HTTP/1.1\r\nHost: pypi.example.com\r\n\r\n");

TEST_CASE("a SOCKS 5 domain is claimed and the tunnel read", "[socks]") {
    const Conversation whole{sent(greeting), received(chosen), sent(by_name), received(granted), inside};
    REQUIRE(told(interpret_stream(), whole) == Lines{"> SOCKS pypi.example.com:443", "< proxy 0 granted",
                                                     "> request GET 11", "> HTTP_HOST pypi.example.com"});
    test::check_splits(interpret_stream, whole);
}

TEST_CASE("SOCKS 5 credentials are passed over", "[socks]") {
    const Conversation whole{sent("\x05\x02\x00\x02"s),
                             received("\x05\x02"),
                             sent("\x01\x04user\x06secret"),
                             received("\x01\x00"s),
                             sent(by_name),
                             received(granted),
                             inside};
    const Lines lines = told(interpret_stream(), whole);
    REQUIRE(lines[0] == "> SOCKS pypi.example.com:443");
    REQUIRE(lines.size() == 4);
    test::check_splits(interpret_stream, whole);
}

TEST_CASE("SOCKS 5 addresses are claimed as text", "[socks]") {
    const auto claim = [](const std::string& address) {
        return told(interpret_stream(),
                    {sent(greeting), received(chosen), sent("\x05\x01\x00"s + address + "\x00\x50"s)});
    };
    REQUIRE(claim("\x01\xc0\x00\x02\x07"s) == Lines{"> SOCKS 192.0.2.7:80"});
    REQUIRE(claim("\x04\x20\x01\x0d\xb8"s + std::string(11, '\0') + '\1') == Lines{"> SOCKS 2001:db8::1:80"});
    REQUIRE(claim("\x03\x03\x61\x1b\x62"s).empty());
    REQUIRE(claim("\x09\x03\x61\x61\x62"s).empty());
}

TEST_CASE("a refusal is told", "[socks]") {
    const auto interpreter = interpret_stream();
    REQUIRE(test::feed(*interpreter, {sent(greeting), received(chosen), sent(by_name), received("\x05\x05\x00"s)}) ==
            Lines{"> SOCKS pypi.example.com:443", "< proxy 5"});
    REQUIRE(interpreter->settled());
}

TEST_CASE("a request sent along with the greeting is told as sent", "[socks]") {
    REQUIRE(told(interpret_stream(), {sent(greeting + by_name), received(chosen + granted)}) ==
            Lines{"> SOCKS pypi.example.com:443", "< proxy 0 granted"});
}

TEST_CASE("SOCKS 4 and 4a requests are claimed", "[socks]") {
    const Conversation by_address{sent("\x04\x01\x00\x50\xc0\x00\x02\x07user\x00"s), received("\x00\x5a......"s),
                                  inside};
    REQUIRE(told(interpret_stream(), by_address)[0] == "> SOCKS 192.0.2.7:80");
    test::check_splits(interpret_stream, by_address);
    const Conversation named{sent("\x04\x01\x01\xbb\x00\x00\x00\x01user\x00pypi.example.com\x00"s),
                             received("\x00\x5a......"s), inside};
    REQUIRE(told(interpret_stream(), named) == Lines{"> SOCKS pypi.example.com:443", "< proxy 90 granted",
                                                     "> request GET 11", "> HTTP_HOST pypi.example.com"});
    test::check_splits(interpret_stream, named);
    REQUIRE(told(interpret_stream(), {named[0], received("\x00\x5b......"s), inside}).back() == "< proxy 91");
}

TEST_CASE("what only begins like SOCKS settles", "[socks]") {
    for (const Conversation& other :
         {Conversation{sent(greeting), received("\x05\xff")}, Conversation{sent(greeting), received("HTTP/1.1 400")},
          Conversation{sent("\x04\x01\x00\x50\xc0\x00\x02\x07\xff\xfe"s)},
          Conversation{sent(std::string("\x05\x00", 2))},
          Conversation{sent("\x04\x01\x00\x50\xc0\x00\x02\x07"s + std::string(5'000, 'x'))},
          Conversation{sent(greeting), received(chosen), sent("\x05\x02\x00\x01\xc0\x00\x02\x07\x00\x50"s)},
          Conversation{sent(greeting), received("", 40)}}) {
        const auto interpreter = interpret_stream();
        REQUIRE(test::feed(*interpreter, other).empty());
        REQUIRE(interpreter->settled());
    }
}

}  // namespace
}  // namespace slowtrace::wire
