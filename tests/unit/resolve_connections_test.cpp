// Connections and connect attempts: who the peer is, how the connect went, what was moved.
#include <algorithm>

#include "resolve_probe.hpp"

using namespace slowtrace::resolve;

namespace {

const std::string to_host9 = address(1, ip4(host9, 80));

// A non-blocking TCP socket 3 whose connect at 10-15 said EINPROGRESS.
struct ConnectingProbe : ProbeWithRoot {
    ConnectingProbe() {
        play("1 socket(2 2049 0) = 3 @2-4");
        play("1 connect(3 0 16) = -115 @10-15" + to_host9);
    }
    Lines attempts() const { return told("attempt"); }
};

ConnectionState state_of(ProbeWithRoot& probe, int fd) {
    ConnectionState state = ConnectionState::fresh;
    probe.on_call = [&](const ResolvedCall& call) { state = call.subject()->file->connection->state; };
    probe.at(fd);
    probe.on_call = nullptr;
    return state;
}

}  // namespace

TEST_CASE("a blocking connect is an attempt from entry to exit, by its error", "[resolve]") {
    struct Row {
        int result;
        const char* outcome;
    };
    const auto row =
        GENERATE(Row{0, "connected"}, Row{-111, "refused"}, Row{-110, "timed_out"}, Row{-113, "unreachable"},
                 Row{-101, "unreachable"}, Row{-104, "reset"}, Row{-13, "failed"});
    ProbeWithRoot probe;
    probe.play("1 socket(2 1 0) = 3\n1 connect(3 0 16) = " + std::to_string(row.result) + " @100-200" + to_host9);
    CHECK(probe.told("attempt") == Lines{"192.0.2.9:80 " + std::string(row.outcome) + " 100-200"});
    CHECK(probe.told("opened") == Lines{"192.0.2.9:80 at 100"});
    CHECK(state_of(probe, 3) == (row.result == 0 ? ConnectionState::connected : ConnectionState::failed));
}

TEST_CASE("calls see the connection as it was before them", "[resolve]") {
    ProbeWithRoot probe;
    std::vector<ConnectionState> states;
    probe.on_call = [&](const ResolvedCall& call) {
        if (call.subject()) states.push_back(call.subject()->state);
    };
    probe.play("1 socket(2 1 0) = 3\n1 connect(3 0 16) = 0" + to_host9 + "\n1 sendto(3 0 5 0) = 5\n1 close(3) = 0");
    CHECK(states ==
          std::vector<ConnectionState>{ConnectionState::fresh, ConnectionState::connected, ConnectionState::connected});
}

TEST_CASE("a non-blocking connect ends when the program learns how it went", "[resolve]") {
    ConnectingProbe probe;
    REQUIRE(probe.attempts().empty());
    SECTION("SO_ERROR says fine") {
        probe.play("1 poll(0 1 -1) = 1 @20-30" + polled(3, 4, 4) + "\n1 getsockopt(3 1 4) = 0 @40-50" + number(3, 0));
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 connected 10-50"});
    }
    SECTION("SO_ERROR says refused") {
        probe.play("1 poll(0 1 -1) = 1 @20-30" + polled(3, 4, 28) + "\n1 getsockopt(3 1 4) = 0 @40-50" +
                   number(3, 111));
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 refused 10-50"});
    }
    SECTION("a second connect says EISCONN, EALREADY having said nothing") {
        probe.play("1 connect(3 0 16) = -114 @20-30" + to_host9);
        CHECK(probe.attempts().empty());
        probe.play("1 connect(3 0 16) = -106 @40-50" + to_host9);
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 connected 10-50"});
    }
    SECTION("a second connect says unreachable") {
        probe.play("1 connect(3 0 16) = -113 @40-50" + to_host9);
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 unreachable 10-50"});
    }
    SECTION("readiness, then use: the readiness counts") {
        probe.play("1 poll(0 1 -1) = 1 @20-30" + polled(3, 4, 4));
        CHECK(probe.attempts().empty());
        probe.play("1 sendto(3 0 5 0) = 5 @60-70");
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 connected 10-30"});
    }
    SECTION("use alone") {
        probe.play("1 recvfrom(3 0 5 0) = -11 @20-25\n1 recvfrom(3 0 5 0) = 5 @60-70");
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 connected 10-70"});
    }
    SECTION("a send that fails says why") {
        probe.play("1 sendto(3 0 5 0) = -104 @60-70");
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 reset 10-70"});
    }
    SECTION("waited in vain, then closed") {
        probe.play("1 poll(0 1 15) = 0 @20-900" + polled(3, 4, 0) + "\n1 close(3) = 0 @950-960");
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 timed_out 10-900"});
        CHECK(probe.told("closed") == Lines{"192.0.2.9:80 at 960 sent 0 received 0"});
    }
    SECTION("waited in vain in select") {
        probe.play(
            "1 select(4 0 1 0 1) = 0 @20-900 captured { argument: 2 descriptors { wanted: 3 } }\n"
            "1 close(3) = 0 @950-960");
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 timed_out 10-900"});
    }
    SECTION("only asked whether it is ready, then closed") {
        probe.play("1 poll(0 1 0) = 0 @20-25" + polled(3, 4, 0) + "\n1 close(3) = 0 @30-40");
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 abandoned 10-40"});
    }
    SECTION("closed without a wait") {
        probe.play("1 close(3) = 0 @30-40");
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 abandoned 10-40"});
    }
    SECTION("one of two descriptors closed changes nothing") {
        probe.play("1 dup(3) = 7 @20-21\n1 close(3) = 0 @30-40");
        CHECK(probe.attempts().empty());
        probe.play("1 getsockopt(7 1 4) = 0 @50-55" + number(3, 0));
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 connected 10-55"});
    }
    SECTION("the process dies") {
        probe.play("death { thread: 1 time_ns: 70 cause: KILLED }");
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 unfinished 10-70"});
    }
    SECTION("the run ends") {
        probe.play("end { time_ns: 70 }").finish();
        CHECK(probe.attempts() == Lines{"192.0.2.9:80 unfinished 10-70"});
    }
}

TEST_CASE("an interrupted connect goes on by itself, a UNIX one has failed", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 socket(2 1 0) = 3\n1 connect(3 0 16) = -4 @100-110" + to_host9);
    CHECK(probe.told("attempt").empty());
    probe.play("1 getsockopt(3 1 4) = 0 @120-130" + number(3, 0));
    CHECK(probe.told("attempt") == Lines{"192.0.2.9:80 connected 100-130"});
    probe.play("1 socket(1 1 0) = 4\n1 connect(4 0 16) = -4 @200-210" + address(1, unix_path("/run/s")));
    CHECK(probe.told("attempt").back() == "/run/s failed 200-210");
}

TEST_CASE("a thread that dies inside connect leaves it unfinished", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 socket(2 1 0) = 3\n1 connect(3 0 16) = 0 @100-200 ending: DIED" + to_host9);
    CHECK(probe.told("attempt") == Lines{"192.0.2.9:80 unfinished 100-200"});
}

TEST_CASE("a failed socket may try again", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 socket(2 1 0) = 3\n1 connect(3 0 16) = -111 @100-110" + to_host9);
    probe.play("1 connect(3 0 16) = 0 @120-130" + to_host9);
    CHECK(probe.told("attempt") == Lines{"192.0.2.9:80 refused 100-110", "192.0.2.9:80 connected 120-130"});
    CHECK(probe.told("opened").size() == 1);
}

TEST_CASE("a datagram socket's connect is no attempt, and its peer may change", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 socket(2 2 0) = 3\n1 connect(3 0 16) = 0" + address(1, ip4(host53, 53)));
    CHECK(probe.told("attempt").empty());
    CHECK(state_of(probe, 3) == ConnectionState::connected);
    probe.play("1 connect(3 0 16) = 0" + address(1, "family: 0"));
    CHECK(state_of(probe, 3) == ConnectionState::fresh);
    probe.play("1 connect(3 0 16) = 0" + to_host9);
    CHECK(probe.at(3) == "3=socket 192.0.2.9:80");
    CHECK(probe.told("opened").size() == 1);
}

TEST_CASE("unconnected datagrams: the peer is that of the last exchange", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 socket(2 2 0) = 3\n1 sendto(3 0 9 0) = 9" + address(4, ip4(host53, 53)));
    CHECK(probe.at(3) == "3=socket 192.0.2.53:53");
    probe.play("1 recvfrom(3 0 9 0) = 30" + address(4, ip4(host9, 99)));
    CHECK(probe.at(3) == "3=socket 192.0.2.9:99");
    probe.play("1 recvmsg(3 0 0) = 30 captured { argument: 1 messages { messages { bytes: 99 address {" +
               ip4(host53, 53) + "} } } }");
    CHECK(probe.at(3) == "3=socket 192.0.2.53:53");
    probe.play("1 close(3) = 0 @500-510");
    CHECK(probe.told("closed") == Lines{"192.0.2.53:53 at 510 sent 9 received 60"});
}

TEST_CASE("accepted connections know their peer", "[resolve]") {
    ProbeWithRoot probe;
    bool accepted = false;
    std::string local;
    probe.on_call = [&](const ResolvedCall& call) {
        accepted = call.descriptors.back().file->connection->accepted;
        local = call.descriptors.back().file->connection->local.display();
    };
    probe.play(
        "1 socket(10 1 0) = 3\n1 bind(3 0 28) = 0 captured { argument: 1 address { family: 10 port: 8080 ip: "
        "\"\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\" } }\n1 listen(3 5) = 0");
    CHECK_FALSE(accepted);
    probe.play(
        "1 accept4(3 0 0 2048) = 4 @500-600 captured { argument: 1 address { family: 10 port: 999 ip: "
        "\"\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\377\\377\\300\\000\\002\\011\" } }");
    CHECK(accepted);
    CHECK(local == "[::1]:8080");
    CHECK(probe.told("opened") == Lines{"192.0.2.9:999 at 600"});
    CHECK(state_of(probe, 3) == ConnectionState::listening);
}

TEST_CASE("addresses as shown", "[resolve]") {
    Endpoint end;
    end.transport = Transport::tcp;
    CHECK(end.display() == "?");
    end.address = "2001:db8::1";
    end.port = 80;
    CHECK(end.display() == "[2001:db8::1]:80");
    end.host = "extra.example.org";
    CHECK(end.display() == "extra.example.org:80");

    ProbeWithRoot probe;
    probe.play(
        "1 socket(1 1 0) = 3\n1 connect(3 0 9) = 0 captured { argument: 1 address { family: 1 path: \"bus\" abstract: "
        "true } }");
    CHECK(probe.at(3) == "3=socket @bus");
    probe.play("1 socket(16 3 0) = 4\n1 sendto(4 0 9 0) = 9 captured { argument: 4 address { family: 16 } }");
    CHECK(probe.at(4) == "4=socket netlink");
    probe.play(
        "1 socket(17 3 0) = 5\n1 sendto(5 0 9 0) = 9 captured { argument: 4 address { family: 17 protocol_id: 2 } }");
    CHECK(probe.at(5) == "5=socket packet");
}

TEST_CASE("getpeername and getsockname tell of sockets opened unseen", "[resolve]") {
    ProbeWithRoot probe;
    std::string local;
    probe.on_call = [&](const ResolvedCall& call) { local = call.subject()->file->connection->local.display(); };
    probe.play("binding { thread: 1 fd: 0 target: \"socket:[8]\" socket { family: 2 type: 1 } }");
    probe.play("1 getpeername(0 0 0) = 0 @10-20" + to_host9 + "\n1 getsockname(0 0 0) = 0" +
               address(1, ip4(host53, 22)));
    CHECK(probe.told("opened") == Lines{"192.0.2.9:80 at 20"});
    CHECK(local == "192.0.2.53:22");
}

TEST_CASE("a socket found connecting has an attempt from then on", "[resolve]") {
    ProbeWithRoot probe;
    const std::string peer = "peer { family: 2 ip: \"\\300\\000\\002\\011\" port: 80 }";
    probe.play("binding { thread: 1 time_ns: 5 fd: 4 target: \"socket:[8]\" socket { family: 2 type: 1 " + peer +
               " } }");
    CHECK(state_of(probe, 4) == ConnectionState::connecting);
    probe.play("1 poll(0 1 -1) = 1 @20-30" + polled(4, 4, 28) + "\n1 getsockopt(4 1 4) = 0 @40-50" + number(3, 111));
    CHECK(probe.told("attempt") == Lines{"192.0.2.9:80 refused 5-50"});
}

TEST_CASE("bytes are counted by what calls returned", "[resolve]") {
    ProbeWithRoot probe;
    std::vector<Direction> directions;
    probe.on_call = [&](const ResolvedCall& call) {
        if (call.subject()) directions.push_back(call.subject()->last_direction);
    };
    probe.play("1 socket(2 1 0) = 3\n1 connect(3 0 16) = 0" + to_host9);
    const std::string two =
        " captured { argument: 1 messages { messages { bytes: 7 } messages { bytes: 8 } messages { bytes: 9 } } }";
    probe.play(
        "1 write(3 0 9) = 1\n1 writev(3 0 9) = 2\n1 sendto(3 0 9 0) = 4\n1 sendmsg(3 0 0) = 8\n1 sendmmsg(3 0 3 0) = "
        "2" +
        two);
    probe.play("1 sendfile(3 9 0 99) = 16\n1 splice(9 0 3 0 99) = 32\n1 sendto(3 0 9 0) = -11");
    probe.play("1 read(3 0 9) = 1000\n1 readv(3 0 9) = 2000\n1 recvfrom(3 0 9 2) = 500\n1 recvmsg(3 0 0) = 4000");
    probe.play("1 recvmmsg(3 0 3 0) = 2" + two +
               "\n1 splice(3 0 9 0 99) = 8000\n1 read(3 0 9) = 0\n1 read(3 0 9) = -11");
    probe.play("1 close(3) = 0 @900-901");
    CHECK(probe.told("closed") == Lines{"192.0.2.9:80 at 901 sent " + std::to_string(1 + 2 + 4 + 8 + 15 + 16 + 32) +
                                        " received " + std::to_string(1000 + 2000 + 4000 + 15 + 8000)});
    CHECK(directions.front() == Direction::none);
    CHECK(directions.back() == Direction::received);
    CHECK(std::count(directions.begin(), directions.end(), Direction::sent) == 7);
}

TEST_CASE("a connection closes with its last descriptor, in whichever process", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 socket(2 1 0) = 3\n1 connect(3 0 16) = 0" + to_host9);
    probe.play(child(2, 2, 200));
    probe.play("1 close(3) = 0 @300-310");
    CHECK(probe.told("closed").empty());
    probe.play("death { thread: 2 time_ns: 400 }");
    CHECK(probe.told("closed") == Lines{"192.0.2.9:80 at 400 sent 0 received 0"});
}

TEST_CASE("each opened connection is closed once, by the run's end at the latest", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 socket(2 1 0) = 3\n1 connect(3 0 16) = 0" + to_host9 + "\n1 socket(2 1 0) = 4\n1 dup(3) = 5");
    probe.play("end { time_ns: 800 has_status: true }").finish();
    CHECK(probe.told("opened").size() == 1);
    CHECK(probe.told("closed") == Lines{"192.0.2.9:80 at 800 sent 0 received 0"});
    CHECK(probe.all.back() == "end 800 with status");
}

TEST_CASE("a blocking connect that ran out of SO_SNDTIMEO has timed out", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 socket(2 1 0) = 3\n1 connect(3 0 16) = -115 @100-20000100" + to_host9 +
               "\n1 close(3) = 0 @20000200-20000300");
    CHECK(probe.told("attempt") == Lines{"192.0.2.9:80 timed_out 100-20000100"});
}

TEST_CASE("what is closed is let go of", "[resolve]") {
    ProbeWithRoot probe;
    std::weak_ptr<const OpenFile> file;
    std::weak_ptr<const Connection> connection;
    probe.on_call = [&](const ResolvedCall& call) {
        if (call.descriptors.empty()) return;
        file = call.descriptors.front().file;
        connection = call.descriptors.front().file->connection;
    };
    probe.play("1 socket(2 1 0) = 3\n1 connect(3 0 16) = 0" + to_host9);
    REQUIRE_FALSE(connection.expired());
    SECTION("by close") {
        probe.play("1 close(3) = 0");
    }
    SECTION("by the process' end") {
        probe.play("death { thread: 1 time_ns: 900 }");
    }
    CHECK(file.expired());
    CHECK(connection.expired());
}
