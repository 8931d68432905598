// Connection tracks, open-connection and byte counters.
#include "render/json_connections.hpp"

#include <algorithm>
#include <map>

#include "analyze/peers.hpp"
#include "render/evidence.hpp"
#include "render/text.hpp"

namespace slowtrace::render {
namespace {

using resolve::Connection;
using resolve::Phase;
using resolve::PhaseStretch;
using resolve::Transport;

// Beyond this many, tracks of closed connections are used again: viewers take seconds a thousand tracks.
constexpr std::size_t most_own_tracks = 300;

// Netlink and packet sockets talk to the kernel, not to a peer worth a track.
bool has_track(const Connection& connection) {
    return connection.transport == Transport::tcp || connection.transport == Transport::udp ||
           connection.transport == Transport::unix_socket;
}

std::string_view transport_name(Transport transport) {
    constexpr std::string_view names[] = {"tcp", "udp", "unix", "netlink", "packet", "other"};
    static_assert(std::size(names) == static_cast<std::size_t>(Transport::other) + 1);
    return names[static_cast<std::size_t>(transport)];
}

std::string_view outcome_name(resolve::AttemptOutcome outcome) {
    constexpr std::string_view names[] = {"connected", "refused",   "timed out",  "unreachable",  "reset",
                                          "failed",    "abandoned", "unfinished", "lost the race"};
    static_assert(std::size(names) == static_cast<std::size_t>(resolve::AttemptOutcome::lost_race) + 1);
    return names[static_cast<std::size_t>(outcome)];
}

std::string_view phase_name(Phase phase) {
    constexpr std::string_view names[] = {"connect", "tls", "request", "first byte", "transfer", "idle"};
    static_assert(std::size(names) == static_cast<std::size_t>(Phase::idle) + 1);
    return names[static_cast<std::size_t>(phase)];
}

std::string shown_name(const Connection& connection) {
    return analyze::with_local_peer(analyze::peer_name(connection), connection.local_peer);
}

void tell_name(JsonObject& arguments, const Connection& connection) {
    const resolve::Endpoint& peer = connection.peer;
    arguments.text("address", peer.address);
    if (peer.evidence != resolve::NameEvidence::none) arguments.text("evidence", evidence_name(peer.evidence));
    std::string claims;
    for (const resolve::NameClaim& claim : connection.claims)
        claims.append(claims.empty() ? "" : "; ").append(evidence_name(claim.evidence)).append(": ").append(claim.name);
    if (!claims.empty()) arguments.text("claims", claims);
    if (!peer.canonical_name.empty()) arguments.text("canonical_name", peer.canonical_name);
    if (!peer.carrier.empty()) arguments.text("carrier", peer.carrier);
    if (connection.local_peer) {
        arguments.text("local_peer", connection.local_peer->name);
        arguments.integer("local_peer_pid", connection.local_peer->pid);
    }
    if (!connection.name_service.empty()) arguments.text("name_service", connection.name_service);
    if (!connection.question.empty()) arguments.text("question", connection.question);
}

void tell_time(JsonObject& arguments, std::string_view key, std::optional<std::int64_t> from_ns,
               std::optional<std::int64_t> to_ns) {
    if (from_ns && to_ns) arguments.text(key, format_duration(nanoseconds_between(*from_ns, *to_ns)));
}

void tell_facts(JsonObject& arguments, const Connection& connection) {
    if (connection.accepted) arguments.flag("accepted");
    if (connection.inherited) arguments.flag("inherited");
    if (connection.lost_race) arguments.flag("lost_race");
    if (connection.may_multiplex) arguments.flag("may_multiplex");
    tell_time(arguments, "dns", connection.dns_from_ns, connection.dns_to_ns);
    tell_time(arguments, "tls", connection.tls_from_ns, connection.tls_to_ns);
    if (connection.tls_version != 0) arguments.hex("tls_version", connection.tls_version);
    if (connection.http_status != 0) arguments.size("http_status", connection.http_status);
    arguments.size("requests", connection.requests);
    if (!connection.tcp) return;
    arguments.text("rtt", format_duration(connection.tcp->rtt_ns()));
    arguments.size("retransmits", connection.tcp->retransmits());
}

}  // namespace

JsonConnections::Life* JsonConnections::life_of(const Connection& connection) {
    const auto found = lives_.find(connection.id);
    return found == lives_.end() ? nullptr : &found->second;
}

// A track that had connections to the same endpoint is used again first.
std::uint32_t JsonConnections::take_lane(const std::string& name) {
    if (lanes_.size() < most_own_tracks || free_lanes_.empty()) {
        lanes_.push_back({.tid = next_tid_++, .name = {}, .mixed = false});
        return static_cast<std::uint32_t>(lanes_.size() - 1);
    }
    auto chosen = std::find_if(free_lanes_.begin(), free_lanes_.end(),
                               [&](std::uint32_t lane) { return lanes_[lane].name == name; });
    if (chosen == free_lanes_.end()) chosen = free_lanes_.begin();
    const std::uint32_t lane = *chosen;
    free_lanes_.erase(chosen);
    return lane;
}

void JsonConnections::opened(const Connection& connection, std::int64_t time_ns) {
    if (!has_track(connection) || life_of(connection) != nullptr) return;
    Life& life = lives_[connection.id];
    life.lane = take_lane(shown_name(connection));
    life.begin_ns = life.end_ns = time_ns;
    timeline_.counter(pid_, JsonCounter::open_connections, time_ns, 1);
}

void JsonConnections::attempt(const resolve::ConnectAttempt& attempt) {
    Life* life = attempt.connection == nullptr ? nullptr : life_of(*attempt.connection);
    if (life == nullptr) return;
    // The peer may become known when the call that connects to it has ended.
    life->begin_ns = std::min(life->begin_ns, attempt.from_ns);
    life->end_ns = std::max(life->end_ns, attempt.to_ns);
    life->outcome = attempt.outcome;
    life->error = attempt.error;
}

void JsonConnections::call(const resolve::ResolvedCall& call) {
    for (const resolve::ResolvedDescriptor& descriptor : call.descriptors) {
        if (descriptor.argument < 0 || !descriptor.file || !descriptor.file->connection) continue;
        const Connection& connection = *descriptor.file->connection;
        if (Life* life = life_of(connection)) count_bytes(connection, *life, call.call.exit_ns());
    }
}

// What a call moved shows in the connection's totals, so no rule about calls is repeated here.
void JsonConnections::count_bytes(const Connection& connection, Life& life, std::int64_t time_ns) {
    const auto sent = static_cast<std::int64_t>(connection.bytes_sent - life.bytes_sent);
    const auto received = static_cast<std::int64_t>(connection.bytes_received - life.bytes_received);
    life.bytes_sent = connection.bytes_sent;
    life.bytes_received = connection.bytes_received;
    if (sent != 0) timeline_.counter(pid_, JsonCounter::bytes_sent, time_ns, sent);
    if (received != 0) timeline_.counter(pid_, JsonCounter::bytes_received, time_ns, received);
}

void JsonConnections::phase(const Connection& connection, const PhaseStretch& stretch) {
    Life* life = life_of(connection);
    if (life == nullptr) return;
    life->begin_ns = std::min(life->begin_ns, stretch.from_ns);
    life->end_ns = std::max(life->end_ns, stretch.to_ns);
    JsonObject arguments = JsonTimeline::begin(body_, phase_name(stretch.phase), "connection");
    if (stretch.phase == Phase::connect && life->outcome != resolve::AttemptOutcome::unfinished) {
        arguments.text("detail", outcome_name(life->outcome));
        if (life->error != 0) arguments.text("error", model::error_name(life->error));
    } else {
        arguments.text("detail", std::to_string(stretch.bytes_sent) + " bytes sent, " +
                                     std::to_string(stretch.bytes_received) + " received");
        arguments.size("bytes_sent", stretch.bytes_sent);
        arguments.size("bytes_received", stretch.bytes_received);
    }
    if (stretch.exchange != 0) arguments.size("request", stretch.exchange);
    if (stretch.exchange != 0) arguments.text("endpoint", analyze::peer_name(connection, stretch.peer));
    arguments.close();
    timeline_.slice({pid_, lanes_[life->lane].tid}, stretch.from_ns, stretch.to_ns, body_);
    const bool fetches = connection.transport != Transport::unix_socket && !connection.accepted && !connection.is_dns();
    if (fetches)
        endpoints_.add(life->exchange, analyze::peer_name(connection, stretch.peer), stretch,
                       !connection.may_multiplex);
}

void JsonConnections::tell_life(const Connection& connection, const Life& life, const std::string& peer) {
    JsonObject arguments = JsonTimeline::begin(body_, peer, "connection");
    arguments.text("detail", std::string(transport_name(connection.transport)) + " to " + peer);
    tell_name(arguments, connection);
    tell_facts(arguments, connection);
    if (life.outcome != resolve::AttemptOutcome::unfinished) arguments.text("connect", outcome_name(life.outcome));
    arguments.size("bytes_sent", connection.bytes_sent);
    arguments.size("bytes_received", connection.bytes_received);
    arguments.close();
    timeline_.slice({pid_, lanes_[life.lane].tid}, life.begin_ns, life.end_ns, body_);
}

void JsonConnections::closed(const Connection& connection, std::int64_t time_ns) {
    const auto found = lives_.find(connection.id);
    if (found == lives_.end()) return;
    Life& life = found->second;
    life.end_ns = std::max(life.end_ns, time_ns);
    count_bytes(connection, life, time_ns);
    endpoints_.end(life.exchange);
    const std::string peer = shown_name(connection);
    tell_life(connection, life, peer);
    timeline_.counter(pid_, JsonCounter::open_connections, std::max(time_ns, life.begin_ns), -1);
    Lane& lane = lanes_[life.lane];
    if (lane.name.empty()) lane.name = peer;
    if (lane.name != peer) lane.mixed = true;
    free_lanes_.push_back(life.lane);
    lives_.erase(found);
}

std::vector<JsonCounterName> JsonConnections::finish() {
    if (lanes_.empty()) return {};
    // Last among the processes: the traced ones come first.
    timeline_.process_name(pid_, "connections", 1'000'000'000);
    std::map<std::string, std::uint32_t> first_lane;  // by endpoint, which decides where its tracks stand
    std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
    for (std::uint32_t lane = 0; lane < lanes_.size(); ++lane) {
        if (lanes_[lane].mixed) lanes_[lane].name = "connections";
        order.emplace_back(first_lane.try_emplace(lanes_[lane].name, lane).first->second, lane);
    }
    std::sort(order.begin(), order.end());
    for (std::uint32_t position = 0; position < order.size(); ++position) {
        const Lane& lane = lanes_[order[position].second];
        timeline_.thread_name({pid_, lane.tid}, lane.name, position);
    }
    return endpoints_.busiest();
}

}  // namespace slowtrace::render
