// One row an endpoint; the clients of a server are one row per host.
#include "analyze/ledgers.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "analyze/times.hpp"

namespace slowtrace::analyze {

using resolve::Connection;
using resolve::Endpoint;
using resolve::Phase;
using resolve::Transport;

namespace {

// A datagram socket that was only connected: nothing passed, nobody was asked (getaddrinfo(3) compares routes so).
bool only_named(const EndpointLine& line) {
    return line.endpoint.transport == Transport::udp && line.bytes_sent == 0 && line.bytes_received == 0 &&
           line.reply_ns == 0 && line.receive_ns == 0 && line.send_ns == 0 && line.lookups == 0;
}

// Far more than a receive buffer holds at first (tcp(7), tcp_rmem), faster than it can have arrived: one call took it
// (MSG_WAITALL), and it came while that call waited.
bool came_before(const Passage& passage) {
    constexpr std::uint64_t many_bytes = 1 << 20;
    // At more than a byte a nanosecond, 8 Gbit/s.
    return passage.phase == Phase::transfer && passage.bytes_received >= many_bytes &&
           passage.bytes_received > static_cast<std::uint64_t>(passage.ns());
}

// What a program fetches from others: not what it serves, not the questions that led there.
bool is_download(const Connection& connection) {
    const bool network = connection.transport == Transport::tcp || connection.transport == Transport::udp;
    return network && !connection.accepted && !connection.is_dns();
}

}  // namespace

// --- who

EndpointRow& EndpointLedger::row(const std::string& name, const Endpoint& endpoint) {
    std::pair key{name, endpoint.transport};
    auto known = rows_.find(key);
    if (known == rows_.end()) {
        if (rows_.size() >= limit && name != "(others)") return row("(others)", Endpoint{});
        known = rows_.emplace(std::move(key), EndpointRow{}).first;
        known->second.line.name = name;
        known->second.line.endpoint = endpoint;
    }
    return known->second;
}

EndpointRow& EndpointLedger::row(const Connection& connection, const Endpoint& peer) {
    Endpoint endpoint = peer;
    endpoint.transport = connection.transport;
    EndpointRow& found = row(peer_name(connection, peer), endpoint);
    if (found.line.name != "(others)") improve(found.line.endpoint, endpoint);
    if (connection.is_dns()) found.line.dns_server = true;
    if (connection.accepted) found.line.served = true;
    return found;
}

ConnectionAccount& EndpointLedger::account(const Connection& connection) {
    ConnectionAccount& account = open_[connection.id];
    if (improve(account.peer, connection.peer) || account.name.empty())
        account.name = peer_name(connection, account.peer);
    account.transport = connection.transport;
    account.download = is_download(connection);
    return account;
}

// --- what passed

void EndpointLedger::phase(const Connection& connection, const resolve::PhaseStretch& stretch) {
    const std::int64_t from_ns = sane(stretch.from_ns), to_ns = std::max(from_ns, sane(stretch.to_ns));
    const Passage passage{stretch.phase, from_ns, to_ns, stretch.bytes_sent, stretch.bytes_received, stretch.exchange};
    ConnectionAccount& kept = account(connection);
    const bool certain = peer_may_change(connection, stretch.peer);
    if (!certain && kept.early.size() < ConnectionAccount::early_limit) {
        kept.early.push_back(passage);
        return;
    }
    const Endpoint& peer = certain ? stretch.peer : kept.peer;
    EndpointRow& endpoint = row(connection, peer);
    endpoint.at_address(peer.address);
    pass_early(kept, endpoint);
    pass(kept, endpoint, passage);
}

// What was before the first request was on its behalf.
void EndpointLedger::pass_early(ConnectionAccount& account, EndpointRow& row) {
    for (const Passage& passage : account.early) pass(account, row, passage);
    account.early.clear();
}

void EndpointLedger::pass(ConnectionAccount& account, EndpointRow& row, const Passage& passage) {
    row.line.bytes_sent += passage.bytes_sent;
    row.line.bytes_received += passage.bytes_received;
    account.bytes_sent += passage.bytes_sent;
    account.bytes_received += passage.bytes_received;
    if (passage.phase == Phase::transfer) {
        row.line.transfer_ns = saturating_add(row.line.transfer_ns, passage.ns());
        row.line.transfer_bytes += passage.bytes_received;
        row.transfers.add(passage.from_ns, passage.to_ns);
        ++new_intervals_;
    }
    if (passage.timed()) {
        row.line.measured_bytes += passage.bytes_received;
        row.timed.add(passage.from_ns, passage.to_ns);
        ++new_intervals_;
    }
    if (passage.exchange != 0 || passage.bytes_sent > 0 || passage.bytes_received > 0)
        account.carried.try_emplace(&row);
    const bool exchanges =
        passage.phase == Phase::request || passage.phase == Phase::first_byte || passage.phase == Phase::transfer;
    if (exchanges) continue_exchange(account, row, passage);
    if (account.download && exchanges) downloaded(account.exchange, passage);
}

// Bytes of answers: handshakes, tickets and a proxy's own words are none.
void EndpointLedger::downloaded(const OpenExchange& exchange, const Passage& passage) {
    const bool while_waiting = exchange.waited_ns > 0 && came_before(passage);
    strip_.received(while_waiting ? exchange.wait_began_ns : passage.from_ns, passage.to_ns, passage.bytes_received);
    downloaded_bytes_ += passage.bytes_received;
    if (passage.timed()) timed_bytes_ += passage.bytes_received;
}

// A peer that speaks unasked (exchange 0) is in flight as well, but was not requested.
void EndpointLedger::continue_exchange(ConnectionAccount& account, EndpointRow& row, const Passage& passage) {
    OpenExchange& exchange = account.exchange;
    const bool same = exchange.row == &row && exchange.number == passage.exchange && passage.exchange != 0;
    if (!same) {
        end_exchange(account);
        exchange = {&row, passage.exchange, passage.from_ns, passage.from_ns, 0, 0, false};
        if (passage.exchange != 0) {
            ++row.line.requests;
            ++account.requests;
            ++account.carried[&row];
        }
    }
    exchange.to_ns = passage.to_ns;
    if (passage.phase == Phase::first_byte) {
        exchange.wait_began_ns = passage.from_ns;
        exchange.waited_ns = saturating_add(exchange.waited_ns, passage.ns());
    }
    if (passage.phase != Phase::transfer || exchange.answered) return;
    exchange.answered = true;
    if (passage.exchange != 0) row.first_byte.add(exchange.waited_ns);
}

void EndpointLedger::end_exchange(ConnectionAccount& account) {
    const OpenExchange exchange = std::exchange(account.exchange, {});
    if (!exchange.row) return;
    exchange.row->exchanges.add(exchange.from_ns, exchange.to_ns);
    ++new_intervals_;
    if (account.download) {
        in_flight_.add(exchange.from_ns, exchange.to_ns);
        strip_.in_flight(exchange.from_ns, exchange.to_ns);
        ++new_intervals_;
    }
    limit_intervals();
}

void EndpointLedger::limit_intervals() {
    if (new_intervals_ < intervals_limit) return;
    new_intervals_ = 0;
    in_flight_.settle_half();
    for (auto& [key, row] : rows_) {
        row.exchanges.settle_half();
        row.transfers.settle_half();
        row.timed.settle_half();
    }
}

// --- attempts, waits, questions

// Connecting a datagram socket (connect(2)) only names its peer; no one is asked.
void EndpointLedger::attempted(const resolve::ConnectAttempt& attempt) {
    if (!attempt.connection || attempt.connection->transport == Transport::udp) return;
    if (!is_open(*attempt.connection)) return row(*attempt.connection, attempt.connection->peer).attempted(attempt);
    resolve::ConnectAttempt kept = attempt;
    kept.connection = nullptr;
    account(*attempt.connection).attempts.push_back(kept);
}

void EndpointLedger::waited(const Connection& connection, CauseKind kind, std::int64_t ns) {
    if (!is_open(connection) || peer_may_change(connection, connection.peer))
        return row(connection, connection.peer).waited(kind, ns);
    auto& waits = account(connection).waits;
    const auto known = std::find_if(waits.begin(), waits.end(), [&](const auto& wait) { return wait.first == kind; });
    if (known == waits.end())
        waits.emplace_back(kind, ns);
    else
        known->second = saturating_add(known->second, ns);
}

void EndpointLedger::asked(const resolve::DnsExchange& exchange) {
    EndpointRow& server = row(exchange.server.display(), exchange.server);
    server.line.dns_server = true;
    ++server.line.lookups;
    if (!exchange.answered) ++server.line.unanswered;
    if (exchange.answered && exchange.response_code != 0) ++server.line.negative;
    if (exchange.answered) server.lookups.add(span_ns(exchange.asked_ns, exchange.answered_ns));
}

// --- the end

void EndpointLedger::close(ConnectionAccount& account, EndpointRow& row) {
    pass_early(account, row);
    end_exchange(account);
    for (const resolve::ConnectAttempt& attempt : account.attempts) row.attempted(attempt);
    for (const auto& [kind, ns] : account.waits) row.waited(kind, ns);
}

void EndpointLedger::closed(const Connection& connection) {
    ConnectionAccount& kept = account(connection);
    EndpointRow& endpoint = row(connection, kept.peer);
    close(kept, endpoint);
    endpoint.closed(connection);
    // Whatever no stretch told, so that bytes and requests are the connections' own.
    const auto rest = [](std::uint64_t all, std::uint64_t told) { return all > told ? all - told : 0; };
    endpoint.line.bytes_sent += rest(connection.bytes_sent, kept.bytes_sent);
    endpoint.line.bytes_received += rest(connection.bytes_received, kept.bytes_received);
    const std::uint64_t untold_requests = rest(connection.requests, kept.requests);
    endpoint.line.requests += untold_requests;
    kept.carried[&endpoint] += untold_requests;
    if (kept.carried.size() == 1) endpoint.at_address(connection.peer.address);
    std::set<std::string> siblings;
    if (kept.carried.size() > 1)
        for (const auto& [to, requests] : kept.carried) siblings.insert(to->line.endpoint.host);
    for (const auto& [to, requests] : kept.carried) to->carried(connection, requests, siblings);
    if (kept.download && connection.may_multiplex && connection.requests > 0) downloads_exact_ = false;
    if (kept.remembered) peers_.set(connection.id, kept.name, kept.peer);
    open_.erase(connection.id);
}

void EndpointLedger::finish() {
    for (auto& [id, account] : open_) {
        Endpoint peer = account.peer;
        peer.transport = account.transport;
        EndpointRow& endpoint = row(account.name, peer);
        close(account, endpoint);
        account.carried.try_emplace(&endpoint);
        for (const auto& [to, requests] : account.carried) ++to->line.connections;
        ++endpoint.line.counted_connections;
        if (account.remembered) peers_.set(id, account.name, account.peer);
    }
    open_.clear();
}

const EndpointRow* EndpointLedger::find(const std::string& name, bool dns_server) const {
    for (auto at = rows_.lower_bound({name, Transport{}}); at != rows_.end() && at->first.first == name; ++at)
        if (at->second.line.dns_server == dns_server) return &at->second;
    return nullptr;
}

std::vector<EndpointLine> EndpointLedger::finished() const {
    std::vector<EndpointLine> lines;
    for (const auto& [key, row] : rows_) {
        if (only_named(row.line)) continue;
        lines.push_back(row.finished());
        if (!row.line.dns_server) lines.back().name = with_local_peer(lines.back().name, lines.back().local_peer);
    }
    std::stable_sort(lines.begin(), lines.end(), [](const EndpointLine& a, const EndpointLine& b) {
        if (a.waited_ns() != b.waited_ns()) return a.waited_ns() > b.waited_ns();
        return a.bytes_sent + a.bytes_received > b.bytes_sent + b.bytes_received;
    });
    return lines;
}

ConcurrencyStrip EndpointLedger::downloads() const {
    ConcurrencyStrip strip = strip_.strip(strip_stretches);
    strip.peak = in_flight_.sums().peak;
    strip.exact = downloads_exact_;
    constexpr std::int64_t long_enough_ns = 10'000'000;  // a column by itself
    const auto columns = static_cast<std::int64_t>(strip.bytes.size());
    strip.rate_known = timed_bytes_ >= downloaded_bytes_ - timed_bytes_ ||
                       (columns > 0 && (strip.to_ns - strip.from_ns) / columns >= long_enough_ns);
    return strip;
}

}  // namespace slowtrace::analyze
