// Grouping, ledgers and statistics of hand-made runs; the numbers a report prints.

#include <poll.h>

#include <cerrno>
#include <sstream>

#include "analyze/distribution.hpp"
#include "catch.hpp"
#include "made_run.hpp"
#include "render/report.hpp"
#include "render/timeline.hpp"

using namespace slowtrace;
using namespace slowtrace::test;
using analyze::CauseKind;
using resolve::AttemptOutcome;
using resolve::ConnectionState;
using resolve::Direction;

namespace {

void attempt(MadeRun& run, const resolve::ResolvedDescriptor& descriptor, AttemptOutcome outcome, std::int64_t ns) {
    resolve::ConnectAttempt made;
    made.connection = descriptor.file->connection.get();
    made.to_ns = ns;
    made.outcome = outcome;
    run.analysis.connect_attempt(made);
}

}  // namespace

TEST_CASE("attempts to one endpoint are one line with their outcomes") {
    MadeRun run;
    const auto descriptor = connection(ConnectionState::connecting);
    for (int i = 0; i < 5; ++i) {
        run.call(
            MadeCall("poll", i * 1000 * ms, i * 1000 * ms + 900 * ms).argument(2, 900).watching(descriptor, POLLOUT));
        attempt(run, descriptor, i < 4 ? AttemptOutcome::timed_out : AttemptOutcome::refused, (900 + i) * ms);
    }
    const analyze::Report report = run.end(5000 * ms);
    const analyze::CauseLine& connect = report.wall.lines.front();
    CHECK(connect.kind == CauseKind::connect);
    CHECK(connect.subject == "extra.example.org:80");
    CHECK(connect.total_ns == 4500 * ms);
    CHECK(connect.share == Approx(0.9));
    CHECK(connect.waits == 5);
    CHECK(connect.timed_out == 5);
    REQUIRE(connect.attempts);
    CHECK(connect.attempts->count == 5);
    CHECK(connect.attempts->failures() == 5);
    CHECK(connect.attempts->of(AttemptOutcome::timed_out) == 4);
    CHECK(connect.attempts->of(AttemptOutcome::refused) == 1);
    CHECK(connect.attempts->median_ns == 902 * ms);
    CHECK(connect.attempts->max_ns == 904 * ms);
    REQUIRE(connect.endpoints.size() == 1);
    const std::string text = render::render_report(report);
    CHECK(text.find("  90.0 %  connecting to extra.example.org:80: 5 attempts, 1 refused, 4 timed out") !=
          std::string::npos);
    CHECK(text.find("203.0.113.9; the program asked DNS for extra.example.org") != std::string::npos);
}

TEST_CASE("the wall clock sees a child's wait, the thread section the parent's") {
    MadeRun run;
    run.add("make", 10 * ms, ProcessId{0});
    run.call(MadeCall("nanosleep", 20 * ms, 60 * ms), 1);
    run.die(1, 70 * ms);
    run.call(MadeCall("wait4", 15 * ms, 80 * ms).for_child(ProcessId{1}));
    const analyze::Report report = run.end(100 * ms);
    CHECK(line(report.wall, CauseKind::sleep).total_ns == 40 * ms);
    CHECK(line(report.wall, CauseKind::child).total_ns == 10 * ms);
    CHECK(line(report.wall, CauseKind::child).subject == "make");
    CHECK(line(report.wall, CauseKind::computing).total_ns == 50 * ms);
    CHECK(line(report.threads, CauseKind::child).total_ns == 65 * ms);
    CHECK(report.threads.total_ns == 100 * ms + 60 * ms);
}

TEST_CASE("a pipe is told by the process at its other end") {
    MadeRun run;
    run.add("producer", 0, ProcessId{0});
    auto pipe_end = [](std::uint64_t id, std::uint64_t other) {
        auto descriptor = file(resolve::FileKind::pipe, "pipe:[7]", id);
        auto open = std::make_shared<resolve::OpenFile>(*descriptor.file);
        open->pair = other;
        descriptor.file = open;
        return descriptor;
    };
    run.call(MadeCall("write", 50 * ms, 50 * ms + 1000).about(pipe_end(2, 1)), 1);
    run.call(MadeCall("read", 10 * ms, 51 * ms).about(pipe_end(1, 2)), 0);
    const analyze::Report report = run.end(60 * ms);
    CHECK(line(report.threads, CauseKind::pipe).subject == "a pipe with producer");
    // The wall clock says what that process was doing meanwhile.
    CHECK(line(report.wall, CauseKind::computing).total_ns == 60 * ms);
}

TEST_CASE("a stop in the middle of a wait is its own cause, a handler's sleep does not count twice") {
    MadeRun run;
    model::JobStop stop;
    stop.set_from_ns(10 * ms);
    stop.set_to_ns(30 * ms);
    run.analysis.job_stop(run.threads[0], stop);
    run.call(MadeCall("nanosleep", 40 * ms, 45 * ms));
    run.call(MadeCall("pause", 5 * ms, 60 * ms).piece(5 * ms, 39 * ms).piece(46 * ms, 60 * ms));
    const analyze::Report report = run.end(100 * ms);
    CHECK(line(report.wall, CauseKind::stopped).total_ns == 20 * ms);
    CHECK(line(report.wall, CauseKind::sleep).total_ns == 5 * ms);
    const analyze::CauseLine& pause = line(report.wall, CauseKind::signal);
    CHECK(pause.total_ns == (34 - 20 + 14) * ms);
    CHECK(pause.waits == 1);
    CHECK(pause.median_ns == pause.total_ns);
}

TEST_CASE("calls below the bound compute") {
    MadeRun run;
    run.call(MadeCall("nanosleep", 0, analyze::shortest_wait_ns - 1));
    run.call(MadeCall("nanosleep", ms, ms + analyze::shortest_wait_ns));
    const analyze::Report report = run.end(10 * ms);
    CHECK(line(report.wall, CauseKind::sleep).total_ns == analyze::shortest_wait_ns);
    CHECK(report.run.calls == 2);
}

TEST_CASE("the endpoint ledger adds up connections, bytes and waits") {
    MadeRun run;
    const auto descriptor = connection(ConnectionState::connected, Direction::sent);
    attempt(run, descriptor, AttemptOutcome::connected, ms);
    attempt(run, descriptor, AttemptOutcome::reset, ms);
    run.call(MadeCall("recvfrom", 0, 30 * ms).about(descriptor));
    run.call(MadeCall("sendto", 30 * ms, 35 * ms).about(descriptor));
    auto closing = *descriptor.file->connection;
    closing.bytes_sent = 100;
    closing.bytes_received = 5'000;
    for (int i = 0; i < 2; ++i) {
        run.analysis.connection_opened(closing, 0);
        run.analysis.connection_closed(closing, 0);
        ++closing.id;
    }
    for (int i = 0; i < 3; ++i) {
        resolve::DnsExchange asked;
        asked.server = {resolve::Transport::udp, "", resolve::NameEvidence::none, "", "192.0.2.53", 53};
        asked.answered = i > 0;
        asked.response_code = i == 2 ? 3 : 0;
        asked.answered_ns = i * 20 * ms;
        run.analysis.dns_exchange(asked);
    }
    const analyze::Report report = run.end(50 * ms);
    REQUIRE(report.endpoints.size() == 2);
    const analyze::EndpointLine& host = report.endpoints[0];
    CHECK(host.name == "extra.example.org:80");
    CHECK(host.connections == 2);
    CHECK(host.bytes_sent == 200);
    CHECK(host.bytes_received == 10'000);
    CHECK(host.attempts.count == 2);
    CHECK(host.attempts.failures() == 1);
    CHECK(host.reply_ns == 30 * ms);
    CHECK(host.send_ns == 5 * ms);
    CHECK(host.waited_ns() == 35 * ms);
    const analyze::EndpointLine& server = report.endpoints[1];
    CHECK(server.dns_server);
    CHECK(server.lookups == 3);
    CHECK(server.unanswered == 1);
    CHECK(server.negative == 1);
    CHECK(server.lookup_median_ns == 20 * ms);
}

TEST_CASE("the waits for an endpoint add up without overflow") {
    analyze::EndpointLine line;
    line.connect_ns = line.receive_ns = INT64_MAX;
    line.send_ns = 1;
    CHECK(line.waited_ns() == INT64_MAX);
}

TEST_CASE("per-call statistics subtract the floor and never go below nothing") {
    MadeRun run(1'000);
    for (int i = 1; i <= 100; ++i) run.call(MadeCall("read", 0, i * 100, i % 10 ? 1 : -EAGAIN));
    run.call(MadeCall("write", 0, 400));
    const analyze::Report report = run.end(10 * ms);
    REQUIRE(report.syscalls.size() == 2);
    const analyze::SyscallLine& read = report.syscalls[0];
    CHECK(read.name == "read");
    CHECK(read.calls == 100);
    CHECK(read.errors == 10);
    CHECK(read.total_ns == 100 * (90 * 91 / 2));
    CHECK(read.max_ns == 9'000);
    CHECK(read.p50_ns == Approx(4'000).epsilon(0.03));
    CHECK(read.p99_ns == Approx(8'900).epsilon(0.03));
    CHECK(report.syscalls[1].total_ns == 0);
    CHECK(render::render_report(report).find("< floor") != std::string::npos);
}

TEST_CASE("the ten slowest calls are kept, longest first") {
    MadeRun run;
    for (int i = 0; i < 40; ++i) run.call(MadeCall("nanosleep", 0, ((i * 7) % 40 + 1) * ms));
    const analyze::Report report = run.end(100 * ms);
    REQUIRE(report.slowest.size() == 10);
    for (std::size_t i = 0; i < 10; ++i) CHECK(report.slowest[i].ns == static_cast<std::int64_t>(40 - i) * ms);
}

TEST_CASE("of a slow call that was not seen from its beginning to its end, the report says so") {
    MadeRun run;
    MadeCall early("nanosleep", 0, 10 * ms), whole("nanosleep", 20 * ms, 40 * ms), late("nanosleep", 50 * ms, 80 * ms);
    early.call.set_began_before(true);
    late.call.set_ending(model::Syscall::DETACHED);
    for (const MadeCall& call : {early, whole, late}) run.call(call);
    const std::string text = render::render_report(run.end(100 * ms));
    CHECK(text.find("≥ 10.0ms  0.000000") != std::string::npos);
    CHECK(text.find("  20.0ms  0.020000") != std::string::npos);
    CHECK(text.find("≥ 30.0ms  0.050000") != std::string::npos);
}

TEST_CASE("a histogram's quantiles are within three percent, also after the exact ones ran out") {
    analyze::Distribution distribution;
    analyze::Histogram histogram;
    for (std::int64_t i = 1; i <= 100'000; ++i) {
        distribution.add(i * i);
        histogram.add(i * i);
    }
    for (const double fraction : {0.001, 0.1, 0.5, 0.9, 0.99, 1.0}) {
        const double exact = fraction * 100'000 * fraction * 100'000;
        CHECK(static_cast<double>(distribution.quantile(fraction)) == Approx(exact).epsilon(0.03));
        CHECK(static_cast<double>(histogram.quantile(fraction)) == Approx(exact).epsilon(0.03));
    }
    analyze::Distribution few;
    few.add(30);
    few.add(10);
    few.add(20);
    CHECK(few.quantile(0.5) == 20);
    few.add(INT64_MAX);
    few.add(INT64_MAX, 1'000'000);
    CHECK(few.total() == INT64_MAX);
    CHECK(few.quantile(1) <= few.max());
}

TEST_CASE("fifty thousand connections are counted, and fold into few lines of text") {
    MadeRun run;
    for (int i = 0; i < 50'000; ++i) {
        const auto descriptor =
            connection(ConnectionState::connecting, Direction::none, [i](resolve::Connection& made) {
                made.id = static_cast<std::uint64_t>(i);
                made.peer.host = "host" + std::to_string(i) + ".test";
            });
        run.analysis.connection_opened(*descriptor.file->connection, 0);
        run.call(MadeCall("connect", i * ms, i * ms + 100'000).about(descriptor));
    }
    const analyze::Report report = run.end(50'000 * ms);
    CHECK(report.endpoints.size() == 50'000);
    CHECK(report.wall.lines.size() == 50'001);
    CHECK(report.wall.total_ns == report.run.wall_ns);
    const std::string text = render::render_report(report);
    CHECK(std::count(text.begin(), text.end(), '\n') < 60);
    CHECK(text.find("49,991 other causes") != std::string::npos);
}

TEST_CASE("colour and width change looks, not words") {
    MadeRun run;
    run.call(MadeCall("nanosleep", 0, 10 * ms));
    const analyze::Report report = run.end(20 * ms);
    const std::string plain = render::render_report(report);
    CHECK(plain.find('\x1b') == std::string::npos);
    CHECK(render::render_report(report, {.colour = true, .width = 0}).find("\x1b[1m") != std::string::npos);
    std::istringstream narrow(render::render_report(report, {.colour = false, .width = 30}));
    for (std::string one; std::getline(narrow, one);)
        CHECK(std::count_if(one.begin(), one.end(), [](char c) { return (c & 0xc0) != 0x80; }) <= 30);
}

TEST_CASE("a timeline is sorted by beginning within its window, and loses nothing beyond it") {
    resolve::Process process;
    process.arguments = {"program"};
    resolve::Thread thread;
    thread.main = true;
    std::ostringstream out;
    {
        render::Timeline timeline(out, {.min_duration_ns = 0, .window = 3});
        for (const std::int64_t entry : {5, 3, 4, 1, 9, 8, 2})
            timeline.call(MadeCall("nanosleep", entry * ms, entry * ms + 1).of(process, thread).resolved());
    }
    std::istringstream lines(out.str());
    std::string offsets, one;
    while (std::getline(lines, one)) offsets += one.substr(one.find_first_not_of(' '), 8) + " ";
    CHECK(offsets == "0.001000 0.003000 0.004000 0.002000 0.005000 0.008000 0.009000 ");
}
