// TLS connections: hellos and record headers, however they are cut. Conversations: fixtures/packets.
#include "catch.hpp"
#include "conversations.hpp"

namespace slowtrace::wire {
namespace {

using test::conversation;
using test::Conversation;
using test::Lines;
using test::received;
using test::sent;
using test::told;

std::string big_endian(std::size_t number, std::size_t width) {
    std::string octets;
    for (std::size_t shift = width * 8; shift > 0; shift -= 8) octets += static_cast<char>(number >> (shift - 8));
    return octets;
}
std::string part(const std::string& octets, std::size_t width) {
    return big_endian(octets.size(), width) + octets;
}
std::string extension(std::size_t number, const std::string& data) {
    return big_endian(number, 2) + part(data, 2);
}
std::string server_name(const std::string& name) {
    return extension(0, part(std::string(1, '\0') + part(name, 2), 2));
}
std::string client_hello(const std::string& extensions) {
    const std::string body = "\x03\x03" + std::string(32, 'r') + part("", 1) + part("\x13\x01", 2) +
                             part(std::string(1, '\0'), 1) + part(extensions, 2);
    return '\x01' + part(body, 3);
}
std::string record(const std::string& body, char type = 22) {
    return type + std::string("\x03\x01") + part(body, 2);
}

Lines of_hello(const std::string& extensions) {
    return told(interpret_stream(), {sent(record(client_hello(extensions)))});
}

TEST_CASE("a TLS 1.3 handshake is told until it is over", "[tls]") {
    const auto interpreter = interpret_stream();
    const Lines lines = test::feed(*interpreter, conversation("tls13"));
    REQUIRE(lines == Lines{"> tls 22 client_hello 0304 http/1.1", "> TLS_SNI pypi.example.com",
                           "< tls 22 server_hello 0304", "< tls 20", "< tls 23", "< tls 23", "< tls 23", "< tls 23",
                           "> tls 20", "> tls 23", "< tls 23", "< tls 23", "> tls 23", "< tls 23", "> tls 23"});
    REQUIRE(interpreter->settled());
    REQUIRE(interpreter->wanted(Flow::sent) == 0);
    REQUIRE(interpreter->wanted(Flow::received) == 0);
}

// A handshake under TLS 1.3 up to the client's Finished.
Conversation tls13_handshake(const std::string& protocols) {
    const std::string server_hello = "\x02" + part("\x03\x03" + std::string(32, 'r') + part("", 1) + "\x13\x01" +
                                                       std::string(1, '\0') + part(extension(43, "\x03\x04"), 2),
                                                   3);
    return {sent(record(client_hello(extension(43, part("\x03\x04", 1)) + extension(16, part(protocols, 2))))),
            received(record(server_hello) + record(std::string(60, 'e'), 23) + record(std::string(900, 'c'), 23)),
            sent(record(std::string(53, 'f'), 23))};
}
std::ptrdiff_t records_received_after(const std::string& protocols, const std::vector<std::size_t>& lengths) {
    const auto interpreter = interpret_stream();
    test::feed(*interpreter, tls13_handshake(protocols));
    test::feed(*interpreter, {sent(record(std::string(200, 'r'), 23)), sent(record(std::string(200, 'r'), 23))});
    std::string answer;
    for (const std::size_t length : lengths) answer += record(std::string(length, 'x'), 23);
    const Lines lines = test::feed(*interpreter, {received(answer)});
    REQUIRE(interpreter->settled());
    return std::count(lines.begin(), lines.end(), "< tls 23");
}

TEST_CASE("TLS 1.3 records are told up to the one that begins the answer", "[tls]") {
    const std::string http1 = part("http/1.1", 1), http2 = part("h2", 1);
    REQUIRE(records_received_after(http1, {250, 250, 800, 250}) == 3);
    REQUIRE(records_received_after(http1, {250, 60, 250}) == 2);
    REQUIRE(records_received_after(http2, {250, 250, 60, 40, 800, 250}) == 5);
    REQUIRE(records_received_after(http1, std::vector<std::size_t>(40, 120)) == 6);
    REQUIRE(records_received_after(http2, std::vector<std::size_t>(40, 50)) == 6);
}

TEST_CASE("a TLS 1.2 handshake is told until it is over", "[tls]") {
    const auto interpreter = interpret_stream();
    const Lines lines = test::feed(*interpreter, conversation("tls12"));
    REQUIRE(lines == Lines{"> tls 22 client_hello 0303 http/1.1", "> TLS_SNI pypi.example.com",
                           "< tls 22 server_hello 0303 http/1.1", "< tls 22", "< tls 22", "< tls 22", "> tls 22",
                           "> tls 20", "> tls 22", "< tls 22", "< tls 20", "< tls 22", "> tls 23"});
    REQUIRE(interpreter->settled());
}

TEST_CASE("a retried hello is read twice and claimed once", "[tls]") {
    const Lines lines = told(interpret_stream(), conversation("tls13-retry"));
    REQUIRE(std::count(lines.begin(), lines.end(), "> tls 22 client_hello 0304 http/1.1") == 2);
    REQUIRE(std::count(lines.begin(), lines.end(), "< tls 22 server_hello 0304") == 2);
    REQUIRE(std::count(lines.begin(), lines.end(), "> TLS_SNI pypi.example.com") == 1);
    REQUIRE(std::count(lines.begin(), lines.end(), "> tls 23") == 3);
}

TEST_CASE("no name, no claim", "[tls]") {
    const Lines lines = told(interpret_stream(), conversation("tls12-no-name"));
    REQUIRE(lines[0] == "> tls 22 client_hello 0303 http/1.1");
    REQUIRE(test::without_records(lines).empty());
}

TEST_CASE("TLS facts do not depend on how transfers are cut", "[tls]") {
    for (const char* name : {"tls13", "tls12", "tls13-retry", "tls13-client-certificate", "tls12-no-name"}) {
        INFO(name);
        test::check_splits(interpret_stream, conversation(name));
    }
}

TEST_CASE("a hello in several records is one", "[tls]") {
    const std::string hello = client_hello(server_name("pypi.example.com"));
    std::string fragments;
    for (std::size_t at = 0; at < hello.size(); at += 20) fragments += record(hello.substr(at, 20));
    const Lines lines = told(interpret_stream(), {sent(fragments)});
    REQUIRE(lines.front() == "> tls 22 client_hello 0303");
    REQUIRE(lines.back() == "> TLS_SNI pypi.example.com");
    test::check_splits(interpret_stream, {sent(fragments)});
}

TEST_CASE("the highest version offered is told, grease left out", "[tls]") {
    REQUIRE(of_hello(extension(43, part("\x7a\x7a\x03\x04\x03\x03", 1))) == Lines{"> tls 22 client_hello 0304"});
    REQUIRE(of_hello(extension(43, part("\x03\x02\x03\x03", 1))) == Lines{"> tls 22 client_hello 0303"});
    REQUIRE(of_hello("") == Lines{"> tls 22 client_hello 0303"});
}

TEST_CASE("protocols are printable and few", "[tls]") {
    REQUIRE(of_hello(extension(16, part(part("h2", 1) + part("a\x1b[m", 1) + part("http/1.1", 1), 2))) ==
            Lines{"> tls 22 client_hello 0303 h2 http/1.1"});
    std::string many;
    for (int i = 0; i < 50; ++i) many += part("h2", 1);
    REQUIRE(of_hello(extension(16, part(many, 2)))[0].size() ==
            std::string("> tls 22 client_hello 0303").size() + 8 * 3);
}

TEST_CASE("an unsound server name is none", "[tls]") {
    using namespace std::string_literals;
    const std::string label(63, 'x');
    const std::string longest = label + "." + label + "." + label + "." + label.substr(2);
    REQUIRE(longest.size() == 253);
    REQUIRE(of_hello(server_name(longest)).back() == "> TLS_SNI " + longest);
    REQUIRE(of_hello(server_name("pypi.example.com.")).back() == "> TLS_SNI pypi.example.com");
    const std::vector<std::string> unsound{longest + "x", "",
                                           ".",           "a..",
                                           "a b.test",    "a\x1b[31m.test",
                                           "a\0b.test"s,  "a/b.test",
                                           "user@a.test", "a\xc3\xa9.test",
                                           "a\n.test",    std::string(40'000, 'x')};
    for (const std::string& name : unsound) {
        INFO(name.substr(0, 300));
        REQUIRE(test::without_records(of_hello(server_name(name))).empty());
    }
}

TEST_CASE("lengths that lie make a hello say nothing", "[tls]") {
    const std::string good = record(client_hello(server_name("pypi.example.com")));
    const auto with = [&](std::size_t at, char value) {
        std::string bad = good;
        bad[at] = value;
        return told(interpret_stream(), {sent(bad)});
    };
    constexpr std::size_t session = 43, extensions = 50, name_extension = 54, name_list = 56, name = 59;
    for (const std::size_t at : {session, extensions, name_extension, name_list, name}) {
        INFO(at);
        REQUIRE(test::without_records(with(at, '\xff')).empty());
    }
    REQUIRE(with(name_list + 1, 3) == Lines{"> tls 22 client_hello 0000"});
}

TEST_CASE("a giant hello is given up", "[tls]") {
    std::string message = client_hello(extension(21, std::string(65'000, '\0')) + server_name("late.test"));
    message += std::string(4, '\0');  // more handshake octets
    std::string fragments;
    for (std::size_t at = 0; at < message.size(); at += 16'384) fragments += record(message.substr(at, 16'384));
    REQUIRE(test::without_records(told(interpret_stream(), test::in_pieces({sent(fragments)}, 4'000))).back() ==
            "> TLS_SNI late.test");
    std::string huge = record("\x01\xff\xff\xff" + std::string(16'000, 'x'));
    for (int i = 0; i < 100; ++i) huge += record(std::string(16'000, 'x'));
    const auto interpreter = interpret_stream();
    const Lines lines = test::feed(*interpreter, test::in_pieces({sent(huge)}, 4'000));
    REQUIRE(test::without_records(lines).empty());
    REQUIRE(lines.size() <= 64);
    REQUIRE(interpreter->wanted(Flow::sent) == 0);
    std::string crumbs;
    const std::string hello = client_hello(server_name("pypi.example.com"));
    for (const char octet : hello) crumbs += record(std::string(1, octet));
    REQUIRE(test::without_records(told(interpret_stream(), {sent(crumbs)})).empty());
}

TEST_CASE("what of a hello was not read is not made up", "[tls]") {
    const std::string hello =
        record(client_hello(server_name("pypi.example.com") + extension(43, part("\x03\x04", 1))));
    for (std::size_t read = 6; read < hello.size(); ++read) {
        const Lines lines = told(interpret_stream(), {sent(hello.substr(0, read), hello.size() - read)});
        INFO("read " << read << " of " << hello.size());
        REQUIRE(lines[0] == "> tls 22 client_hello 0000");
        const bool name_read = read >= hello.size() - 7;
        REQUIRE(lines.size() == (name_read ? 2 : 1));
    }
}

TEST_CASE("a header among unread octets settles that direction", "[tls]") {
    const auto interpreter = interpret_stream();
    test::feed(*interpreter, {sent(record(client_hello(server_name("pypi.example.com")))),
                              received(record(std::string(100, 'x'), 23).substr(0, 50), 56)});
    REQUIRE(interpreter->wanted(Flow::received) == 0);
    REQUIRE(interpreter->wanted(Flow::sent) > 0);
    REQUIRE(test::feed(*interpreter,
                       {sent(record("", 20) + record("x", 23).substr(0, 7), 0), sent("", 300), sent(record("x", 23))})
                .size() == 2);
    REQUIRE(interpreter->settled());
}

TEST_CASE("an alert is told", "[tls]") {
    REQUIRE(told(interpret_stream(), {sent(record(client_hello(""))), received(record("\x02\x28", 21))}) ==
            Lines{"> tls 22 client_hello 0303", "< tls 21"});
}

TEST_CASE("what is no record ends it", "[tls]") {
    const auto interpreter = interpret_stream();
    test::feed(*interpreter,
               {sent(record(client_hello(""))), sent("GET / HTTP/1.1\r\n"), received("HTTP/1.1 400 Bad")});
    REQUIRE(interpreter->settled());
}

}  // namespace
}  // namespace slowtrace::wire
