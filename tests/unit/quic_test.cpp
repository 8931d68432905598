// QUIC connections: the server's name inside protected Initials. Conversations: fixtures/packets.
#include "catch.hpp"
#include "conversations.hpp"
#include "wire/quic_packet.hpp"

namespace slowtrace::wire {
namespace {

using namespace std::string_literals;
using test::conversation;
using test::Conversation;
using test::Lines;
using test::received;
using test::sent;
using test::told;

TEST_CASE("the Initials of the RFCs are read", "[quic]") {
    for (const char* name : {"quic-rfc9001", "quic-rfc9369"}) {
        INFO(name);
        const auto interpreter = interpret_datagrams();
        REQUIRE(test::feed(*interpreter, conversation(name)) == Lines{"> QUIC_SNI example.com"});
        REQUIRE(interpreter->settled());
        REQUIRE(interpreter->wanted(Flow::sent) == 0);
    }
}

TEST_CASE("a hello over several datagrams is put together", "[quic]") {
    REQUIRE(told(interpret_datagrams(), conversation("quic-shuffled")) == Lines{"> QUIC_SNI example.com"});
    for (const char* name : {"quic-client-v1", "quic-client-v2"}) {
        INFO(name);
        REQUIRE(conversation(name).size() >= 2);
        REQUIRE(told(interpret_datagrams(), {conversation(name)[0]}).empty());
        REQUIRE(told(interpret_datagrams(), conversation(name)) == Lines{"> QUIC_SNI pypi.example.com"});
    }
}

TEST_CASE("datagrams may come twice and in any order", "[quic]") {
    const Conversation order = conversation("quic-client-v1");
    REQUIRE(told(interpret_datagrams(), {order[1], order[1], received("x"), order[0]}) ==
            Lines{"> QUIC_SNI pypi.example.com"});
}

TEST_CASE("after a retry the keys are others", "[quic]") {
    REQUIRE(told(interpret_datagrams(), conversation("quic-retry")) == Lines{"> QUIC_SNI example.com"});
}

TEST_CASE("packets may share a datagram", "[quic]") {
    const Conversation parts = conversation("quic-client-v1");
    REQUIRE(told(interpret_datagrams(), {sent(parts[0].octets + parts[1].octets)}) ==
            Lines{"> QUIC_SNI pypi.example.com"});
}

TEST_CASE("a hello that never becomes whole is given up", "[quic]") {
    const auto interpreter = interpret_datagrams();
    const Conversation incomplete = conversation("quic-incomplete");
    int fed = 0;
    for (const test::Said& said : incomplete) {
        if (interpreter->settled()) break;
        REQUIRE(test::feed(*interpreter, {said}).empty());
        ++fed;
    }
    REQUIRE(fed == 8);
    REQUIRE(interpreter->settled());
}

TEST_CASE("other datagrams settle at once", "[quic]") {
    const std::string initial = conversation("quic-rfc9001")[0].octets;
    for (const std::string& octets : {"short"s, initial.substr(0, 1'199), "\x40"s + initial.substr(1), ""s}) {
        const auto interpreter = interpret_datagrams();
        REQUIRE(interpreter->wanted(Flow::received) == 0);
        REQUIRE(test::feed(*interpreter, {sent(octets)}).empty());
        REQUIRE(interpreter->settled());
    }
    const auto unread = interpret_datagrams();
    test::feed(*unread, {sent("", 1'300)});
    REQUIRE(unread->settled());
}

TEST_CASE("a damaged Initial is not believed", "[quic]") {
    const std::string good = conversation("quic-rfc9001")[0].octets;
    for (std::size_t at = 1; at < good.size(); at += at < 64 ? 1 : 37) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x10);
        INFO("octet " << at);
        REQUIRE(told(interpret_datagrams(), {sent(bad)}).empty());
    }
    // Read in part it is no whole packet; the datagrams that follow may still tell.
    REQUIRE(told(interpret_datagrams(), {sent(good.substr(0, 600), 600), sent(good)}) ==
            Lines{"> QUIC_SNI example.com"});
}

TEST_CASE("frames are bounded by their packet", "[quic]") {
    const auto frames = [](const std::string& octets) {
        return read_crypto_frames({reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()});
    };
    REQUIRE(frames("\0\1\x06\2\3abc\x06\5\1d"s).size() == 2);
    REQUIRE(frames("\x06\0\1a"s).size() == 1);
    REQUIRE(frames("\x06\0\2a"s).empty());
    REQUIRE(frames("\x06\0"s).empty());
    REQUIRE(frames("\x1c\0\0\x06\0\1a"s).empty());                                       // a close ends the reading
    REQUIRE(frames("\2\5\0\x80\xff\xff\xff\0\x06\0\1a"s).empty());                       // ranges without end
    REQUIRE(frames("\3\5\0\1\0\1\2\0\0\0\x06\x40\x08\1a"s).at(0).offset == 8);           // with counts
    REQUIRE(frames("\x06\xff\xff\xff\xff\xff\xff\xff\xff\1a"s).at(0).data.size() == 1);  // kept nowhere
}

}  // namespace
}  // namespace slowtrace::wire
