// One object an endpoint, in the report's order.
#include "render/json_endpoints.hpp"

#include <nlohmann/json.hpp>

#include "analyze/analysis.hpp"
#include "analyze/times.hpp"
#include "render/evidence.hpp"
#include "render/text.hpp"

namespace slowtrace::render {
namespace {

using analyze::EndpointLine;
using nlohmann::ordered_json;
using resolve::AttemptOutcome;
using resolve::Transport;

// Names come from the program: made printable, and so valid UTF-8, as everywhere.
ordered_json text(const std::string& bytes) {
    return bytes.empty() ? ordered_json() : ordered_json(visible(bytes));
}

template <typename Value>
ordered_json known(bool is_known, Value value) {
    return is_known ? ordered_json(value) : ordered_json();
}

std::string_view transport_name(Transport transport) {
    constexpr std::string_view names[] = {"tcp", "udp", "unix", "netlink", "packet", "other"};
    static_assert(std::size(names) == static_cast<std::size_t>(Transport::other) + 1);
    return names[static_cast<std::size_t>(transport)];
}

constexpr std::string_view evidence_keys[] = {
    "none",  "reverse_lookup", "hosts_file",   "dns",      "http2_authority", "http_host",
    "socks", "http_target",    "http_connect", "quic_sni", "tls_sni"};
static_assert(std::size(evidence_keys) == static_cast<std::size_t>(resolve::NameEvidence::tls_sni) + 1);

std::string_view evidence_key(resolve::NameEvidence evidence) {
    return evidence_keys[static_cast<std::size_t>(evidence)];
}

ordered_json phase(const analyze::PhaseTimes& times) {
    const bool any = times.count > 0;
    return {{"count", times.count},
            {"median_ns", known(any, times.median_ns)},
            {"max_ns", known(any, times.max_ns)},
            {"total_ns", times.total_ns}};
}

ordered_json attempts(const EndpointLine& line) {
    constexpr std::string_view names[] = {"connected", "refused",   "timed_out",  "unreachable", "reset",
                                          "failed",    "abandoned", "unfinished", "lost_race"};
    static_assert(std::size(names) == analyze::outcome_count);
    ordered_json all{{"count", line.attempts.count}, {"failed", line.attempts.failures()}};
    ordered_json outcomes = ordered_json::object();
    for (std::size_t i = 0; i < std::size(names); ++i)
        if (line.attempts.outcomes[i] > 0) outcomes[std::string(names[i])] = line.attempts.outcomes[i];
    all["outcomes"] = std::move(outcomes);
    ordered_json errors = ordered_json::object();
    for (const auto& [error, count] : line.errors)
        errors[error == 0 ? std::string("not_told") : model::error_name(error)] = count;
    all["errors"] = std::move(errors);
    return all;
}

ordered_json local_peer(const EndpointLine& line) {
    if (!line.local_peer) return nullptr;
    return {{"pid", line.local_peer->pid},
            {"name", text(line.local_peer->name)},
            {"traced", line.local_peer->process.has_value()},
            {"listener", line.local_peer->listener}};
}

ordered_json claims(const EndpointLine& line) {
    ordered_json all = ordered_json::array();
    for (const resolve::NameClaim& claim : line.claims)
        all.push_back({{"evidence", evidence_key(claim.evidence)},
                       {"name", text(claim.name)},
                       {"port", known(claim.port != 0, claim.port)}});
    return all;
}

ordered_json waited(const EndpointLine& line) {
    return {{"total_ns", line.waited_ns()},  {"dns_ns", line.dns_ns},
            {"connect_ns", line.connect_ns}, {"tls_ns", line.tls_ns},
            {"reply_ns", line.reply_ns},     {"receive_ns", line.receive_ns},
            {"send_ns", line.send_ns},       {"wall_share_ns", line.critical_ns}};
}

ordered_json dns_server(const EndpointLine& line) {
    if (!line.dns_server) return nullptr;
    const bool answered = line.lookups > line.unanswered;
    return {{"name_service", text(line.name_service)},
            {"questions", line.lookups},
            {"unanswered", line.unanswered},
            {"negative", line.negative},
            {"median_ns", known(answered, line.lookup_median_ns)}};
}

ordered_json endpoint(const EndpointLine& line, std::int64_t wall_ns) {
    const resolve::Endpoint& peer = line.endpoint;
    ordered_json addresses = ordered_json::array();
    for (const std::string& address : line.addresses) addresses.push_back(visible(address));
    const std::optional<double> rate = line.rate();
    const bool exchanges = line.peak_concurrency > 0;
    ordered_json one{{"name", text(line.name)},
                     {"transport", transport_name(peer.transport)},
                     {"host", text(peer.host)},
                     {"port", known(peer.port != 0, peer.port)},
                     {"addresses", std::move(addresses)},
                     {"canonical_name", text(peer.canonical_name)},
                     {"evidence", known(peer.evidence != resolve::NameEvidence::none, evidence_key(peer.evidence))},
                     {"claims", claims(line)},
                     {"carrier", text(peer.carrier)},
                     {"local_peer", local_peer(line)},
                     {"dns_server", dns_server(line)},
                     {"role", line.served ? "server" : "client"}};
    one["connections"] = line.connections;
    one["connections_reused"] = line.reused;
    one["requests"] = line.requests;
    one["requests_exact"] = line.requests_exact;
    one["connect_attempts"] = attempts(line);
    one["phases"] = {{"dns", phase(line.dns)},
                     {"connect", phase(line.connect)},
                     {"tls", phase(line.tls)},
                     {"first_byte", phase(line.first_byte)}};
    one["bytes_sent"] = line.bytes_sent;
    one["bytes_received"] = line.bytes_received;
    one["transfer_bytes"] = line.transfer_bytes;
    one["transfer_ns"] = line.transfer_ns;
    one["transferring_ns"] = line.transferring_ns;
    one["measured_bytes"] = line.measured_bytes;
    one["measured_ns"] = line.measured_ns;
    one["bytes_per_second"] = rate ? ordered_json(*rate) : ordered_json();
    one["peak_concurrency"] = line.peak_concurrency;
    one["mean_concurrency"] = known(exchanges, line.mean_concurrency);
    one["waited"] = waited(line);
    one["wall_share"] = known(
        wall_ns > 0, static_cast<double>(line.critical_ns) / static_cast<double>(std::max<std::int64_t>(wall_ns, 1)));
    const bool told = line.tcp_reports > 0;
    one["tcp"] = told ? ordered_json{{"reports", line.tcp_reports},
                                     {"retransmits", line.retransmits},
                                     {"rtt_median_ns", known(line.rtt_median_ns > 0, line.rtt_median_ns)}}
                      : ordered_json();
    return one;
}

ordered_json run_facts(const analyze::RunFacts& run) {
    ordered_json arguments = ordered_json::array();
    for (const std::string& argument : run.arguments) arguments.push_back(visible(argument));
    return {{"command", std::move(arguments)}, {"attached", run.attached},
            {"wall_ns", run.wall_ns},          {"wait_status", run.status ? ordered_json(*run.status) : ordered_json()},
            {"truncated", run.truncated},      {"redacted", run.redacted}};
}

bool is_network(const EndpointLine& line) {
    return line.endpoint.transport == Transport::tcp || line.endpoint.transport == Transport::udp;
}

// What the program asked of others apart from what others asked of it.
ordered_json totals(const std::vector<EndpointLine>& lines, bool network) {
    std::uint64_t connections = 0, accepted = 0, failed = 0, requests = 0, served = 0, sent = 0, received = 0;
    bool exact = true;
    for (const EndpointLine& line : lines) {
        if (is_network(line) != network) continue;
        (line.served ? accepted : connections) += line.counted_connections;
        (line.served ? served : requests) += line.requests;
        failed += line.attempts.failures();
        sent += line.bytes_sent;
        received += line.bytes_received;
        exact = exact && line.requests_exact;
    }
    return {{"connections", connections}, {"connections_accepted", accepted}, {"failed_connects", failed},
            {"requests", requests},       {"requests_served", served},        {"requests_exact", exact},
            {"bytes_sent", sent},         {"bytes_received", received}};
}

// Offsets since the run began.
ordered_json downloads(const analyze::Report& report) {
    const analyze::ConcurrencyStrip& strip = report.downloads;
    if (strip.in_flight.empty()) return nullptr;
    return {{"from_ns", analyze::span_ns(report.run.start_ns, strip.from_ns)},
            {"to_ns", analyze::span_ns(report.run.start_ns, strip.to_ns)},
            {"peak", strip.peak},
            {"exact", strip.exact},
            {"in_flight", strip.in_flight},
            {"bytes_received", strip.bytes}};
}

}  // namespace

std::string endpoints_json(const analyze::Report& report) {
    ordered_json document{{"format", "slowtrace endpoints"}, {"version", 1}};
    document["run"] = run_facts(report.run);
    document["totals"] = {{"endpoints", report.endpoints.size()},
                          {"network", totals(report.endpoints, true)},
                          {"local", totals(report.endpoints, false)}};
    document["downloads"] = downloads(report);
    ordered_json endpoints = ordered_json::array();
    for (const EndpointLine& line : report.endpoints) endpoints.push_back(endpoint(line, report.run.wall_ns));
    document["endpoints"] = std::move(endpoints);
    return document.dump(1) + "\n";
}

void write_json_endpoints(EventSource& run, const ExportOptions&, ByteSink& out) {
    analyze::Analysis analysis;
    resolve::Resolver resolver(analysis);
    run.replay(resolver);
    resolver.finish();
    out.write(endpoints_json(analysis.report()));
}

}  // namespace slowtrace::render
