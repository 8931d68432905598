// Name services: questions and answers that do not travel as DNS.
#include <cstring>

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

std::unique_ptr<Interpreter> nscd() {
    return interpret_name_service("/var/run/nscd/socket");
}
std::unique_ptr<Interpreter> varlink() {
    return interpret_name_service("/run/systemd/resolve/io.systemd.Resolve");
}
std::unique_ptr<Interpreter> bus() {
    return interpret_name_service("/run/dbus/system_bus_socket");
}

TEST_CASE("other sockets are no name service", "[names]") {
    REQUIRE(interpret_name_service("/run/nscd/socket"));
    REQUIRE(interpret_name_service("/var/run/dbus/system_bus_socket"));
    for (const char* path : {"", "/run/nscd/socket2", "/run/nscd", "/run/user/1000/bus"}) {
        INFO(path);
        REQUIRE_FALSE(interpret_name_service(path));
    }
}

// --- nscd: 32-bit numbers in the machine's order

std::string numbers(const std::vector<std::int32_t>& values) {
    std::string octets(values.size() * 4, '\0');
    std::memcpy(octets.data(), values.data(), octets.size());
    return octets;
}
test::Said asks_nscd(std::int32_t type, const std::string& name) {
    return sent(numbers({2, type, static_cast<std::int32_t>(name.size()) + 1}) + name + '\0');
}
constexpr std::int32_t by_name = 4, by_name_v6 = 5, address_info = 14, cache_descriptor = 13;
const std::string v4 = "\xc0\x00\x02\x07"s, v6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + '\7';

TEST_CASE("nscd is asked for addresses of a family", "[names]") {
    const Conversation exchange{
        asks_nscd(by_name, "pypi.example.com"),
        received(numbers({2, 1, 16, 1, 2, 4, 2, 0}) + "cdn.example.net\0"s + numbers({5}) + v4 + v4 + "alias"s)};
    REQUIRE(told(nscd(), exchange) == Lines{"question NSCD 0 pypi.example.com/1",
                                            "answer NSCD 0 pypi.example.com/1 | pypi.example.com/5 -> cdn.example.net"
                                            " | cdn.example.net/1 192.0.2.7 | cdn.example.net/1 192.0.2.7"});
    test::check_splits(nscd, exchange);
    const auto name = "pypi.example.com\0"s;
    REQUIRE(told(nscd(), {asks_nscd(by_name_v6, "pypi.example.com"),
                          received(numbers({2, 1, 17, 0, 10, 16, 1, 0}) + name + v6)})
                .back() == "answer NSCD 0 pypi.example.com/28 | pypi.example.com/28 2001:db8::7");
    REQUIRE(told(nscd(), {asks_nscd(by_name_v6, "pypi.example.com"),
                          received(numbers({2, 1, 17, 0, 10, 4, 1, 0}) + name + v4 + v6)})
                .back() == "answer NSCD 0 pypi.example.com/28 | pypi.example.com/28 2001:db8::7");
}

TEST_CASE("nscd is asked for all addresses", "[names]") {
    const Conversation exchange{asks_nscd(address_info, "pypi.example.com"), received(numbers({2, 1, 2, 20, 16, 0})),
                                received(v6 + v4 + "\x0a\x02"s + "cdn.example.net\0"s)};
    REQUIRE(told(nscd(), exchange) == Lines{"question NSCD 0 pypi.example.com/0",
                                            "answer NSCD 0 pypi.example.com/0 | pypi.example.com/5 -> cdn.example.net"
                                            " | cdn.example.net/28 2001:db8::7 | cdn.example.net/1 192.0.2.7"});
    test::check_splits(nscd, exchange);
}

TEST_CASE("nscd says that there is none", "[names]") {
    const auto answer = [](std::int32_t found, std::int32_t error) {
        return told(nscd(), {asks_nscd(by_name, "a.test"), received(numbers({2, found, 0, 0, -1, -1, 0, error}))})
            .back();
    };
    REQUIRE(answer(0, 1) == "answer NSCD 0 code 3 a.test/1");
    REQUIRE(answer(0, 2) == "answer NSCD 0 code 2 a.test/1");
    REQUIRE(answer(0, 4) == "answer NSCD 0 a.test/1");
    REQUIRE(answer(-1, 0) == "answer NSCD 0 code 5 a.test/1");
}

TEST_CASE("what is asked of nscd but no name settles", "[names]") {
    for (const Conversation& other :
         {Conversation{asks_nscd(cache_descriptor, "hosts")}, Conversation{asks_nscd(0, "root")},
          Conversation{asks_nscd(by_name, "a\x1b[m")}, Conversation{asks_nscd(by_name, std::string(254, 'x'))},
          Conversation{sent(numbers({2, by_name, -1}))}, Conversation{sent(numbers({2, by_name, 1 << 30}))},
          Conversation{sent(numbers({1, by_name, 2}) + "a\0"s)}, Conversation{received("x")},
          Conversation{sent("", 12)}}) {
        const auto interpreter = nscd();
        REQUIRE(test::feed(*interpreter, other).empty());
        REQUIRE(interpreter->settled());
    }
}

TEST_CASE("lying lengths of nscd's are bounded", "[names]") {
    for (const std::int32_t lie : {-1, 1 << 30, 1 << 19}) {
        for (std::size_t place = 2; place < 7; ++place) {
            std::vector<std::int32_t> header{2, 1, 7, 0, 2, 4, 1, 0};
            if (place == 4 || place == 5) continue;  // family, address size
            header[place] = lie;
            const auto interpreter = nscd();
            const Lines lines = test::feed(
                *interpreter, {asks_nscd(by_name, "a.test"), received(numbers(header) + std::string(20'000, 'x'))});
            REQUIRE(lines.size() == 1);
            REQUIRE(interpreter->settled());
        }
    }
}

// --- varlink

test::Said calls(const std::string& json) {
    return sent(json + '\0');
}
test::Said replies(const std::string& json) {
    return received(json + '\0');
}
std::string resolve_call(const std::string& name, int family) {
    return R"({"method":"io.systemd.Resolve.ResolveHostname","parameters":{"name":")" + name + R"(","family":)" +
           std::to_string(family) + R"(,"flags":0}})";
}

TEST_CASE("resolved answers by varlink, in the order of the questions", "[names]") {
    const Conversation exchange{
        sent(resolve_call("pypi.example.com", 0) + '\0' + R"({"method":"org.varlink.service.GetInfo"})" + '\0'),
        calls(resolve_call("missing.test", 2)),
        replies(
            R"({"parameters":{"addresses":[{"ifindex":2,"family":10,"address":[32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,7]},)"
            R"({"family":2,"address":[192,0,2,7]}],"name":"cdn.example.net","flags":1}})"),
        replies(R"({"parameters":{"vendor":"systemd"}})"),
        replies(R"({"error":"io.systemd.Resolve.DNSError","parameters":{"rcode":3}})")};
    REQUIRE(told(varlink(), exchange) ==
            Lines{"question RESOLVED_VARLINK 1 pypi.example.com/0", "question RESOLVED_VARLINK 2 missing.test/1",
                  "answer RESOLVED_VARLINK 1 pypi.example.com/0 | pypi.example.com/5 -> cdn.example.net"
                  " | cdn.example.net/28 2001:db8::7 | cdn.example.net/1 192.0.2.7",
                  "answer RESOLVED_VARLINK 2 code 3 missing.test/1"});
    test::check_splits(varlink, exchange);
}

TEST_CASE("resolved's errors by varlink", "[names]") {
    const auto error = [](const std::string& name) {
        return told(varlink(), {calls(resolve_call("a.test", 10)), replies(R"({"error":")" + name + R"("})")}).back();
    };
    REQUIRE(error("io.systemd.Resolve.NoSuchResourceRecord") == "answer RESOLVED_VARLINK 1 a.test/28");
    REQUIRE(error("io.systemd.Resolve.NoNameServers") == "answer RESOLVED_VARLINK 1 code 2 a.test/28");
}

TEST_CASE("unsound varlink is passed over or settles", "[names]") {
    REQUIRE(told(varlink(), {calls(resolve_call("a\\u001b[m", 2)), replies(R"({"parameters":{}})"),
                             calls(resolve_call("b.test", 2))}) == Lines{"question RESOLVED_VARLINK 2 b.test/1"});
    for (const Conversation& other :
         {Conversation{calls("")}, Conversation{calls("[1]")}, Conversation{calls("{\"a\":")},
          Conversation{calls("\xff")}, Conversation{replies("{}")}, Conversation{sent(std::string(20'000, ' '))},
          Conversation{sent(std::string(10'000, '['), 40)}}) {
        const auto interpreter = varlink();
        REQUIRE(test::feed(*interpreter, other).empty());
        REQUIRE(interpreter->settled());
    }
    for (const char* odd :
         {R"({"parameters":[]})", R"({"parameters":{"addresses":{},"name":7}})",
          R"({"parameters":{"addresses":[7,{"address":[256,0,0,0]},{"address":[1]},{"address":["x"]}]}})"}) {
        INFO(odd);
        REQUIRE(told(varlink(), {calls(resolve_call("a.test", 2)), replies(odd)}).back() ==
                "answer RESOLVED_VARLINK 1 a.test/1");
    }
}

// --- the system bus

// Marshals values as a D-Bus peer of either byte order does.
class BusWriter {
   public:
    explicit BusWriter(bool little) : little_(little) {}
    BusWriter& pad(std::size_t to) {
        while (octets.size() % to != 0) octets += '\0';
        return *this;
    }
    BusWriter& number(std::uint64_t value, std::size_t size) {
        pad(size);
        for (std::size_t i = 0; i < size; ++i) octets += static_cast<char>(value >> 8 * (little_ ? i : size - 1 - i));
        return *this;
    }
    BusWriter& text(const std::string& value) {
        number(value.size(), 4).octets += value + '\0';
        return *this;
    }
    BusWriter& field(int code, const std::string& type, const std::string& value) {
        pad(8).octets += static_cast<char>(code) + "\1"s + type + '\0';
        if (type == "g") {
            octets += static_cast<char>(value.size()) + value + '\0';
            return *this;
        }
        return type == "u" ? number(std::stoul(value), 4) : text(value);
    }
    std::string octets;

   private:
    bool little_;
};

std::string bus_message(bool little, int type, unsigned serial, const BusWriter& fields, const std::string& body) {
    BusWriter message(little);
    message.octets = (little ? "l"s : "B"s) + static_cast<char>(type) + "\0\1"s;
    message.number(body.size(), 4).number(serial, 4).number(fields.octets.size(), 4);
    message.octets += fields.octets;
    return message.pad(8).octets + body;
}
std::string resolve_hostname(bool little, unsigned serial, const std::string& name, int family) {
    BusWriter fields(little), body(little);
    fields.field(1, "o", "/org/freedesktop/resolve1").field(3, "s", "ResolveHostname");
    fields.field(2, "s", "org.freedesktop.resolve1.Manager").field(6, "s", "org.freedesktop.resolve1");
    fields.field(8, "g", "isit");
    body.number(0, 4).text(name).number(static_cast<unsigned>(family), 4).number(0, 8);
    return bus_message(little, 1, serial, fields, body.octets);
}
std::string other_call(bool little, unsigned serial) {
    BusWriter fields(little);
    fields.field(1, "o", "/org/freedesktop/DBus").field(2, "s", "org.freedesktop.DBus").field(3, "s", "Hello");
    return bus_message(little, 1, serial, fields, "");
}
std::string results(bool little, unsigned reply_serial) {
    BusWriter fields(little), body(little), addresses(little);
    fields.field(5, "u", std::to_string(reply_serial)).field(8, "g", "a(iiay)st");
    addresses.number(2, 4).number(10, 4).number(16, 4).octets += v6;
    addresses.pad(8).number(2, 4).number(2, 4).number(4, 4).octets += v4;
    body.number(addresses.octets.size(), 4).pad(8).octets += addresses.octets;
    body.text("cdn.example.net").number(0, 8);
    return bus_message(little, 2, 77, fields, body.octets);
}
std::string bus_failure(bool little, unsigned reply_serial, const std::string& error) {
    BusWriter fields(little);
    fields.field(5, "u", std::to_string(reply_serial)).field(4, "s", error);
    return bus_message(little, 3, 78, fields, "");
}

TEST_CASE("resolved answers on the bus, matched by serial", "[names]") {
    for (const bool little : {true, false}) {
        INFO("little endian: " << little);
        const Conversation exchange{
            sent("\0AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"s + other_call(little, 1)),
            received("OK 0123456789abcdef\r\nAGREE_UNIX_FD\r\n"),
            sent(resolve_hostname(little, 2, "pypi.example.com", 0)),
            sent(resolve_hostname(little, 3, "missing.test", 2)),
            received(bus_failure(little, 1, "org.freedesktop.DBus.Error.Failed") +
                     bus_failure(little, 3, "org.freedesktop.resolve1.DnsError.NXDOMAIN")),
            received(results(little, 2))};
        const Lines expected{"question RESOLVED_DBUS 2 pypi.example.com/0", "question RESOLVED_DBUS 3 missing.test/1",
                             "answer RESOLVED_DBUS 3 code 3 missing.test/1",
                             "answer RESOLVED_DBUS 2 pypi.example.com/0 | pypi.example.com/5 -> cdn.example.net"
                             " | cdn.example.net/28 2001:db8::7 | cdn.example.net/1 192.0.2.7"};
        REQUIRE(told(bus(), exchange) == expected);
        test::check_splits(bus, exchange);
    }
}

TEST_CASE("a large message on the bus is passed over", "[names]") {
    BusWriter fields(true);
    fields.field(8, "g", "ay");
    const std::string large = bus_message(true, 4, 9, fields, std::string(100'000, 'x'));
    const test::Said begin = sent("\0AUTH\r\nBEGIN\r\n"s + resolve_hostname(true, 2, "a.test", 2));
    const Lines expected{"question RESOLVED_DBUS 2 a.test/1", "answer RESOLVED_DBUS 2 code 5 a.test/1"};
    const std::string refusal = bus_failure(true, 2, "org.freedesktop.resolve1.DnsError.REFUSED");
    REQUIRE(told(bus(), {begin, received("OK\r\n"), received(large), received(refusal)}) == expected);
    REQUIRE(told(bus(), {begin, received(large.substr(0, 100), large.size() - 100), received(refusal)}) == expected);
    const auto lost = bus();
    test::feed(*lost, {begin, received(large.substr(0, 100), large.size() - 99)});
    REQUIRE(lost->settled());
}

TEST_CASE("a program busy with others on the bus is left alone", "[names]") {
    const auto interpreter = bus();
    test::feed(*interpreter, {sent("\0AUTH\r\nBEGIN\r\n"s)});
    for (int i = 0; i < 1'000 && !interpreter->settled(); ++i)
        test::feed(*interpreter, {sent(other_call(true, static_cast<unsigned>(i + 1)))});
    REQUIRE(interpreter->settled());
}

TEST_CASE("what is no bus message settles", "[names]") {
    const std::string good = resolve_hostname(true, 2, "a.test", 2);
    for (std::size_t at : {0U, 3U, 7U, 15U, 17U, 20U}) {
        std::string bad = good;
        bad[at] = '\x7f';
        const auto interpreter = bus();
        INFO(at);
        REQUIRE(test::feed(*interpreter, {sent("\0AUTH\r\nBEGIN\r\n"s + bad + std::string(40, '\0'))}).empty());
        REQUIRE(interpreter->settled());
    }
    const auto unsound = bus();
    REQUIRE(test::feed(*unsound, {sent("\0AUTH\r\nBEGIN\r\n"s + resolve_hostname(true, 2, "a\x1b", 2)),
                                  received(results(true, 2))})
                .empty());
}

}  // namespace
}  // namespace slowtrace::wire
