// One row an endpoint; the clients of a server are one row per host.
#include "analyze/ledgers.hpp"

#include <algorithm>

#include "analyze/times.hpp"
#include "analyze/wait_rules.hpp"

namespace slowtrace::analyze {

using resolve::Connection;
using resolve::Endpoint;

EndpointLedger::Row& EndpointLedger::row(const std::string& name, const Endpoint& endpoint) {
    std::pair key{endpoint.transport, name};
    auto known = rows_.find(key);
    if (known == rows_.end()) {
        if (rows_.size() >= limit && name != "(others)") return row("(others)", Endpoint{});
        known = rows_.emplace(std::move(key), Row{}).first;
        known->second.line.name = name;
        known->second.line.endpoint = endpoint;
    }
    return known->second;
}

EndpointLedger::Row& EndpointLedger::row(const Connection& connection) {
    Endpoint endpoint = connection.peer;
    endpoint.transport = connection.transport;
    Row& found = row(peer_name(connection), endpoint);
    if (connection.is_dns()) found.line.dns_server = true;
    return found;
}

void EndpointLedger::opened(const Connection& connection) {
    ++row(connection).line.connections;
}

void EndpointLedger::closed(const Connection& connection) {
    if (connection.bytes_sent == 0 && connection.bytes_received == 0) return;
    EndpointLine& line = row(connection).line;
    line.bytes_sent += connection.bytes_sent;
    line.bytes_received += connection.bytes_received;
}

// Connecting a datagram socket (connect(2)) only names its peer; no one is asked.
void EndpointLedger::attempted(const resolve::ConnectAttempt& attempt) {
    if (!attempt.connection || attempt.connection->transport == resolve::Transport::udp) return;
    row(*attempt.connection).attempts.add(attempt);
}

void EndpointLedger::waited(const Connection& connection, CauseKind kind, std::int64_t ns) {
    std::int64_t EndpointLine::*column = nullptr;
    if (kind == CauseKind::connect) column = &EndpointLine::connect_ns;
    if (kind == CauseKind::reply) column = &EndpointLine::reply_ns;
    if (kind == CauseKind::receive || kind == CauseKind::local_socket) column = &EndpointLine::receive_ns;
    if (kind == CauseKind::send) column = &EndpointLine::send_ns;
    if (kind == CauseKind::dns) column = &EndpointLine::dns_ns;
    if (!column) return;
    EndpointLine& line = row(connection).line;
    line.*column = saturating_add(line.*column, ns);
}

void EndpointLedger::asked(const resolve::DnsExchange& exchange) {
    Row& server = row(exchange.server.display(), exchange.server);
    server.line.dns_server = true;
    ++server.line.lookups;
    if (!exchange.answered) ++server.line.unanswered;
    if (exchange.answered && exchange.response_code != 0) ++server.line.negative;
    if (exchange.answered) server.lookups.add(sane(exchange.answered_ns) - sane(exchange.asked_ns));
}

std::map<std::string, Attempts> EndpointLedger::attempts() const {
    std::map<std::string, Attempts> found;
    for (const auto& [key, row] : rows_)
        if (Attempts attempts = row.attempts.finished(); attempts.count > 0 && !row.line.dns_server)
            found.emplace(row.line.name, attempts);
    return found;
}

std::optional<double> EndpointLine::rate() const {
    constexpr std::int64_t too_short_ns = 1'000'000;
    if (transferring_ns < too_short_ns || bytes_received == 0) return std::nullopt;
    return static_cast<double>(bytes_received) * 1e9 / static_cast<double>(transferring_ns);
}

std::vector<EndpointLine> EndpointLedger::finished() const {
    std::vector<EndpointLine> lines;
    for (const auto& [key, row] : rows_) {
        lines.push_back(row.line);
        lines.back().attempts = row.attempts.finished();
        lines.back().lookup_median_ns = row.lookups.quantile(0.5);
    }
    std::stable_sort(lines.begin(), lines.end(), [](const EndpointLine& a, const EndpointLine& b) {
        if (a.waited_ns() != b.waited_ns()) return a.waited_ns() > b.waited_ns();
        return a.bytes_sent + a.bytes_received > b.bytes_sent + b.bytes_received;
    });
    return lines;
}

}  // namespace slowtrace::analyze
