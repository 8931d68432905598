// Waits whose time ran out while connections said nothing: what comes next decides.
#include "analyze/silent_waits.hpp"

#include <poll.h>

#include "catch.hpp"
#include "made_run.hpp"

using namespace slowtrace;
using namespace slowtrace::test;
using analyze::cause_of;
using analyze::CauseKind;
using resolve::ConnectionState;
using resolve::Direction;
using resolve::FileKind;
using resolve::ResolvedDescriptor;

namespace {

ResolvedDescriptor answered(std::uint64_t id = 7) {
    return connection(ConnectionState::connected, Direction::received, [id](resolve::Connection& made) {
        made.id = id;
        made.peer.port = static_cast<std::uint16_t>(80 + id - 7);
        made.requests = 1;
        made.bytes_sent = 100;
        made.bytes_received = 1000;
    });
}

const auto event = file(FileKind::eventfd, "anon_inode:[eventfd]");

MadeCall ran_out(const char* name, std::int64_t from_ns, const ResolvedDescriptor& one) {
    MadeCall call(name, from_ns, from_ns + 100 * ms);
    call.argument(name == std::string("poll") ? 2 : 3, 100);
    return call.watching(one, POLLIN).watching(event, POLLIN);
}

// A run with one connection that ends at 500 ms: what it waits for in an epoll, or another call, that runs out.
struct Waiting {
    MadeRun run;
    ResolvedDescriptor socket = answered();
    resolve::Connection& connection = *socket.file->connection;

    explicit Waiting(const char* name = "epoll_wait") {
        run.analysis.connection_opened(connection, 0);
        run.call(ran_out(name, 100 * ms, socket));
    }
    void receive(std::int64_t at_ns, std::uint64_t bytes) {
        connection.bytes_received += bytes;
        run.call(MadeCall("recvfrom", at_ns, at_ns + 1000, static_cast<std::int64_t>(bytes)).about(socket));
    }
    void request(std::int64_t at_ns, std::uint64_t bytes = 100) {
        connection.bytes_sent += bytes;
        ++connection.requests;
        run.call(MadeCall("sendto", at_ns, at_ns + 1000, static_cast<std::int64_t>(bytes)).about(socket));
    }
    analyze::Report end() {
        run.analysis.connection_closed(connection, 499 * ms);
        return run.end(500 * ms);
    }
};

bool has(const analyze::Report& report, CauseKind kind) {
    for (const analyze::CauseLine& one : report.wall.lines)
        if (one.kind == kind) return true;
    return false;
}

}  // namespace

TEST_CASE("an epoll whose time runs out on a connection that owes nothing is idle, a poll receives") {
    const auto kind_of = [](const MadeCall& call) { return cause_of(call.resolved()).kind; };
    CHECK(kind_of(ran_out("epoll_wait", 0, answered())) == CauseKind::idle);
    CHECK(kind_of(MadeCall("epoll_wait").argument(3, 100).watching(answered(), POLLIN)) == CauseKind::idle);
    CHECK(kind_of(ran_out("poll", 0, answered())) == CauseKind::receive);
    CHECK(kind_of(MadeCall("poll").argument(2, 100).watching(answered(), POLLIN)) == CauseKind::receive);
    // What became ready was waited for, and so is whoever owes a reply; without a time limit it was no timer.
    CHECK(kind_of(MadeCall("epoll_wait").argument(3, 100).watching(answered(), POLLIN, POLLIN)) == CauseKind::receive);
    const auto asked = connection(ConnectionState::connected, Direction::sent);
    CHECK(kind_of(ran_out("epoll_wait", 0, answered()).watching(asked, POLLIN)) == CauseKind::reply);
    CHECK(kind_of(MadeCall("epoll_wait", 0, ms, -EINTR).argument(3, 100).watching(answered(), POLLIN)) ==
          CauseKind::receive);
    CHECK(kind_of(ran_out("epoll_wait", 0, answered()).watching(file(FileKind::pipe, "pipe:[1]"), POLLIN)) ==
          CauseKind::pipe);
}

TEST_CASE("a sleep between two requests is no wait for the host, whatever it is slept in") {
    for (const char* name : {"epoll_wait", "poll"}) {
        Waiting waiting(name);
        waiting.request(200 * ms);
        waiting.receive(201 * ms, 1000);
        const analyze::Report report = waiting.end();
        CHECK(line(report.wall, CauseKind::sleep).total_ns == 100 * ms);
        CHECK(line(report.wall, CauseKind::sleep).subject.empty());
        CHECK(line(report.wall, CauseKind::sleep).timed_out == 0);
        CHECK_FALSE(has(report, CauseKind::receive));
        REQUIRE(report.endpoints.size() == 1);
        CHECK(report.endpoints.front().receive_ns == 0);
    }
}

TEST_CASE("a download that stalls is waited for, however often the time runs out") {
    Waiting waiting;
    waiting.run.call(ran_out("epoll_wait", 200 * ms, waiting.socket));
    waiting.receive(300 * ms, 1);
    const analyze::Report report = waiting.end();
    const analyze::CauseLine& receive = line(report.wall, CauseKind::receive);
    CHECK(receive.subject == "extra.example.org:80");
    CHECK(receive.total_ns == 200 * ms);
    CHECK(receive.waits == 2);
    CHECK(receive.timed_out == 2);
    CHECK_FALSE(has(report, CauseKind::sleep));
    REQUIRE(report.endpoints.size() == 1);
    CHECK(report.endpoints.front().receive_ns == 200 * ms);
    CHECK(report.endpoints.front().critical_ns == 200 * ms);
}

TEST_CASE("a connection that ends in silence leaves open what an epoll waited for, a poll waited for it") {
    CHECK(line(Waiting().end().wall, CauseKind::sleep).subject == "while extra.example.org:80 was silent");
    CHECK(line(Waiting("poll").end().wall, CauseKind::receive).total_ns == 100 * ms);
}

TEST_CASE("of several silent connections the one that goes on was waited for") {
    const auto other = answered(8);
    for (const bool goes_on : {true, false}) {
        Waiting waiting;
        waiting.run.analysis.connection_opened(*other.file->connection, 0);
        waiting.run.call(ran_out("epoll_wait", 200 * ms, waiting.socket).watching(other, POLLIN));
        waiting.request(300 * ms);
        if (goes_on) {
            other.file->connection->bytes_received += 10;
            waiting.run.call(MadeCall("read", 301 * ms, 301 * ms + 1000, 10).about(other));
        }
        waiting.run.analysis.connection_closed(*other.file->connection, 400 * ms);
        const analyze::Report report = waiting.end();
        CHECK(line(report.wall, CauseKind::sleep).total_ns == (goes_on ? 100 : 200) * ms);
        CHECK(line(report.wall, CauseKind::sleep).subject.empty());
        if (goes_on) CHECK(line(report.wall, CauseKind::receive).subject == "extra.example.org:81");
    }
}

TEST_CASE("goodbyes and acknowledgements are neither answers nor requests") {
    Waiting goodbye;
    goodbye.connection.tls_from_ns = 0;
    goodbye.connection.tls_to_ns = ms;
    goodbye.receive(300 * ms, 24);
    CHECK(has(goodbye.end(), CauseKind::sleep));
    Waiting acknowledged;
    acknowledged.connection.bytes_sent += 40;
    acknowledged.run.call(MadeCall("sendto", 300 * ms, 301 * ms, 40).about(acknowledged.socket));
    acknowledged.receive(310 * ms, 500);
    CHECK(has(acknowledged.end(), CauseKind::receive));
}

TEST_CASE("more silent sets than are kept apart have the rules' own word") {
    MadeRun run;
    std::deque<ResolvedDescriptor> sockets;
    const auto sets = static_cast<std::int64_t>(analyze::SilentWaits::open_limit) + 5;
    for (std::int64_t i = 0; i < sets; ++i) {
        sockets.push_back(answered(7 + static_cast<std::uint64_t>(i)));
        run.analysis.connection_opened(*sockets.back().file->connection, 0);
        run.call(ran_out("epoll_wait", i * 100 * ms, sockets.back()));
    }
    const analyze::Report report = run.end(sets * 100 * ms);
    CHECK(line(report.wall, CauseKind::sleep).total_ns == sets * 100 * ms);
}
