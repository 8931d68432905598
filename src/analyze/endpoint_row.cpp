// Sums and medians of one endpoint.
#include "analyze/endpoint_row.hpp"

#include <algorithm>
#include <array>

#include "analyze/peers.hpp"
#include "analyze/times.hpp"

namespace slowtrace::analyze {
namespace {

constexpr std::size_t names_limit = 8;  // distinct addresses and claims an endpoint keeps

template <typename Value>
void add_distinct(std::vector<Value>& values, const Value& value) {
    if (values.size() < names_limit && std::find(values.begin(), values.end(), value) == values.end())
        values.push_back(value);
}

struct WaitColumn {
    CauseKind kind;
    std::int64_t EndpointLine::*column;
};
constexpr std::array wait_columns{
    WaitColumn{CauseKind::dns, &EndpointLine::dns_ns},
    WaitColumn{CauseKind::connect, &EndpointLine::connect_ns},
    WaitColumn{CauseKind::tls, &EndpointLine::tls_ns},
    WaitColumn{CauseKind::reply, &EndpointLine::reply_ns},
    WaitColumn{CauseKind::receive, &EndpointLine::receive_ns},
    WaitColumn{CauseKind::local_socket, &EndpointLine::receive_ns},
    WaitColumn{CauseKind::send, &EndpointLine::send_ns},
};

void add_time(Distribution& times, std::optional<std::int64_t> from_ns, std::optional<std::int64_t> to_ns) {
    if (from_ns && to_ns) times.add(span_ns(*from_ns, *to_ns));
}

PhaseTimes summed(const Distribution& times) {
    return {times.count(), times.quantile(0.5), times.max(), times.total()};
}

}  // namespace

void EndpointRow::attempted(const resolve::ConnectAttempt& attempt) {
    attempts.add(attempt);
    if (attempt.outcome == resolve::AttemptOutcome::lost_race) return;
    if (attempt.outcome == resolve::AttemptOutcome::connected) {
        connect.add(span_ns(attempt.from_ns, attempt.to_ns));
        return;
    }
    const auto known = std::find_if(line.errors.begin(), line.errors.end(),
                                    [&](const auto& error) { return error.first == attempt.error; });
    if (known != line.errors.end())
        ++known->second;
    else
        line.errors.emplace_back(attempt.error, 1);
}

void EndpointRow::waited(CauseKind kind, std::int64_t ns) {
    for (const WaitColumn& row : wait_columns)
        if (row.kind == kind) line.*row.column = saturating_add(line.*row.column, ns);
}

void EndpointRow::at_address(const std::string& address) {
    if (!address.empty()) add_distinct(line.addresses, address);
}

// A proxied connection has names of all its targets: what names another of them is not about this one.
void EndpointRow::carried(const resolve::Connection& connection, std::uint64_t requests,
                          const std::set<std::string>& siblings) {
    ++line.connections;
    if (requests > 1) ++line.reused;
    if (connection.may_multiplex) line.requests_exact = false;
    for (const resolve::NameClaim& claim : connection.claims) {
        const bool of_another =
            !siblings.empty() && (comes_with_requests(claim.evidence) || siblings.contains(claim.name));
        if (claim.name == line.endpoint.host || !of_another) add_distinct(line.claims, claim);
    }
    if (!line.local_peer) line.local_peer = connection.local_peer;
}

void EndpointRow::closed(const resolve::Connection& connection) {
    ++line.counted_connections;
    if (connection.is_dns()) line.dns_server = true;
    if (line.name_service.empty()) line.name_service = connection.name_service;
    add_time(dns, connection.dns_from_ns, connection.dns_to_ns);
    add_time(tls, connection.tls_from_ns, connection.tls_to_ns);
    if (!connection.tcp) return;
    ++line.tcp_reports;
    line.retransmits += connection.tcp->retransmits();
    if (connection.tcp->rtt_ns() > 0) rtt.add(connection.tcp->rtt_ns());
}

EndpointLine EndpointRow::finished() const {
    EndpointLine finished = line;
    finished.attempts = attempts.finished();
    finished.lookup_median_ns = lookups.quantile(0.5);
    finished.dns = summed(dns);
    finished.connect = summed(connect);
    finished.tls = summed(tls);
    finished.first_byte = summed(first_byte);
    finished.rtt_median_ns = rtt.quantile(0.5);
    const Overlap::Sums in_flight = exchanges.sums();
    finished.peak_concurrency = in_flight.peak;
    finished.mean_concurrency = in_flight.mean();
    finished.transferring_ns = transfers.sums().covered_ns;
    finished.measured_ns = timed.sums().covered_ns;
    std::stable_sort(finished.errors.begin(), finished.errors.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    return finished;
}

std::int64_t EndpointLine::waited_ns() const {
    std::int64_t sum = 0;
    for (const std::int64_t part : {connect_ns, tls_ns, reply_ns, receive_ns, send_ns, dns_ns})
        sum = saturating_add(sum, part);
    return sum;
}

std::optional<double> EndpointLine::rate() const {
    constexpr std::uint64_t too_few_bytes = 64 << 10;
    if (measured_bytes < too_few_bytes || measured_ns <= 0) return std::nullopt;
    return static_cast<double>(measured_bytes) * 1e9 / static_cast<double>(measured_ns);
}

}  // namespace slowtrace::analyze
