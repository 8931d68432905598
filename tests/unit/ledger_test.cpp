// The endpoint ledger: names known late, bytes to the last one, how much at once.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "analyze/ledgers.hpp"
#include "analyze/times.hpp"
#include "catch.hpp"
#include "made_run.hpp"
#include "render/json_endpoints.hpp"
#include "render/report.hpp"

using namespace slowtrace;
using namespace slowtrace::test;
using analyze::CauseKind;
using analyze::EndpointLine;
using resolve::AttemptOutcome;
using resolve::ConnectionState;
using resolve::Direction;
using resolve::NameEvidence;
using resolve::Phase;

namespace {

using MadeConnection = std::shared_ptr<resolve::Connection>;

// A connection a test goes on changing, and a descriptor of it.
struct Socket {
    MadeConnection connection;
    resolve::ResolvedDescriptor descriptor(ConnectionState state, Direction last = Direction::none) const {
        auto file = std::make_shared<resolve::OpenFile>();
        file->kind = resolve::FileKind::socket;
        file->connection = connection;
        resolve::ResolvedDescriptor made;
        made.number = 4;
        made.file = file;
        made.state = state;
        made.last_direction = last;
        return made;
    }
};

Socket socket_to(std::uint64_t id, const std::string& host, const std::string& address = "203.0.113.9",
                 std::uint16_t port = 443) {
    auto made = std::make_shared<resolve::Connection>();
    made->id = id;
    made->transport = resolve::Transport::tcp;
    made->peer = {
        resolve::Transport::tcp, host, host.empty() ? NameEvidence::none : NameEvidence::dns, "", address, port};
    return {made};
}

void claim(resolve::Connection& connection, NameEvidence evidence, const std::string& name) {
    connection.claims.push_back({evidence, name, 0});
    connection.peer.host = name;
    connection.peer.evidence = evidence;
}

// Tells a stretch and lets the connection's totals grow with it, as the resolver does.
void stretch(MadeRun& run, const Socket& socket, Phase phase, std::int64_t from_ns, std::int64_t to_ns,
             std::uint64_t exchange = 0, std::uint64_t sent = 0, std::uint64_t received = 0) {
    resolve::Connection& connection = *socket.connection;
    connection.bytes_sent += sent;
    connection.bytes_received += received;
    connection.requests = std::max(connection.requests, exchange);
    run.analysis.phase(connection, {phase, from_ns, to_ns, sent, received, exchange, connection.peer});
}

// Request, wait and answer of a third of the time each.
void exchange(MadeRun& run, const Socket& socket, std::uint64_t number, std::int64_t from_ns, std::int64_t to_ns,
              std::uint64_t sent, std::uint64_t received) {
    const std::int64_t third = (to_ns - from_ns) / 3;
    stretch(run, socket, Phase::request, from_ns, from_ns + third, number, sent);
    stretch(run, socket, Phase::first_byte, from_ns + third, from_ns + 2 * third, number);
    stretch(run, socket, Phase::transfer, from_ns + 2 * third, to_ns, number, 0, received);
}

const EndpointLine& endpoint(const analyze::Report& report, const std::string& name) {
    for (const EndpointLine& line : report.endpoints)
        if (line.name == name) return line;
    throw std::runtime_error("no endpoint " + name);
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("two connections to one address are two endpoints when TLS names two hosts, from their connect on") {
    MadeRun run;
    std::uint64_t id = 0;
    for (const char* name : {"a.example.com", "b.example.com"}) {
        const std::int64_t at = static_cast<std::int64_t>(id) * 100 * ms;
        const Socket socket = socket_to(id++, "shared.example.net");
        run.analysis.connection_opened(*socket.connection, at);
        run.call(MadeCall("poll", at, at + 20 * ms)
                     .argument(2, 900)
                     .watching(socket.descriptor(ConnectionState::connecting), POLLOUT, POLLOUT));
        claim(*socket.connection, NameEvidence::tls_sni, name);
        run.call(MadeCall("recvfrom", at + 20 * ms, at + 50 * ms)
                     .about(socket.descriptor(ConnectionState::connected, Direction::sent)));
        run.analysis.connection_closed(*socket.connection, at + 60 * ms);
    }
    const analyze::Report report = run.end(200 * ms);
    REQUIRE(report.endpoints.size() == 2);
    for (const char* name : {"a.example.com:443", "b.example.com:443"}) {
        const EndpointLine& line = endpoint(report, name);
        CHECK(line.connections == 1);
        CHECK(line.connect_ns == 20 * ms);
        CHECK(line.reply_ns == 30 * ms);
        CHECK(line.critical_ns == 50 * ms);
    }
    std::vector<std::string> subjects;
    for (const analyze::CauseLine& cause : report.wall.lines)
        if (cause.kind == CauseKind::connect) subjects.push_back(cause.subject);
    CHECK(subjects == std::vector<std::string>{"a.example.com:443", "b.example.com:443"});
    CHECK(contains(render::render_report(report), "203.0.113.9; named by TLS SNI"));
}

TEST_CASE("every byte of every connection is in exactly one endpoint") {
    std::mt19937 random(7);
    MadeRun run;
    std::uint64_t sent = 0, received = 0, requests = 0;
    for (std::uint64_t id = 0; id < 200; ++id) {
        Socket socket = socket_to(id, "host" + std::to_string(random() % 7) + ".test");
        run.analysis.connection_opened(*socket.connection, 0);
        std::int64_t now = 0;
        const std::uint64_t exchanges = random() % 60;
        for (std::uint64_t number = 1; number <= exchanges; ++number) {
            // Some requests go through a proxy, each with a target of its own.
            if (id % 3 == 0) {
                claim(*socket.connection, NameEvidence::http_target, "target" + std::to_string(random() % 5) + ".test");
                socket.connection->peer.carrier = "proxy.test:3128";
            }
            if (number == 2 && id % 3 == 1) claim(*socket.connection, NameEvidence::tls_sni, "sni.example.com");
            exchange(run, socket, number, now, now + 3 * ms, random() % 1000, random() % 100'000);
            now += 4 * ms;
        }
        // What no stretch told: a recording that lost some.
        if (id % 5 == 0) socket.connection->bytes_received += 17;
        sent += socket.connection->bytes_sent;
        received += socket.connection->bytes_received;
        requests += socket.connection->requests;
        if (id % 4 != 0 || id % 5 == 0) run.analysis.connection_closed(*socket.connection, now);
    }
    const analyze::Report report = run.end(1000 * ms);
    std::uint64_t told_sent = 0, told_received = 0, told_requests = 0, connections = 0;
    for (const EndpointLine& line : report.endpoints) {
        told_sent += line.bytes_sent;
        told_received += line.bytes_received;
        told_requests += line.requests;
        connections += line.counted_connections;
        CHECK(line.connections >= line.counted_connections);
    }
    CHECK(told_sent == sent);
    CHECK(told_received == received);
    CHECK(told_requests == requests);
    CHECK(connections == 200);  // each once, however many endpoints it was with
}

TEST_CASE("a proxied connection's requests go to their targets, its proxy is told beside them") {
    MadeRun run;
    const Socket socket = socket_to(0, "proxy.test", "192.0.2.9", 3128);
    run.analysis.connection_opened(*socket.connection, 0);
    run.call(MadeCall("connect", 0, 5 * ms).about(socket.descriptor(ConnectionState::connecting)));
    stretch(run, socket, Phase::connect, 0, 5 * ms);
    std::uint64_t number = 0;
    socket.connection->local_peer = resolve::LocalPeer{0, "", {}, true};
    for (const char* target : {"a.example.com", "b.example.com", "a.example.com"}) {
        claim(*socket.connection, NameEvidence::http_target, target);
        socket.connection->peer.port = 80;
        socket.connection->peer.carrier = "proxy.test:3128";
        const std::int64_t at = (10 + 30 * static_cast<std::int64_t>(number)) * ms;
        run.call(MadeCall("recvfrom", at, at + 20 * ms)
                     .about(socket.descriptor(ConnectionState::connected, Direction::sent)));
        exchange(run, socket, ++number, at, at + 30 * ms, 100, 1000);
    }
    run.analysis.connection_closed(*socket.connection, 200 * ms);
    const analyze::Report report = run.end(200 * ms);
    const EndpointLine& first = endpoint(report, "a.example.com:80 (through proxy.test:3128)");
    const EndpointLine& second = endpoint(report, "b.example.com:80 (through proxy.test:3128)");
    CHECK(first.requests == 2);
    CHECK(first.bytes_received == 2000);
    CHECK(first.reply_ns == 40 * ms);
    CHECK(first.connect_ns == 5 * ms);  // made for the first request
    CHECK(second.requests == 1);
    CHECK(second.bytes_received == 1000);
    CHECK(second.reply_ns == 20 * ms);
    CHECK(report.endpoints.size() == 2);
    for (const EndpointLine* line : {&first, &second}) {
        CHECK(line->connections == 1);
        CHECK(line->addresses == std::vector<std::string>{"192.0.2.9"});
        CHECK(line->endpoint.carrier == "proxy.test:3128");
        REQUIRE(line->claims.size() == 1);
        CHECK(line->claims.front().name == line->endpoint.host);
        CHECK(line->local_peer.has_value());
    }
    CHECK(first.reused == 1);
    CHECK(second.reused == 0);
    const auto totals = nlohmann::json::parse(render::endpoints_json(report)).at("totals").at("network");
    CHECK(totals.at("connections") == 1);
    CHECK(totals.at("requests") == 3);
    CHECK(contains(render::render_report(report),
                   "waiting for a reply from a.example.com:80 (through proxy.test:3128): 2 waits"));
}

TEST_CASE("downloads one after the other are one at a time, downloads at once are counted at once") {
    for (const bool parallel : {false, true}) {
        MadeRun run;
        for (std::uint64_t id = 0; id < 8; ++id) {
            const Socket socket = socket_to(id, "files.example.com");
            const std::int64_t from =
                parallel ? static_cast<std::int64_t>(id) * ms : static_cast<std::int64_t>(id) * 100 * ms;
            run.analysis.connection_opened(*socket.connection, from);
            exchange(run, socket, 1, from, from + 90 * ms, 100, 9'000'000);
            run.analysis.connection_closed(*socket.connection, from + 95 * ms);
        }
        const analyze::Report report = run.end(1000 * ms);
        const EndpointLine& line = endpoint(report, "files.example.com:443");
        CHECK(line.peak_concurrency == (parallel ? 8 : 1));
        CHECK(line.mean_concurrency == Approx(parallel ? 8 * 90.0 / 97 : 1.0));
        CHECK(line.transfer_ns == 8 * 30 * ms);
        CHECK(line.transferring_ns == (parallel ? 37 : 8 * 30) * ms);
        REQUIRE(line.rate());
        CHECK(*line.rate() == Approx(72e6 / (parallel ? 0.037 : 0.240)));
        CHECK(line.first_byte.count == 8);
        CHECK(line.first_byte.median_ns == 30 * ms);
        CHECK(report.downloads.peak == line.peak_concurrency);
        std::uint64_t bytes = 0;
        double area = 0;
        for (const std::uint64_t one : report.downloads.bytes) bytes += one;
        for (const double one : report.downloads.in_flight)
            area += one * static_cast<double>(report.downloads.to_ns - report.downloads.from_ns) /
                    static_cast<double>(report.downloads.in_flight.size());
        CHECK(bytes == 72'000'000);
        CHECK(area == Approx(8 * 90 * ms).epsilon(0.001));
        const std::string text = render::render_report(report);
        CHECK(contains(text, parallel ? "up to 8 requests at once" : "one request at a time"));
        CHECK(contains(text, parallel ? "at most 8 at once" : "at most 1 at once"));
    }
}

TEST_CASE("fifty thousand connections to one host are one endpoint, whose sums are exact") {
    MadeRun run;
    const std::uint64_t count = 50'000;
    for (std::uint64_t id = 0; id < count; ++id) {
        const std::int64_t from = static_cast<std::int64_t>(id) * ms;
        const Socket socket = socket_to(id, "files.example.com");
        run.analysis.connection_opened(*socket.connection, from);
        run.call(MadeCall("connect", from, from + 100'000).about(socket.descriptor(ConnectionState::connecting)));
        run.call(MadeCall("recvfrom", from + 100'000, from + 300'000)
                     .about(socket.descriptor(ConnectionState::connected, Direction::sent)));
        run.call(MadeCall("recvfrom", from + 300'000, from + 400'000)
                     .about(socket.descriptor(ConnectionState::connected, Direction::received)));
        exchange(run, socket, 1, from + 100'000, from + 400'000, 10, 1000);
        run.analysis.connection_closed(*socket.connection, from + 500'000);
    }
    const analyze::Report report = run.end(static_cast<std::int64_t>(count) * ms);
    REQUIRE(report.endpoints.size() == 1);
    const EndpointLine& line = report.endpoints.front();
    CHECK(line.connections == count);
    CHECK(line.requests == count);
    CHECK(line.bytes_received == count * 1000);
    CHECK(line.peak_concurrency == 1);
    CHECK(line.transferring_ns == static_cast<std::int64_t>(count) * 100'000);
    CHECK(line.waited_ns() == static_cast<std::int64_t>(count) * 400'000);
    CHECK(line.critical_ns == line.waited_ns());
    for (const CauseKind kind : {CauseKind::connect, CauseKind::reply, CauseKind::receive})
        CHECK(test::line(report.threads, kind).subject == "files.example.com:443");
    CHECK(report.threads.lines.size() == 4);
}

TEST_CASE("who lost a race did not fail, who failed is told by errno") {
    MadeRun run;
    const auto attempt = [&](std::uint64_t id, const char* address, AttemptOutcome outcome, int error) {
        const Socket socket = socket_to(id, "dual.example.com", address);
        socket.connection->lost_race = outcome == AttemptOutcome::lost_race;
        run.analysis.connection_opened(*socket.connection, 0);
        resolve::ConnectAttempt made;
        made.connection = socket.connection.get();
        made.to_ns = 5 * ms;
        made.outcome = outcome;
        made.error = error;
        run.analysis.connect_attempt(made);
        run.analysis.connection_closed(*socket.connection, 5 * ms);
    };
    attempt(0, "2001:db8::1", AttemptOutcome::lost_race, 0);
    attempt(1, "203.0.113.9", AttemptOutcome::connected, 0);
    attempt(2, "203.0.113.9", AttemptOutcome::unreachable, EHOSTUNREACH);
    attempt(3, "203.0.113.9", AttemptOutcome::refused, ECONNREFUSED);
    attempt(4, "203.0.113.9", AttemptOutcome::refused, ECONNREFUSED);
    const analyze::Report report = run.end(10 * ms);
    const EndpointLine& line = endpoint(report, "dual.example.com:443");
    CHECK(line.attempts.count == 5);
    CHECK(line.attempts.failures() == 3);
    CHECK(line.errors == std::vector<std::pair<int, std::uint64_t>>{{ECONNREFUSED, 2}, {EHOSTUNREACH, 1}});
    CHECK(line.connect.count == 1);
    CHECK(line.addresses == std::vector<std::string>{"2001:db8::1", "203.0.113.9"});
    CHECK(contains(render::render_report(report), "2 refused, 1 unreachable (EHOSTUNREACH), 1 lost the race"));
}

TEST_CASE("what a connection says of itself at its end is its endpoint's") {
    MadeRun run;
    for (std::uint64_t id = 0; id < 3; ++id) {
        const Socket socket = socket_to(id, "files.example.com");
        resolve::Connection& connection = *socket.connection;
        connection.dns_from_ns = 0;
        connection.dns_to_ns = 10 * ms;
        connection.tls_from_ns = 20 * ms;
        connection.tls_to_ns = (40 + static_cast<std::int64_t>(id)) * ms;
        connection.requests = id;
        connection.tcp.emplace().set_rtt_ns(static_cast<std::int64_t>(id + 1) * ms);
        connection.tcp->set_retransmits(id);
        claim(connection, NameEvidence::dns, "files.example.com");
        run.analysis.connection_opened(connection, 0);
        run.analysis.connection_closed(connection, 50 * ms);
    }
    const analyze::Report report = run.end(100 * ms);
    const EndpointLine& line = endpoint(report, "files.example.com:443");
    CHECK(line.dns.count == 3);
    CHECK(line.dns.median_ns == 10 * ms);
    CHECK(line.tls.median_ns == 21 * ms);
    CHECK(line.tls.max_ns == 22 * ms);
    CHECK(line.tls.total_ns == 63 * ms);
    CHECK(line.reused == 1);
    CHECK(line.requests == 3);
    CHECK(line.tcp_reports == 3);
    CHECK(line.retransmits == 3);
    CHECK(line.rtt_median_ns == 2 * ms);
    CHECK(line.claims.size() == 1);
    CHECK_FALSE(line.rate());
}

TEST_CASE("a server on this machine is called by its process as well, also where that was learned late") {
    MadeRun run;
    const Socket socket = socket_to(0, "", "127.0.0.1", 5432);
    run.analysis.connection_opened(*socket.connection, 0);
    run.call(MadeCall("connect", 0, 5 * ms).about(socket.descriptor(ConnectionState::connecting)));
    socket.connection->local_peer = resolve::LocalPeer{77, "postgres", {}, true};
    run.call(
        MadeCall("recvfrom", 5 * ms, 25 * ms).about(socket.descriptor(ConnectionState::connected, Direction::sent)));
    run.analysis.connection_closed(*socket.connection, 30 * ms);
    const analyze::Report report = run.end(30 * ms);
    CHECK(line(report.wall, CauseKind::connect).subject == "127.0.0.1:5432 (postgres)");
    CHECK(line(report.wall, CauseKind::reply).subject == "127.0.0.1:5432 (postgres)");
    CHECK(endpoint(report, "127.0.0.1:5432 (postgres)").critical_ns == 25 * ms);
}

TEST_CASE("a UNIX server's clients are apart from the connections made to the same path") {
    MadeRun run;
    for (const bool accepted : {false, true}) {
        const Socket socket = socket_to(accepted ? 1 : 0, "");
        resolve::Connection& connection = *socket.connection;
        connection.transport = resolve::Transport::unix_socket;
        connection.accepted = accepted;
        const resolve::Endpoint path{resolve::Transport::unix_socket, "", NameEvidence::none, "", "/run/made.sock", 0};
        connection.peer = accepted ? resolve::Endpoint{} : path;
        connection.local = accepted ? path : resolve::Endpoint{};
        run.analysis.connection_opened(connection, 0);
        exchange(run, socket, 1, 0, 3 * ms, accepted ? 20 : 10, accepted ? 10 : 20);
        run.analysis.connection_closed(connection, 4 * ms);
    }
    const analyze::Report report = run.end(5 * ms);
    CHECK(endpoint(report, "/run/made.sock").bytes_sent == 10);
    CHECK_FALSE(endpoint(report, "/run/made.sock").served);
    CHECK(endpoint(report, "client of /run/made.sock").bytes_sent == 20);
    CHECK(endpoint(report, "client of /run/made.sock").served);
}

TEST_CASE("an accepted UNIX connection stays apart, whatever address it tells") {
    const resolve::Endpoint path{resolve::Transport::unix_socket, "", NameEvidence::none, "", "/run/made.sock", 0};
    const resolve::Endpoint own{resolve::Transport::unix_socket, "", NameEvidence::none, "", "@client", 0};
    resolve::Connection connection;
    connection.transport = resolve::Transport::unix_socket;
    connection.accepted = true;
    connection.peer = path;
    CHECK(analyze::peer_name(connection) == "client of /run/made.sock");
    connection.local = path;
    connection.peer = own;
    CHECK(analyze::peer_name(connection) == "client of /run/made.sock");
    connection.accepted = false;
    CHECK(analyze::peer_name(connection) == "@client");
}

TEST_CASE("what the program answers is told in a server's words, and counted apart from what it asks") {
    MadeRun run;
    for (const bool accepted : {false, true}) {
        const Socket socket = socket_to(accepted ? 1 : 0, "", "192.0.2.7");
        socket.connection->accepted = accepted;
        run.analysis.connection_opened(*socket.connection, 0);
        exchange(run, socket, 1, 0, 300 * ms, 100, 100);
        exchange(run, socket, 2, 300 * ms, 600 * ms, 100, 100);
        if (accepted) exchange(run, socket, 3, 600 * ms, 900 * ms, 100, 100);
        run.analysis.connection_closed(*socket.connection, 900 * ms);
    }
    const analyze::Report report = run.end(1000 * ms);
    const std::string text = render::render_report(report);
    CHECK(contains(text, "first byte median 100ms"));
    CHECK(contains(text, "answered after median 100ms"));
    const auto document = nlohmann::json::parse(render::endpoints_json(report));
    const auto& totals = document.at("totals").at("network");
    CHECK(totals.at("connections") == 1);
    CHECK(totals.at("connections_accepted") == 1);
    CHECK(totals.at("requests") == 2);
    CHECK(totals.at("requests_served") == 3);
    for (const auto& one : document.at("endpoints"))
        CHECK(one.at("role") == (one.at("requests") == 3 ? "server" : "client"));
}

TEST_CASE("only transfers long enough to time tell a rate, and only enough bytes of them") {
    struct Row {
        std::uint64_t answers, bytes;
        std::int64_t transfer_ns;
        bool measured;
    };
    for (const Row& row :
         {Row{1500, 539, 20'000, false}, Row{3, 1'000'000, 20 * ms, true}, Row{3, 1000, 20 * ms, false},
          Row{2, 2 << 20, 2 * ms, true}, Row{2, 2 << 20, 1'000, false}}) {
        MadeRun run;
        const Socket socket = socket_to(0, "files.example.com");
        run.analysis.connection_opened(*socket.connection, 0);
        std::int64_t now = 0;
        for (std::uint64_t number = 1; number <= row.answers; ++number) {
            stretch(run, socket, Phase::request, now, now, number, 10);
            stretch(run, socket, Phase::first_byte, now, now + ms, number);
            stretch(run, socket, Phase::transfer, now + ms, now + ms + row.transfer_ns, number, 0, row.bytes);
            now += ms + row.transfer_ns;
        }
        // Says nothing about the rate of the others.
        stretch(run, socket, Phase::transfer, now, now + 100, row.answers + 1, 0, 900'000);
        run.analysis.connection_closed(*socket.connection, now + ms);
        const analyze::Report report = run.end(now + ms);
        const EndpointLine& line = endpoint(report, "files.example.com:443");
        INFO(row.bytes << " bytes in " << row.transfer_ns);
        REQUIRE(line.rate().has_value() == row.measured);
        if (row.measured)
            CHECK(*line.rate() == Approx(static_cast<double>(row.bytes) * 1e9 / static_cast<double>(row.transfer_ns)));
        CHECK(contains(render::render_report(report), "/s (") == row.measured);
    }
}

TEST_CASE("where HTTP/2 may carry several requests at once, what was counted is the least there were") {
    for (const bool multiplexed : {false, true}) {
        MadeRun run;
        const Socket socket = socket_to(0, "files.example.com");
        socket.connection->may_multiplex = multiplexed;
        run.analysis.connection_opened(*socket.connection, 0);
        exchange(run, socket, 1, 0, 300 * ms, 100, 500'000);
        run.analysis.connection_closed(*socket.connection, 300 * ms);
        const analyze::Report report = run.end(300 * ms);
        const std::string text = render::render_report(report);
        CHECK(contains(text, "for at least 1 request ") == multiplexed);
        CHECK(contains(text, "HTTP/2 may carry several requests at once: not counted") == multiplexed);
        CHECK(contains(text, "connections busy (") == multiplexed);
        CHECK(contains(text, "Downloads in flight over time") == !multiplexed);
        const auto document = nlohmann::json::parse(render::endpoints_json(report));
        CHECK(document.at("endpoints").at(0).at("requests_exact") == !multiplexed);
        CHECK(document.at("totals").at("network").at("requests_exact") == !multiplexed);
        CHECK(document.at("downloads").at("exact") == !multiplexed);
    }
}

TEST_CASE("the strip shows answers: no handshake, no session ticket, no proxy's word") {
    MadeRun run;
    const Socket socket = socket_to(0, "files.example.com");
    run.analysis.connection_opened(*socket.connection, 0);
    stretch(run, socket, Phase::connect, 0, 10 * ms, 0, 100, 70);
    stretch(run, socket, Phase::tls, 10 * ms, 20 * ms, 0, 500, 4000);
    stretch(run, socket, Phase::idle, 20 * ms, 30 * ms, 0, 0, 600);
    exchange(run, socket, 1, 30 * ms, 90 * ms, 100, 200'000);
    run.analysis.connection_closed(*socket.connection, 100 * ms);
    const analyze::Report report = run.end(100 * ms);
    std::uint64_t bytes = 0;
    for (const std::uint64_t one : report.downloads.bytes) bytes += one;
    CHECK(bytes == 200'000);
    CHECK(report.downloads.from_ns == 30 * ms);
    CHECK(endpoint(report, "files.example.com:443").bytes_received == 204'670);
}

TEST_CASE("what one call received came some time while it waited, and gives no rate") {
    MadeRun run;
    const Socket socket = socket_to(0, "files.example.com");
    run.analysis.connection_opened(*socket.connection, 0);
    stretch(run, socket, Phase::request, 0, ms, 1, 10);
    stretch(run, socket, Phase::first_byte, ms, 301 * ms, 1);
    stretch(run, socket, Phase::transfer, 301 * ms, 301 * ms + 40'000, 1, 0, 3'000'000);
    run.analysis.connection_closed(*socket.connection, 302 * ms);
    const analyze::Report report = run.end(302 * ms);
    const auto& bytes = report.downloads.bytes;
    REQUIRE_FALSE(bytes.empty());
    CHECK(*std::max_element(bytes.begin(), bytes.end()) < 100'000);
    CHECK_FALSE(report.downloads.rate_known);
    CHECK_FALSE(contains(render::render_report(report), "/s"));
}

TEST_CASE("a short answer after a long wait is received at its end") {
    MadeRun run;
    const Socket socket = socket_to(0, "files.example.com");
    run.analysis.connection_opened(*socket.connection, 0);
    stretch(run, socket, Phase::first_byte, 0, 300 * ms, 1, 10);
    stretch(run, socket, Phase::transfer, 300 * ms, 300 * ms, 1, 0, 200'000);
    run.analysis.connection_closed(*socket.connection, 301 * ms);
    const analyze::Report report = run.end(302 * ms);
    REQUIRE_FALSE(report.downloads.bytes.empty());
    CHECK(report.downloads.bytes.back() == 200'000);
}

TEST_CASE("netlink and what was never spoken with are no endpoints of the report; local ones are counted apart") {
    MadeRun run;
    const Socket files = socket_to(0, "files.example.com");
    run.analysis.connection_opened(*files.connection, 0);
    exchange(run, files, 1, 0, 30 * ms, 100, 1000);
    run.analysis.connection_closed(*files.connection, 30 * ms);
    const Socket netlink = socket_to(1, "", "");
    netlink.connection->transport = resolve::Transport::netlink;
    run.analysis.connection_opened(*netlink.connection, 0);
    netlink.connection->bytes_received = 248;
    run.analysis.connection_closed(*netlink.connection, 30 * ms);
    const Socket absent = socket_to(2, "", "/run/absent.sock", 0);
    absent.connection->transport = resolve::Transport::unix_socket;
    run.analysis.connection_opened(*absent.connection, 0);
    resolve::ConnectAttempt attempt;
    attempt.connection = absent.connection.get();
    attempt.outcome = AttemptOutcome::failed;
    attempt.error = ENOENT;
    run.analysis.connect_attempt(attempt);
    run.analysis.connection_closed(*absent.connection, 30 * ms);
    const analyze::Report report = run.end(40 * ms);
    const std::string text = render::render_report(report);
    CHECK(contains(text, "files.example.com:443"));
    CHECK_FALSE(contains(text, "netlink"));
    CHECK_FALSE(contains(text, "absent.sock"));
    CHECK_FALSE(contains(text, "other endpoint"));
    const auto totals = nlohmann::json::parse(render::endpoints_json(report)).at("totals");
    CHECK(totals.at("endpoints") == 3);
    CHECK(totals.at("network").at("failed_connects") == 0);
    CHECK(totals.at("network").at("bytes_received") == 1000);
    CHECK(totals.at("local").at("failed_connects") == 1);
    CHECK(totals.at("local").at("bytes_received") == 248);
}

TEST_CASE("numbers no machine has neither overflow nor become negative durations") {
    CHECK(analyze::whole(0x1p70) == UINT64_MAX);
    CHECK(analyze::whole(-1.0) == 0);
    CHECK(analyze::whole(std::numeric_limits<double>::quiet_NaN()) == 0);
    CHECK(analyze::whole(0x1p63) == std::uint64_t{1} << 63);
    CHECK(analyze::span_ns(5, 3) == 0);
    CHECK(analyze::span_ns(INT64_MIN, INT64_MAX) == std::int64_t{1} << 62);
    MadeRun run;
    const Socket socket = socket_to(0, "files.example.com");
    run.analysis.connection_opened(*socket.connection, 0);
    for (const std::uint64_t number : {1, 2}) {
        const std::int64_t at = static_cast<std::int64_t>(number) * 10 * ms;
        stretch(run, socket, Phase::request, at, at, number, UINT64_MAX);
        stretch(run, socket, Phase::transfer, at, at + 2 * ms, number, 0, UINT64_MAX - 1);
    }
    run.analysis.connection_closed(*socket.connection, 30 * ms);
    analyze::Report report = run.end(40 * ms);
    std::uint64_t bytes = 0;
    for (const std::uint64_t one : report.downloads.bytes) {
        CHECK(one <= UINT64_MAX - bytes);
        bytes += one;
    }
    CHECK(bytes == UINT64_MAX);
    report.run.start_ns = INT64_MAX;
    CHECK_FALSE(contains(render::render_report(report), " -"));
    CHECK_FALSE(contains(render::endpoints_json(report), ": -"));
}

TEST_CASE("a datagram socket that was only connected is no endpoint, one that sent or waited is") {
    MadeRun run;
    std::uint64_t id = 0;
    for (const char* host : {"named.example.com", "sent.example.com", "waited.example.com"}) {
        const Socket socket = socket_to(id++, host);
        socket.connection->transport = socket.connection->peer.transport = resolve::Transport::udp;
        run.analysis.connection_opened(*socket.connection, 0);
        if (id == 2) stretch(run, socket, Phase::request, 0, 1 * ms, 1, 10);
        if (id == 3)
            run.call(MadeCall("recvfrom", 1 * ms, 20 * ms)
                         .about(socket.descriptor(ConnectionState::connected, Direction::sent)));
        run.analysis.connection_closed(*socket.connection, 30 * ms);
    }
    const analyze::Report report = run.end(40 * ms);
    CHECK(report.endpoints.size() == 2);
    CHECK(endpoint(report, "sent.example.com:443").bytes_sent == 10);
    CHECK(endpoint(report, "waited.example.com:443").waited_ns() == 19 * ms);
}

TEST_CASE("intervals laid over one another are summed exactly, and nearly so once the oldest were given up") {
    std::mt19937 random(3);
    struct Interval {
        std::int64_t from, to;
    };
    std::vector<Interval> all;
    for (int i = 0; i < 2000; ++i) {
        const auto from = static_cast<std::int64_t>(i * 10 + random() % 50);
        all.push_back({from, from + 1 + static_cast<std::int64_t>(random() % 60)});
    }
    std::vector<int> depth(30'000, 0);
    std::int64_t total = 0;
    for (const Interval& one : all) {
        total += one.to - one.from;
        for (std::int64_t at = one.from; at < one.to; ++at) ++depth[static_cast<std::size_t>(at)];
    }
    std::shuffle(all.begin(), all.end(), random);
    analyze::Overlap overlap;
    for (const Interval& one : all) overlap.add(one.from, one.to);
    const auto check = [&](const analyze::Overlap::Sums& sums) {
        CHECK(sums.peak == static_cast<std::uint64_t>(*std::max_element(depth.begin(), depth.end())));
        CHECK(sums.covered_ns == std::count_if(depth.begin(), depth.end(), [](int d) { return d > 0; }));
        CHECK(sums.total_ns == total);
    };
    check(overlap.sums());
    overlap.settle_half();
    CHECK(overlap.kept() < all.size() * 3 / 4);
    check(overlap.sums());
    overlap.add(0, 5);  // from a time that is settled: left out
    check(overlap.sums());
    overlap.add(0, INT64_C(1) << 40);  // counted from where the settled time ends
    CHECK(overlap.sums().total_ns > total);
}

TEST_CASE("a strip keeps its sums in bounded memory, whatever order and scale its exchanges come in") {
    std::mt19937_64 random(5);
    analyze::TimeStrip strip;
    double area = 0;
    std::uint64_t bytes = 0;
    std::int64_t first = INT64_MAX, last = 0;
    for (int i = 0; i < 5000; ++i) {
        const auto from = static_cast<std::int64_t>((i % 2 ? 1 : 1000) * (random() % 1'000'000'000'000));
        const auto to = from + static_cast<std::int64_t>(random() % (1ull << (random() % 44))) + 1;
        strip.in_flight(from, to);
        strip.received(from, to, static_cast<std::uint64_t>(i));
        area += static_cast<double>(to - from);
        bytes += static_cast<std::uint64_t>(i);
        first = std::min(first, from);
        last = std::max(last, to);
    }
    const analyze::ConcurrencyStrip made = strip.strip(60);
    REQUIRE(made.in_flight.size() == 60);
    CHECK(made.from_ns == first);
    CHECK(made.to_ns == last);
    double told_area = 0;
    for (const double one : made.in_flight) told_area += one * static_cast<double>(last - first) / 60;
    CHECK(told_area == Approx(area).epsilon(1e-3));
    std::uint64_t told = 0;
    for (const std::uint64_t one : made.bytes) told += one;
    CHECK(told == bytes);
    CHECK(analyze::TimeStrip().strip(60).in_flight.empty());
}

TEST_CASE("the endpoints export says in JSON what the ledger knows, and null where it knows nothing") {
    MadeRun run;
    const Socket files = socket_to(0, "files.example.com");
    claim(*files.connection, NameEvidence::tls_sni, "files.example.com");
    run.analysis.connection_opened(*files.connection, 0);
    exchange(run, files, 1, 0, 300 * ms, 100, 500'000);
    run.analysis.connection_closed(*files.connection, 400 * ms);
    const Socket hostile = socket_to(1, "", "203.0.113.10");
    hostile.connection->peer.host = "bad\x1b\xff\"name";
    hostile.connection->peer.evidence = NameEvidence::http_connect;
    hostile.connection->peer.carrier = "proxy.test:3128";
    run.analysis.connection_opened(*hostile.connection, 0);
    run.analysis.connection_closed(*hostile.connection, 400 * ms);
    const auto document = nlohmann::json::parse(render::endpoints_json(run.end(1000 * ms)));
    CHECK(document.at("format") == "slowtrace endpoints");
    CHECK(document.at("run").at("wall_ns") == 1000 * ms);
    CHECK(document.at("totals").at("network").at("bytes_received") == 500'000);
    CHECK(document.at("downloads").at("peak") == 1);
    const auto& first = document.at("endpoints").at(0);
    CHECK(first.at("host") == "files.example.com");
    CHECK(first.at("port") == 443);
    CHECK(first.at("evidence") == "tls_sni");
    CHECK(first.at("claims").at(0).at("name") == "files.example.com");
    CHECK(first.at("carrier").is_null());
    CHECK(first.at("requests") == 1);
    CHECK(first.at("bytes_per_second").get<double>() == Approx(5'000'000));
    CHECK(first.at("phases").at("first_byte").at("median_ns") == 100 * ms);
    CHECK(first.at("phases").at("tls").at("median_ns").is_null());
    CHECK(first.at("peak_concurrency") == 1);
    CHECK(first.at("tcp").is_null());
    const auto& second = document.at("endpoints").at(1);
    CHECK(second.at("host") == "bad\\x1b\\xff\"name");
    CHECK(second.at("carrier") == "proxy.test:3128");
    CHECK(second.at("bytes_per_second").is_null());
}

TEST_CASE("a recording from outside says to whom it was attached and how it ended") {
    for (const bool let_go : {true, false}) {
        analyze::Analysis analysis;
        model::Run run;
        run.set_start_ns(0);
        run.add_attached_pids(4711);
        run.set_redacted(!let_go);
        analysis.run(run);
        resolve::Process process;
        process.pid = 4711;
        analysis.process_started(process);
        resolve::Thread thread;
        thread.tid = 4711;
        thread.main = true;
        thread.name = "pip";
        analysis.thread_started(thread);
        model::RunEnd end;
        end.set_time_ns(12'300 * ms);
        end.set_let_go(let_go);
        end.set_has_status(!let_go);
        end.set_stops(5);
        analysis.end(end);
        const std::string text = render::render_report(analysis.report());
        const std::string head = text.substr(0, text.find('\n'));
        CHECK(head == (let_go ? "slowtrace: attached to 4711 (pip) — let go after 12.3s"
                              : "slowtrace: attached to 4711 (pip) — it ended: exit 0"));
        CHECK(contains(text, "stand-ins") == !let_go);
    }
}
