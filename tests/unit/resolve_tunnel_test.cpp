// When a proxy was asked for a tunnel, and when it answered.
#include "resolve_probe.hpp"

using namespace slowtrace;
using namespace slowtrace::resolve;

TEST_CASE("a tunnel is pending from the request for it to the proxy's answer", "[resolve][claims]") {
    ProbeWithRoot probe;
    const auto heard = [&](int time_ns, const std::string& fact) {
        probe.play("stream { thread: 1 fd: 4 time_ns: " + std::to_string(time_ns) + " " + fact + " }");
    };
    const auto connection = [&] {
        Connection found;
        probe.on_call = [&](const ResolvedCall& call) { found = *call.subject()->file->connection; };
        probe.at(4);
        probe.on_call = nullptr;
        return found;
    };
    probe.play("1 socket(2 1 0) = 4 @1-2");
    probe.play("1 connect(4 0 16) = 0 @10-20 " + address(1, ip4(host9, 3128)));
    heard(25, "sent: true name { source: HTTP_HOST name: \"files.example.com\" }");
    CHECK_FALSE(connection().tunnel_from_ns);
    heard(30, "sent: true name { source: HTTP_CONNECT name: \"files.example.com\" port: 443 }");
    CHECK(connection().tunnel_from_ns == 30);
    CHECK_FALSE(connection().tunnel_to_ns);
    heard(50, "proxy { status: 407 }");
    CHECK(connection().tunnel_to_ns == 50);
    // Asked once more, with credentials.
    heard(60, "sent: true name { source: HTTP_CONNECT name: \"files.example.com\" port: 443 }");
    CHECK(connection().tunnel_from_ns == 60);
    CHECK_FALSE(connection().tunnel_to_ns);
    heard(80, "proxy { status: 200 granted: true }");
    CHECK(connection().tunnel_to_ns == 80);
}
