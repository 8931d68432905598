// Two ends of one connection inside the run: who is at the other end of a loopback or UNIX connection.
#include "resolve_probe.hpp"

using namespace slowtrace::resolve;

namespace {

const std::string loopback = "\\177\\000\\000\\001", everywhere = "\\000\\000\\000\\000";

// Thread 2 of process 2 serves port 8080; thread 1 is its client.
struct PairProbe : ProbeWithRoot {
    PairProbe() { play(child(2, 2, 200) + "exec { thread: 2 time_ns: 6 path: \"/usr/bin/served\" argv: \"served\" }"); }
    void listen(const std::string& ip) {
        play("2 socket(2 1 0) = 3\n2 bind(3 0 16) = 0" + address(1, ip4(ip, 8080)) + "\n2 listen(3 5) = 0");
    }
    void connect() { play("1 socket(2 1 0) = 4\n1 connect(4 0 16) = 0" + address(1, ip4(loopback, 8080))); }
    void own_address(int port = 40000) { play("1 getsockname(4 0 0) = 0" + address(1, ip4(loopback, port))); }
    void accept() { play("2 accept4(3 0 0 0) = 5" + address(1, ip4(loopback, 40000))); }
    OpenFile of(int thread, int fd) {
        OpenFile found;
        on_call = [&](const ResolvedCall& call) { found = *call.subject()->file; };
        at(fd, thread);
        on_call = nullptr;
        return found;
    }
};

}  // namespace

TEST_CASE("loopback connections between traced processes are joined by their addresses", "[resolve][local]") {
    PairProbe probe;
    probe.listen(GENERATE(loopback, everywhere));
    const int order = GENERATE(0, 1, 2);
    if (order == 0) {
        probe.connect();
        probe.own_address();
        probe.accept();
    } else if (order == 1) {
        probe.connect();
        probe.accept();
        probe.own_address();
    } else {
        probe.accept();
        probe.connect();
        probe.own_address();
    }
    const OpenFile client = probe.of(1, 4), server = probe.of(2, 5);
    CHECK(client.pair == server.id);
    CHECK(server.pair == client.id);
    REQUIRE(client.connection->local_peer);
    CHECK(client.connection->local_peer->pid == 200);
    CHECK(client.connection->local_peer->name == "served");
    CHECK_FALSE(client.connection->local_peer->listener);
    CHECK(index(*server.connection->local_peer->process) == 1);
}

TEST_CASE("other ports, or an address not told, join nothing", "[resolve][local]") {
    PairProbe probe;
    probe.listen(loopback);
    probe.connect();
    probe.accept();
    SECTION("not told") {}
    SECTION("another port") {
        probe.own_address(40001);
    }
    CHECK_FALSE(probe.of(1, 4).pair);
    CHECK_FALSE(probe.of(2, 5).connection->local_peer);
}

TEST_CASE("a closed end is not joined to a later one of the same address", "[resolve][local]") {
    PairProbe probe;
    probe.listen(loopback);
    probe.connect();
    probe.own_address();
    probe.play("1 close(4) = 0");
    probe.accept();
    CHECK_FALSE(probe.of(2, 5).pair);
}

TEST_CASE("a listener's process gives way to the one that has the connection", "[resolve][local]") {
    PairProbe probe;
    probe.listen(loopback);
    probe.connect();
    probe.play("peer_process { thread: 1 fd: 4 time_ns: 1 pid: 1 name: \"master\" listener: true }");
    probe.own_address();
    probe.accept();
    CHECK(probe.of(1, 4).connection->local_peer->name == "served");
}

TEST_CASE("UNIX connections name the process at the other end", "[resolve][local]") {
    PairProbe probe;
    probe.play("2 socket(1 1 0) = 3\n2 bind(3 0 16) = 0" + address(1, unix_path("/run/s")) + "\n2 listen(3 5) = 0");
    probe.play("1 socket(1 1 0) = 4\n1 connect(4 0 16) = 0" + address(1, unix_path("/run/s")));
    probe.play("2 accept4(3 0 0 0) = 5" + address(1, " family: 1 "));
    CHECK(probe.of(1, 4).connection->local_peer->name == "served");
    CHECK(probe.of(2, 5).connection->local_peer->pid == 100);
}
