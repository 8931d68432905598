// Real clients, as fixtures/packets/capture_conversations.py captured them: whom they meant, and none of their secrets.
#include "catch.hpp"
#include "conversations.hpp"
#include "temporary_directory.hpp"

namespace slowtrace::wire {
namespace {

using test::conversation;
using test::Lines;

struct Captured {
    const char* name;
    test::Make make;
    Lines told;  // TLS records left out
};

std::unique_ptr<Interpreter> nscd() {
    return interpret_name_service("/run/nscd/socket");
}
std::unique_ptr<Interpreter> bus() {
    return interpret_name_service("/run/dbus/system_bus_socket");
}

const std::vector<Captured> captured{
    {"http-curl", interpret_stream, {"> request GET 11", "> HTTP_HOST pypi.example.com:28080", "< response 200 11"}},
    {"proxy-curl",
     interpret_stream,
     {"> request GET 11", "> HTTP_TARGET pypi.example.com", "< response 407 11", "> request GET 11",
      "> HTTP_TARGET pypi.example.com", "< response 200 11", "> request GET 11", "> HTTP_TARGET extra.example.org",
      "< response 407 11", "> request GET 11", "> HTTP_TARGET extra.example.org", "< response 200 11"}},
    {"tunnel-curl",
     interpret_stream,
     {"> request CONNECT 11", "> HTTP_CONNECT pypi.example.com:443", "< response 200 11", "< proxy 200 granted",
      "> TLS_SNI pypi.example.com"}},
    {"socks5-curl",
     interpret_stream,
     {"> SOCKS pypi.example.com:80", "< proxy 0 granted", "> request GET 11", "> HTTP_HOST pypi.example.com",
      "< response 200 11"}},
    {"socks4-curl",
     interpret_stream,
     {"> SOCKS pypi.example.com:80", "< proxy 90 granted", "> request GET 11", "> HTTP_HOST pypi.example.com",
      "< response 200 11"}},
    {"tls-node", interpret_stream, {"> TLS_SNI localhost"}},
    {"tls-http2-curl", interpret_stream, {"> TLS_SNI pypi.example.com"}},
    {"http2-curl",
     interpret_stream,
     {"> request GET 20", "> HTTP2_AUTHORITY pypi.example.com:28081", "< response 200 20"}},
    // Nobody answered for resolved on that bus.
    {"bus-busctl",
     bus,
     {"question RESOLVED_DBUS 2 pypi.example.com/1", "answer RESOLVED_DBUS 2 code 2 pypi.example.com/1"}},
    {"nscd-getent-1",
     nscd,
     {"question NSCD 0 pypi.example.com/0",
      "answer NSCD 0 pypi.example.com/0 | pypi.example.com/1 192.0.2.7 | pypi.example.com/28 2001:db8::7"}},
    {"nscd-getent-2",
     nscd,
     {"question NSCD 0 pypi.example.com/0",
      "answer NSCD 0 pypi.example.com/0 | pypi.example.com/1 192.0.2.7 | pypi.example.com/28 2001:db8::7"}},
    {"nscd-getent-3",
     nscd,
     {"question NSCD 0 pypi.example.com/28", "answer NSCD 0 pypi.example.com/28 | pypi.example.com/28 2001:db8::7"}},
    {"nscd-getent-4", nscd, {"question NSCD 0 missing.example.org/0", "answer NSCD 0 code 2 missing.example.org/0"}},
};

TEST_CASE("real clients are understood", "[captured]") {
    for (const Captured& known : captured) {
        INFO(known.name);
        const auto interpreter = known.make();
        REQUIRE(test::without_records(test::feed(*interpreter, conversation(known.name))) == known.told);
    }
}

TEST_CASE("real clients' conversations may be cut anywhere", "[captured]") {
    for (const Captured& known : captured) {
        INFO(known.name);
        test::check_splits(known.make, conversation(known.name));
    }
}

TEST_CASE("real clients' secrets are in no fact", "[captured]") {
    int with_secrets = 0;
    for (const Captured& known : captured) {
        INFO(known.name);
        const bool planted =
            test::read_file("fixtures/packets/" + std::string(known.name) + ".conversation").find("secret") !=
            std::string::npos;
        with_secrets += planted;
        for (const std::string& line : test::told(known.make(), conversation(known.name)))
            REQUIRE(line.find("secret") == std::string::npos);
    }
    REQUIRE(with_secrets >= 4);  // else nothing was tried
}

}  // namespace
}  // namespace slowtrace::wire
