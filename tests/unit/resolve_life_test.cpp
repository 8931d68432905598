// A connection's life: its phases from the calls on it and its TLS records, whichever way the program waits.
#include <poll.h>
#include <sys/epoll.h>

#include <random>

#include "resolve_probe.hpp"

using namespace slowtrace;
using namespace slowtrace::resolve;

namespace {

constexpr long ms = 1'000'000;

std::string at_ms(int from, int to) {
    return " @" + std::to_string(from * ms) + "-" + std::to_string(to * ms) + " ";
}

// Socket 4 to 192.0.2.9, connected from 10 to 20 ms. Times below are in ms.
struct LifeProbe : ProbeWithRoot {
    explicit LifeProbe(int port = 443) {
        play("1 socket(2 1 0) = 4" + at_ms(1, 2));
        play("1 connect(4 0 16) = 0" + at_ms(10, 20) + address(1, ip4(host9, port)));
    }
    void send(int bytes, int from, int to) { play("1 sendto(4 0 9 0) = " + std::to_string(bytes) + at_ms(from, to)); }
    void receive(int bytes, int from, int to) {
        play("1 recvfrom(4 0 9 0) = " + std::to_string(bytes) + at_ms(from, to));
    }
    void tls(bool sent, int type, int length, const std::string& more = "") {
        play("stream { thread: 1 fd: 4 sent: " + std::string(sent ? "true" : "false") +
             " tls { type: " + std::to_string(type) + " length: " + std::to_string(length) + " " + more + " } }");
    }
    void hello(int at, const std::string& protocols = "") {
        tls(true, 22, 512, "handshake_type: 1 version: 0x0304 " + protocols);
        send(517, at, at);
    }
    // TLS 1.3 from `at` to `at` + 30.
    void handshake(int at, const std::string& protocols = "") {
        hello(at, protocols);
        tls(false, 22, 122, "handshake_type: 2 version: 0x0304");
        tls(false, 20, 1);
        tls(false, 23, 4000);
        receive(4138, at, at + 30);
        tls(true, 20, 1);
        tls(true, 23, 53);
        send(64, at + 30, at + 30);
    }
    Connection connection() {
        Connection found;
        on_call = [&](const ResolvedCall& call) { found = *call.subject()->file->connection; };
        at(4);
        on_call = nullptr;
        return found;
    }
    void close(int time) { play("1 close(4) = 0" + at_ms(time, time)); }
    Lines exchanges() const {
        Lines lines;
        for (const std::string& line : phases())
            if (line.find('#') != std::string::npos) lines.push_back(line);
        return lines;
    }
    // In ms.
    Lines phases() const {
        Lines lines;
        for (const PhaseStretch& one : stretches) {
            static const char* const names[] = {"connect", "tls", "request", "first_byte", "transfer", "idle"};
            std::string line = std::string(names[static_cast<int>(one.phase)]) + " " +
                               std::to_string(one.from_ns / ms) + "-" + std::to_string(one.to_ns / ms);
            if (one.bytes_sent != 0) line += " +" + std::to_string(one.bytes_sent);
            if (one.bytes_received != 0) line += " -" + std::to_string(one.bytes_received);
            if (one.exchange != 0) line += " #" + std::to_string(one.exchange);
            lines.push_back(line);
        }
        return lines;
    }
};

}  // namespace

TEST_CASE("a plain request and its answer, kept alive, asked again", "[resolve][life]") {
    LifeProbe probe(80);
    probe.send(70, 25, 25);
    probe.receive(1000, 25, 125);
    probe.receive(9000, 125, 205);
    CHECK(probe.connection().requests == 1);
    probe.send(80, 1205, 1205);
    probe.receive(500, 1205, 1235);
    CHECK(probe.connection().requests == 2);
    CHECK(probe.connection().first_request_ns == 25 * ms);
    CHECK(probe.connection().first_byte_ns == 125 * ms);
    probe.close(2000);
    CHECK(probe.phases() == Lines{"connect 10-20", "idle 20-25", "request 25-25 +70 #1", "first_byte 25-125 #1",
                                  "transfer 125-205 -10000 #1", "idle 205-1205", "request 1205-1205 +80 #2",
                                  "first_byte 1205-1235 #2", "transfer 1235-1235 -500 #2", "idle 1235-2000"});
    CHECK(probe.told("closed").size() == 1);
    CHECK(probe.all.back().find("closed") == 0);
}

TEST_CASE("blocking, polling and epoll clients go through the same phases", "[resolve][life]") {
    const int style = GENERATE(0, 1, 2);
    CAPTURE(style);
    ProbeWithRoot probe;
    const std::string to_host9 = address(1, ip4(host9, 80));
    const std::string flags = style == 0 ? "1" : "2049";
    probe.play("1 epoll_create1(0) = 9" + at_ms(0, 0) + "\n1 socket(2 " + flags + " 0) = 4" + at_ms(1, 1));
    // Waits for `events` and then makes the call, or makes the call alone.
    auto step = [&](int events, const std::string& call, int from, int to, const std::string& more = "") {
        if (style == 1) probe.play("1 poll(0 1 -1) = 1" + at_ms(from, to) + polled(4, events, events));
        if (style == 2)
            probe.play("1 epoll_wait(9 0 8 -1) = 1" + at_ms(from, to) + event(1, static_cast<unsigned>(events), 4));
        probe.play("1 " + call + at_ms(style == 0 ? from : to, to) + more);
    };
    if (style == 2) probe.play("1 epoll_ctl(9 1 4 0) = 0" + at_ms(9, 9) + event(3, 5, 4));
    if (style == 0) {
        probe.play("1 connect(4 0 16) = 0" + at_ms(10, 20) + to_host9);
    } else {
        probe.play("1 connect(4 0 16) = -115" + at_ms(10, 10) + to_host9);
        step(POLLOUT, "getsockopt(4 1 4) = 0", 10, 20, number(3, 0));
    }
    probe.play("1 sendto(4 0 9 0) = 70" + at_ms(25, 25));
    if (style != 0) probe.play("1 recvfrom(4 0 9 0) = -11" + at_ms(25, 25));
    step(POLLIN, "recvfrom(4 0 9 0) = 1000", 25, 125);
    step(POLLIN, "recvfrom(4 0 9 0) = 9000", 125, 205);
    probe.play("1 close(4) = 0" + at_ms(300, 300));
    std::vector<std::pair<Phase, std::int64_t>> seen;
    for (const PhaseStretch& one : probe.stretches) seen.emplace_back(one.phase, one.to_ns / ms);
    CHECK(seen == std::vector<std::pair<Phase, std::int64_t>>{{Phase::connect, 20},
                                                              {Phase::idle, 25},
                                                              {Phase::request, 25},
                                                              {Phase::first_byte, 125},
                                                              {Phase::transfer, 205},
                                                              {Phase::idle, 300}});
}

TEST_CASE("TLS 1.3: from the client hello to the client's Finished; tickets before a request are idle",
          "[resolve][life]") {
    LifeProbe probe;
    probe.handshake(22);
    CHECK(probe.connection().tls_from_ns == 22 * ms);
    CHECK(probe.connection().tls_to_ns == 52 * ms);
    CHECK(probe.connection().tls_version == 0x0304);
    CHECK(probe.connection().requests == 0);
    probe.receive(510, 60, 60);
    CHECK_FALSE(probe.connection().first_byte_ns);
    probe.send(200, 70, 70);
    probe.receive(5000, 70, 100);
    CHECK(probe.connection().requests == 1);
    probe.close(110);
    CHECK(probe.phases() == Lines{"connect 10-20", "idle 20-22", "tls 22-52 +581 -4138", "idle 52-70 -510",
                                  "request 70-70 +200 #1", "first_byte 70-100 #1", "transfer 100-100 -5000 #1",
                                  "idle 100-110"});
}

TEST_CASE("TLS 1.3: a request in the same call as the Finished is one", "[resolve][life]") {
    LifeProbe probe;
    probe.hello(22);
    probe.tls(false, 22, 122, "handshake_type: 2 version: 0x0304");
    probe.tls(false, 23, 4000);
    probe.receive(4132, 22, 52);
    probe.tls(true, 20, 1);
    probe.tls(true, 23, 69);
    probe.tls(true, 23, 195);
    probe.send(6 + 74 + 200, 52, 52);
    probe.receive(900, 52, 82);
    probe.close(90);
    CHECK(probe.phases() == Lines{"connect 10-20", "idle 20-22", "tls 22-52 +597 -4132", "request 52-52 +200 #1",
                                  "first_byte 52-82 #1", "transfer 82-82 -900 #1", "idle 82-90"});
}

namespace {

const std::string http2_offered = "protocols: \"h2\" protocols: \"http/1.1\"";

// Asked at 60 ms over TLS 1.3; records of these lengths are read at 80 ms, as OpenSSL reads: header, then the rest.
struct TicketProbe : LifeProbe {
    explicit TicketProbe(const std::string& protocols = "") {
        handshake(22, protocols);
        send(200, 60, 60);
    }
    void record(int length, int from, int to) {
        tls(false, 23, length);
        receive(5, from, to);
        receive(length, to, to);
    }
    Direction direction() { return connection().last_direction; }
};

}  // namespace

TEST_CASE("TLS 1.3: tickets after the request do not answer it", "[resolve][life]") {
    TicketProbe probe;
    probe.record(250, 60, 80);
    probe.record(250, 80, 80);
    CHECK_FALSE(probe.connection().first_byte_ns);
    CHECK(probe.direction() == Direction::sent);
    probe.record(300, 80, 580);
    CHECK(probe.direction() == Direction::received);
    CHECK(probe.connection().first_byte_ns == 580 * ms);
    probe.receive(16000, 580, 700);
    probe.send(200, 900, 900);
    probe.record(250, 900, 950);
    probe.close(1000);
    CHECK(probe.exchanges() == Lines{"request 60-60 +200 #1", "first_byte 60-580 -510 #1", "transfer 580-700 -16305 #1",
                                     "request 900-900 +200 #2", "first_byte 900-950 #2", "transfer 950-950 -255 #2"});
}

TEST_CASE("TLS 1.3: one read of tickets and answer, or a poll before each", "[resolve][life]") {
    TicketProbe probe;
    SECTION("all at once") {
        for (const int length : {250, 250, 800}) probe.tls(false, 23, length);
        probe.receive(1315, 60, 80);
        probe.close(100);
        CHECK(probe.exchanges() ==
              Lines{"request 60-60 +200 #1", "first_byte 60-80 -510 #1", "transfer 80-80 -805 #1"});
    }
    SECTION("polled for") {
        const std::string one = "1 poll(0 1 -1) = 1";
        probe.play(one + at_ms(60, 80) + polled(4, POLLIN, POLLIN));
        probe.record(250, 80, 80);
        probe.record(250, 80, 80);
        probe.play("1 recvfrom(4 0 9 0) = -11" + at_ms(80, 80));
        probe.play(one + at_ms(80, 580) + polled(4, POLLIN, POLLIN));
        probe.record(800, 580, 580);
        probe.close(600);
        CHECK(probe.exchanges() ==
              Lines{"request 60-60 +200 #1", "first_byte 60-580 -510 #1", "transfer 580-580 -805 #1"});
    }
    SECTION("never answered") {
        probe.record(250, 60, 80);
        probe.record(250, 80, 80);
        probe.close(600);
        CHECK(probe.exchanges() == Lines{"request 60-60 +200 #1", "first_byte 60-600 -510 #1"});
    }
}

TEST_CASE("TLS 1.3: a record alone is a ticket only when more is waited for", "[resolve][life]") {
    TicketProbe probe;
    probe.record(250, 60, 80);
    SECTION("the answer, its connection kept") {
        probe.send(200, 500, 500);
        probe.record(90, 500, 520);
        CHECK(probe.connection().requests == 2);
        CHECK(probe.connection().first_byte_ns == 80 * ms);
        probe.close(600);
        CHECK(probe.exchanges() == Lines{"request 60-60 +200 #1", "first_byte 60-80 #1", "transfer 80-80 -255 #1",
                                         "request 500-500 +200 #2", "first_byte 500-520 #2",
                                         "transfer 520-520 -95 #2"});
    }
    SECTION("the answer, its connection closed by either side") {
        const bool by_peer = GENERATE(false, true);
        if (by_peer) probe.play("1 recvfrom(4 0 9 0) = 0" + at_ms(80, 80));
        probe.close(600);
        CHECK(probe.exchanges() == Lines{"request 60-60 +200 #1", "first_byte 60-80 #1", "transfer 80-80 -255 #1"});
    }
    SECTION("a ticket, given up after a wait") {
        probe.play("1 poll(0 1 400) = 0" + at_ms(80, 480) + polled(4, POLLIN, 0));
        probe.close(600);
        CHECK(probe.exchanges() == Lines{"request 60-60 +200 #1", "first_byte 60-600 -255 #1"});
    }
    SECTION("a ticket, another record after it") {
        probe.record(90, 80, 480);
        probe.close(600);
        CHECK(probe.exchanges() ==
              Lines{"request 60-60 +200 #1", "first_byte 60-480 -255 #1", "transfer 480-480 -95 #1"});
    }
}

TEST_CASE("TLS 1.3: HTTP/2's settings do not answer a request, their acknowledgement is none", "[resolve][life]") {
    TicketProbe probe(http2_offered);
    probe.record(250, 60, 80);
    probe.record(250, 80, 80);
    probe.record(57, 80, 80);
    probe.send(31, 81, 81);
    CHECK(probe.direction() == Direction::sent);
    probe.record(180, 81, 580);
    CHECK(probe.connection().requests == 1);
    probe.close(600);
    CHECK(probe.exchanges() ==
          Lines{"request 60-60 +200 #1", "first_byte 60-580 +31 -572 #1", "transfer 580-580 -185 #1"});
}

TEST_CASE("TLS 1.3: records nobody followed are the answer", "[resolve][life]") {
    TicketProbe probe;
    probe.receive(300, 60, 80);
    CHECK(probe.connection().first_byte_ns == 80 * ms);
    CHECK(probe.direction() == Direction::received);
}

TEST_CASE("TLS 1.3: early data and a second hello do not end the handshake", "[resolve][life]") {
    LifeProbe probe;
    probe.tls(true, 22, 512, "handshake_type: 1 version: 0x0304");
    probe.tls(true, 23, 100);
    probe.send(517 + 105, 22, 22);
    CHECK_FALSE(probe.connection().tls_to_ns);
    probe.tls(false, 22, 88, "handshake_type: 2 version: 0x0304");
    probe.receive(93, 22, 40);
    probe.tls(true, 20, 1);
    probe.tls(true, 22, 512, "handshake_type: 1 version: 0x0304");
    probe.send(523, 40, 40);
    CHECK_FALSE(probe.connection().tls_to_ns);
    probe.tls(false, 23, 4000);
    probe.receive(4005, 40, 60);
    probe.tls(true, 23, 53);
    probe.send(58, 61, 61);
    CHECK(probe.connection().tls_to_ns == 61 * ms);
    CHECK(probe.connection().requests == 0);
}

TEST_CASE("TLS 1.2: until both sides' Finished, the rest of the last record included", "[resolve][life]") {
    LifeProbe probe;
    probe.hello(22);
    probe.tls(false, 22, 3000, "handshake_type: 2 version: 0x0303");
    probe.receive(5, 22, 40);
    probe.receive(3000, 40, 40);
    probe.tls(true, 22, 70);
    probe.tls(true, 20, 1);
    probe.tls(true, 22, 40);
    probe.send(126, 41, 41);
    CHECK_FALSE(probe.connection().tls_to_ns);
    probe.tls(false, 20, 1);
    probe.receive(6, 41, 60);
    probe.tls(false, 22, 40);
    probe.receive(5, 60, 60);
    CHECK(probe.connection().tls_to_ns == 60 * ms);
    probe.receive(40, 61, 61);
    probe.send(100, 70, 70);
    probe.receive(700, 70, 90);
    CHECK(probe.connection().tls_version == 0x0303);
    probe.close(91);
    CHECK(probe.phases() == Lines{"connect 10-20", "idle 20-22", "tls 22-61 +643 -3056", "idle 61-70",
                                  "request 70-70 +100 #1", "first_byte 70-90 #1", "transfer 90-90 -700 #1",
                                  "idle 90-91"});
}

TEST_CASE("TLS 1.2: application data before the server's Finished is the first request", "[resolve][life]") {
    LifeProbe probe;
    probe.hello(22);
    probe.tls(false, 22, 3000, "handshake_type: 2 version: 0x0303");
    probe.receive(3005, 22, 40);
    probe.tls(true, 22, 70);
    probe.tls(true, 20, 1);
    probe.tls(true, 22, 40);
    probe.send(126, 41, 41);
    probe.tls(true, 23, 95);
    probe.send(100, 42, 42);
    CHECK(probe.connection().tls_to_ns == 42 * ms);
    CHECK(probe.connection().requests == 1);
}

TEST_CASE("what a client sends while it reads under TLS is no request", "[resolve][life]") {
    LifeProbe probe;
    SECTION("HTTP/2: window updates") {
        probe.handshake(22, "protocols: \"h2\" protocols: \"http/1.1\"");
        probe.send(300, 60, 60);
        for (int i = 0; i < 20; ++i) {
            probe.receive(100000, 60 + 10 * i, 70 + 10 * i);
            probe.send(48, 70 + 10 * i, 70 + 10 * i);
        }
        CHECK(probe.connection().requests == 1);
        CHECK(probe.connection().bytes_sent == 517 + 64 + 300 + 20 * 48);
        probe.send(60, 500, 500);  // small, but after a pause
        CHECK(probe.connection().requests == 2);
        probe.receive(9, 500, 520);
        probe.close(900);
        CHECK(probe.phases()[6] == "transfer 70-260 +960 -2000000 #1");
        CHECK(probe.phases()[7] == "idle 260-500");
    }
    SECTION("without HTTP/2 a small request is one") {
        probe.handshake(22, "protocols: \"http/1.1\"");
        probe.send(50, 60, 60);
        probe.receive(400, 60, 70);
        probe.send(50, 70, 70);
        CHECK(probe.connection().requests == 2);
    }
    SECTION("an alert is none") {
        probe.handshake(22, "protocols: \"http/1.1\"");
        probe.send(50, 60, 60);
        probe.receive(400, 60, 70);
        probe.send(24, 90, 90);
        CHECK(probe.connection().requests == 1);
        probe.close(100);
        CHECK(probe.phases().back() == "idle 70-100");
    }
    SECTION("without TLS every turn is one") {
        LifeProbe plain(6379);
        plain.send(6, 30, 30);
        plain.receive(7, 30, 31);
        plain.send(6, 31, 31);
        CHECK(plain.connection().requests == 2);
    }
}

TEST_CASE("asking a proxy for a tunnel is part of connecting", "[resolve][life]") {
    LifeProbe probe(3128);
    auto stream = [&](bool sent, const std::string& fact) {
        probe.play("stream { thread: 1 fd: 4 sent: " + std::string(sent ? "true" : "false") + " " + fact + " }");
    };
    SECTION("CONNECT") {
        stream(true, "name { source: HTTP_CONNECT name: \"files.example.com\" port: 443 }");
        stream(true, "request { method: \"CONNECT\" version: 11 }");
        probe.send(120, 21, 21);
        stream(false, "response { status: 200 version: 11 }");
        stream(false, "proxy { status: 200 granted: true }");
        probe.receive(39, 21, 50);
        CHECK(probe.connection().http_status == 200);
    }
    SECTION("SOCKS, which negotiates first") {
        probe.send(3, 21, 21);
        probe.receive(2, 21, 30);
        stream(true, "name { source: SOCKS name: \"files.example.com\" port: 443 }");
        probe.send(117, 31, 31);
        stream(false, "proxy { granted: true }");
        probe.receive(37, 31, 50);
    }
    CHECK(probe.connection().requests == 0);
    probe.handshake(52);
    probe.send(200, 90, 90);
    probe.receive(800, 90, 100);
    CHECK(probe.connection().requests == 1);
    probe.close(110);
    CHECK(probe.phases().front().find("connect 10-") == 0);
    CHECK(probe.phases().size() >= 6);
    std::uint64_t in_connect = 0;
    for (const PhaseStretch& one : probe.stretches)
        if (one.phase == Phase::connect) in_connect += one.bytes_sent + one.bytes_received;
    CHECK(in_connect == 159);
    for (const PhaseStretch& one : probe.stretches) CHECK(one.peer.display() == "files.example.com:443");
}

TEST_CASE("an interim response neither answers nor ends the request", "[resolve][life]") {
    LifeProbe probe(80);
    auto response = [&](int status) {
        probe.play("stream { thread: 1 fd: 4 response { status: " + std::to_string(status) + " version: 11 } }");
    };
    probe.send(70, 25, 25);
    response(100);
    SECTION("alone") {
        probe.receive(25, 25, 45);
        CHECK(probe.connection().last_direction == Direction::sent);
        CHECK_FALSE(probe.connection().first_byte_ns);
        CHECK(probe.connection().http_status == 0);
        probe.send(3000, 45, 46);
        response(200);
        probe.receive(1000, 46, 100);
        CHECK(probe.connection().requests == 1);
        probe.close(200);
        CHECK(probe.exchanges() == Lines{"request 25-25 +70 #1", "first_byte 25-45 -25 #1", "request 45-46 +3000 #1",
                                         "first_byte 46-100 #1", "transfer 100-100 -1000 #1"});
    }
    SECTION("with the final one") {
        response(200);
        probe.receive(1025, 25, 45);
        CHECK(probe.connection().first_byte_ns == 45 * ms);
    }
    SECTION("of an upgrade, which is final") {
        response(101);
        probe.receive(120, 25, 45);
        CHECK(probe.connection().first_byte_ns == 45 * ms);
    }
}

TEST_CASE("a plain proxy's stretches are each of their own target", "[resolve][life]") {
    LifeProbe probe(3128);
    int from = 30;
    for (const char* target : {"one.test", "two.test", "198.51.100.7"}) {
        probe.play("stream { thread: 1 fd: 4 sent: true name { source: HTTP_TARGET name: \"" + std::string(target) +
                   "\" } }");
        probe.send(100, from, from);
        probe.receive(1000, from, from + 20);
        probe.receive(1000, from + 20, from + 30);
        from += 50;
    }
    probe.close(200);
    std::map<std::string, std::uint64_t> bytes;
    for (const PhaseStretch& one : probe.stretches) bytes[one.peer.display()] += one.bytes_sent + one.bytes_received;
    CHECK(bytes == std::map<std::string, std::uint64_t>{
                       {"one.test:80", 2100}, {"two.test:80", 2100}, {"198.51.100.7:80", 2100}});
}

TEST_CASE("one long call for much of an answer leaves its first byte unknown", "[resolve][life]") {
    LifeProbe probe(80);
    const bool for_all = GENERATE(true, false);
    CAPTURE(for_all);
    auto receive = [&](int bytes, int from, int to) {
        probe.play("1 recvfrom(4 0 9 " + std::string(for_all ? "256" : "0") + ") = " + std::to_string(bytes) +
                   at_ms(from, to));
    };
    auto unknown = [&] {
        return std::count_if(probe.stretches.begin(), probe.stretches.end(),
                             [](const PhaseStretch& one) { return one.first_byte_unknown; });
    };
    probe.send(70, 25, 25);
    SECTION("much") {
        receive(for_all ? 16384 : 262144, 30, 130);
        CHECK_FALSE(probe.connection().first_byte_ns);
        receive(200, 130, 130);
        probe.send(70, 150, 150);
        receive(100, 150, 160);
        CHECK_FALSE(probe.connection().first_byte_ns);
        probe.close(200);
        CHECK(unknown() == 1);
        const Lines all = probe.phases();
        REQUIRE(all.size() > 5);
        CHECK(all[3] == "first_byte 25-30 #1");
        CHECK(all[4] == std::string("transfer 30-130 -") + (for_all ? "16584" : "262344") + " #1");
    }
    SECTION("little") {
        receive(for_all ? 16383 : 262143, 30, 130);
        CHECK(probe.connection().first_byte_ns == 130 * ms);
        probe.close(200);
        CHECK(unknown() == 0);
    }
}

TEST_CASE("what is read of the error queue was not received", "[resolve][life]") {
    LifeProbe probe(80);
    probe.send(70, 25, 25);
    probe.play("1 recvmsg(4 0 8192) = 70" + at_ms(26, 26));  // MSG_ERRQUEUE
    probe.play("1 recvmsg(4 0 8192) = -11" + at_ms(27, 27));
    probe.receive(1000, 25, 125);
    CHECK(probe.connection().bytes_received == 1000);
    CHECK(probe.connection().requests == 1);
    CHECK(probe.connection().first_byte_ns == 125 * ms);
}

TEST_CASE("a hello in two calls is no request", "[resolve][life]") {
    LifeProbe probe;
    probe.send(100, 22, 22);
    probe.tls(true, 22, 512, "handshake_type: 1 version: 0x0304");
    probe.send(417, 23, 23);
    CHECK(probe.connection().requests == 0);
    CHECK(probe.connection().tls_from_ns == 22 * ms);
    CHECK_FALSE(probe.connection().first_request_ns);
    probe.close(30);
    CHECK(probe.phases() == Lines{"connect 10-20", "idle 20-22", "tls 22-30 +517"});
}

TEST_CASE("the end of the input, a reset or a wait in vain belong to the answer", "[resolve][life]") {
    LifeProbe probe(80);
    probe.send(70, 25, 25);
    SECTION("the end, waited for in the call") {
        probe.receive(1000, 25, 50);
        probe.receive(0, 50, 80);
        probe.close(200);
        CHECK(probe.phases().back() == "idle 80-200");
        CHECK(probe.phases()[4] == "transfer 50-80 -1000 #1");
    }
    SECTION("the end, waited for in poll") {
        probe.receive(1000, 25, 50);
        probe.play("1 poll(0 1 -1) = 1" + at_ms(50, 80) + polled(4, POLLIN, POLLIN));
        probe.receive(0, 80, 80);
        probe.close(200);
        CHECK(probe.phases()[4] == "transfer 50-80 -1000 #1");
    }
    SECTION("a reset before the first octet") {
        probe.receive(-104, 25, 50);
        probe.close(200);
        CHECK(probe.phases()[3] == "first_byte 25-50 #1");
        CHECK(probe.phases().back() == "idle 50-200");
    }
    SECTION("gave up waiting for more") {
        probe.receive(1000, 25, 50);
        probe.play("1 poll(0 1 100) = 0" + at_ms(50, 150) + polled(4, POLLIN, 0));
        probe.close(151);
        CHECK(probe.phases()[4] == "transfer 50-150 -1000 #1");
    }
    SECTION("never answered") {
        probe.close(500);
        CHECK(probe.phases().back() == "first_byte 25-500 #1");
    }
    SECTION("waits between exchanges are idle") {
        probe.receive(1000, 25, 50);
        probe.play("1 poll(0 1 -1) = 1" + at_ms(50, 150) + polled(4, POLLIN, POLLIN));
        probe.send(70, 160, 160);
        probe.close(170);
        CHECK(probe.phases()[5] == "idle 50-160");
    }
    SECTION("sending after the end is no request") {
        probe.receive(1000, 25, 50);
        probe.receive(0, 50, 80);
        probe.send(24, 90, 90);
        probe.close(200);
        CHECK(probe.phases().back() == "idle 80-200 +24");
    }
}

TEST_CASE("on an accepted connection the peer asks and the program answers", "[resolve][life]") {
    ProbeWithRoot probe;
    probe.play("1 socket(2 1 0) = 3" + at_ms(1, 1) + "\n1 listen(3 5) = 0" + at_ms(2, 2));
    probe.play("1 accept4(3 0 0 0) = 4" + at_ms(3, 20) + address(1, ip4(host9, 999)));
    probe.play("1 recvfrom(4 0 9 0) = 100" + at_ms(20, 30) + "\n1 sendto(4 0 9 0) = 5000" + at_ms(50, 60));
    probe.play("1 recvfrom(4 0 9 0) = 0" + at_ms(60, 90) + "\n1 close(4) = 0" + at_ms(95, 95));
    std::vector<Phase> phases;
    for (const PhaseStretch& one : probe.stretches) phases.push_back(one.phase);
    CHECK(phases == std::vector<Phase>{Phase::idle, Phase::request, Phase::first_byte, Phase::transfer, Phase::idle});
    CHECK(probe.stretches[0].from_ns == 20 * ms);
    CHECK(probe.stretches[2].from_ns == 30 * ms);
    CHECK(probe.stretches[3].bytes_sent == 5000);
}

TEST_CASE("datagrams: exchanges without connect; acknowledgements of QUIC are none", "[resolve][life]") {
    ProbeWithRoot probe;
    const int port = GENERATE(443, 5353);
    probe.play("1 socket(2 2 0) = 4\n1 connect(4 0 16) = 0" + address(1, ip4(host9, port)));
    std::uint64_t requests = 0;
    probe.on_call = [&](const ResolvedCall& call) { requests = call.subject()->file->connection->requests; };
    for (int i = 0; i < 5; ++i)
        probe.play("1 sendto(4 0 9 0) = 1200" + at_ms(100 + 10 * i, 100 + 10 * i) + "\n1 recvfrom(4 0 9 0) = 1200" +
                   at_ms(100 + 10 * i, 105 + 10 * i));
    CHECK(requests == (port == 443 ? 1 : 5));
    probe.play("1 close(4) = 0" + at_ms(500, 500));
    CHECK(probe.stretches.front().phase == Phase::request);
    CHECK(probe.stretches.back().to_ns == 500 * ms);
}

TEST_CASE("random traffic: stretches are without gap or overlap, and hold every octet once", "[resolve][life]") {
    for (unsigned seed = 1; seed <= 150; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
        LifeProbe probe(below(2) == 0 ? 443 : 3128);
        int now = 20;
        for (int i = below(60); i > 0; --i) {
            const int from = std::max(0, now - below(4)), to = from + below(5);  // threads overlap
            now = std::max(now, to);
            switch (below(8)) {
                case 0:
                    probe.tls(below(2) == 0, 20 + below(4), below(300), below(2) == 0 ? "handshake_type: 1" : "");
                    break;
                case 1:
                    probe.play("stream { thread: 1 fd: 4 sent: true name { source: " +
                               std::string(below(2) == 0 ? "SOCKS" : "HTTP_TARGET") + " name: \"a" +
                               std::to_string(below(3)) + ".test\" } }");
                    break;
                case 2:
                    probe.play("stream { thread: 1 fd: 4 proxy { granted: true } }");
                    break;
                case 3:
                    probe.play("1 poll(0 1 -1) = 1" + at_ms(from, to) + polled(4, POLLIN, POLLIN));
                    break;
                case 4:
                case 5:
                    probe.send(below(5) == 0 ? 0 : below(200), from, to);
                    break;
                default:
                    probe.receive(below(30) == 0 ? 0 : below(30) == 0 ? -104 : below(3000), from, to);
            }
        }
        const Connection last = probe.connection();
        probe.close(now + 3);
        REQUIRE_FALSE(probe.stretches.empty());
        CHECK(probe.stretches.front().from_ns == 10 * ms);
        CHECK(probe.stretches.back().to_ns == (now + 3) * ms);
        std::uint64_t sent = 0, received = 0;
        for (std::size_t i = 0; i < probe.stretches.size(); ++i) {
            const PhaseStretch& one = probe.stretches[i];
            CHECK(one.from_ns <= one.to_ns);
            CHECK((one.from_ns < one.to_ns || one.bytes_sent + one.bytes_received > 0));
            if (i > 0) CHECK(one.from_ns == probe.stretches[i - 1].to_ns);
            sent += one.bytes_sent;
            received += one.bytes_received;
        }
        CHECK(sent == last.bytes_sent);
        CHECK(received == last.bytes_received);
    }
}

TEST_CASE("whether a connection may carry several requests at once follows from what ALPN offered and chose",
          "[resolve][life]") {
    struct Row {
        const char *offered, *answer;
        bool may_multiplex;
    };
    constexpr const char* both = "protocols: 'h2' protocols: 'http/1.1'";
    for (const Row& row : {Row{"", "version: 0x0304", false}, Row{"protocols: 'http/1.1'", "version: 0x0304", false},
                           Row{both, "version: 0x0304", true}, Row{both, "version: 0x0303", false},
                           Row{both, "version: 0x0303 protocols: 'http/1.1'", false},
                           Row{both, "version: 0x0303 protocols: 'h2'", true}}) {
        INFO(row.offered << " answered by " << row.answer);
        LifeProbe probe;
        CHECK_FALSE(probe.connection().may_multiplex);
        probe.hello(25, row.offered);
        probe.tls(false, 22, 122, std::string("handshake_type: 2 ") + row.answer);
        probe.receive(4138, 25, 55);
        CHECK(probe.connection().may_multiplex == row.may_multiplex);
    }
    for (const char* fact : {"request { method: 'GET' version: 20 }", "name { source: QUIC_SNI name: 'a.test' }",
                             "name { source: HTTP2_AUTHORITY name: 'a.test' }"}) {
        LifeProbe probe;
        probe.play(std::string("stream { thread: 1 fd: 4 sent: true ") + fact + " }");
        CHECK(probe.connection().may_multiplex);
    }
}
