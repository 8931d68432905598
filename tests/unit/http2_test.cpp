// HTTP/2 with prior knowledge: the first request's method and authority, its answer's status.
#include "catch.hpp"
#include "conversations.hpp"
#include "wire/huffman.hpp"

namespace slowtrace::wire {
namespace {

using namespace std::string_literals;
using test::Conversation;
using test::Lines;
using test::received;
using test::sent;
using test::told;

const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string frame(int type, int flags, const std::string& payload) {
    std::string octets;
    for (int shift : {16, 8, 0}) octets += static_cast<char>(payload.size() >> shift);
    return octets + static_cast<char>(type) + static_cast<char>(flags) + "\0\0\0\1"s + payload;
}
const std::string settings = frame(4, 0, ""), acknowledged = frame(4, 1, "");

Lines of_block(const std::string& block) {
    return told(interpret_stream(), {sent(preface + settings + frame(1, 4, block))});
}
std::optional<std::string> decoded(const std::string& encoded, std::size_t limit = 100) {
    return decode_huffman({reinterpret_cast<const std::uint8_t*>(encoded.data()), encoded.size()}, limit);
}

TEST_CASE("Huffman codes are decoded", "[http2]") {
    // RFC 7541, appendices C.4 and C.6.
    REQUIRE(decoded("\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff") == "www.example.com");
    REQUIRE(decoded("\xa8\xeb\x10\x64\x9c\xbf") == "no-cache");
    REQUIRE(decoded("\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf") == "custom-value");
    REQUIRE(decoded("\x9d\x29\xad\x17\x18\x63\xc7\x8f\x0b\x97\xc8\xe9\xae\x82\xae\x43\xd3") ==
            "https://www.example.com");
    REQUIRE(decoded("") == "");
    REQUIRE_FALSE(decoded("\xa8\xeb\x10\x64\x9c\xbf", 7));
    REQUIRE_FALSE(decoded("\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xfe"));  // padded with a zero
    REQUIRE_FALSE(decoded("\xff\xff\xff\xff"));                                  // the end of string itself
    REQUIRE_FALSE(decoded("\xa8\xeb\x10\x64\x9c\xbf\xff"));                      // too much padding
}

TEST_CASE("a first request is read", "[http2]") {
    // RFC 7541, appendices C.3.1 and C.4.1.
    const std::string plain = "\x82\x86\x84\x41\x0fwww.example.com",
                      coded = "\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
    for (const std::string& block : {plain, coded}) {
        const Conversation exchange{sent(preface + settings), received(settings + acknowledged),
                                    sent(acknowledged + frame(8, 0, "\0\0\0\1"s) + frame(1, 5, block)),
                                    received(frame(1, 4, "\x8d\x40\1a\1b") + frame(0, 1, "x"))};
        REQUIRE(told(interpret_stream(), exchange) ==
                Lines{"> request GET 20", "> HTTP2_AUTHORITY www.example.com", "< response 404 20"});
        test::check_splits(interpret_stream, exchange);
        const auto interpreter = interpret_stream();
        test::feed(*interpreter, exchange);
        REQUIRE(interpreter->settled());
    }
}

TEST_CASE("blocks come padded, with priority, in parts", "[http2]") {
    const std::string block = "\x83\x41\x0bpypi.test:8"s;
    const auto exchange = [&](const std::string& frames) { return Conversation{sent(preface + settings + frames)}; };
    const Lines expected{"> request POST 20", "> HTTP2_AUTHORITY pypi.test:8"};
    for (const std::string& frames :
         {frame(1, 0x2c, "\3\0\0\0\0\7"s + block + "\0\0\0"s),
          frame(1, 0, block.substr(0, 3)) + frame(9, 0, block.substr(3, 4)) + frame(9, 4, block.substr(7))}) {
        REQUIRE(told(interpret_stream(), exchange(frames)) == expected);
        test::check_splits(interpret_stream, exchange(frames));
    }
}

TEST_CASE("literals name their field by index or in full", "[http2]") {
    REQUIRE(of_block("\x82\x01\x06"
                     "a.test"s) == Lines{"> request GET 20", "> HTTP2_AUTHORITY a.test"});
    REQUIRE(of_block("\x42\x03PUT\x10\x0a:authority\x06"
                     "a.test"s) == Lines{"> request PUT 20", "> HTTP2_AUTHORITY a.test"});
    REQUIRE(of_block("\x3f\xe1\x1f\x82\x41\x06"
                     "a.test"s) == Lines{"> request GET 20", "> HTTP2_AUTHORITY a.test"});
}

TEST_CASE("what refers to the dynamic table or is unsound claims nothing", "[http2]") {
    REQUIRE(of_block("\x82\xbe") == Lines{"> request GET 20"});
    REQUIRE(of_block("\x82\x7e\x06"
                     "a.test"s) == Lines{"> request GET 20"});
    REQUIRE(of_block("\x82\x41\x06"
                     "a\x1b[m.t"s) == Lines{"> request GET 20"});
    REQUIRE(of_block("\x82\x41\x0fu:secret@a.test") == Lines{"> request GET 20"});
    REQUIRE(of_block("\x82\x41\x7f\x7f" + std::string(254, 'x')) == Lines{"> request GET 20"});
    REQUIRE(of_block("\x82\x41\x20"
                     "a.test")
                .empty());
    REQUIRE(of_block("\x82\xff\xff\xff\xff\xff\xff\xff").empty());
    REQUIRE(of_block("\x42\x04G\x1bT!").empty());
}

TEST_CASE("frames that make no sense settle", "[http2]") {
    const std::string block =
        "\x82\x41\x06"
        "a.test";
    std::string many = settings;
    for (int i = 0; i < 100; ++i) many += acknowledged;
    for (const std::string& frames :
         {frame(1, 4, block), settings + frame(1, 8, "\x20" + block), many + frame(1, 4, block),
          settings + frame(1, 0, block) + acknowledged + frame(9, 4, ""), settings + "\x7f\xff\xff\1\4\0\0\0\1"s}) {
        const auto interpreter = interpret_stream();
        REQUIRE(test::feed(*interpreter, {sent(preface + frames)}).empty());
        REQUIRE(interpreter->wanted(Flow::sent) == 0);
    }
}

TEST_CASE("interim answers of HTTP/2 come before the final one", "[http2]") {
    REQUIRE(told(interpret_stream(), {sent(preface + settings + frame(1, 4, "\x82")), received(settings +
                                                                                               frame(1, 4,
                                                                                                     "\x08\x03"
                                                                                                     "103") +
                                                                                               frame(1, 4, "\x88"))}) ==
            Lines{"> request GET 20", "< response 103 20", "< response 200 20"});
}

}  // namespace
}  // namespace slowtrace::wire
