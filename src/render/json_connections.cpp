// Connection tracks, open-connection and byte counters.
#include "render/json_connections.hpp"

#include <algorithm>

#include "render/evidence.hpp"

namespace slowtrace::render {
namespace {

using resolve::Connection;
using resolve::Direction;
using resolve::Transport;

// Beyond this many, tracks of closed connections are used again: viewers take seconds a thousand tracks.
constexpr std::size_t most_own_tracks = 300;

constexpr std::string_view phase_names[] = {"connecting", "sending", "waiting for a reply", "receiving", "idle"};

// Netlink and packet sockets talk to the kernel, not to a peer worth a track.
bool has_track(const Connection& connection) {
    return connection.transport == Transport::tcp || connection.transport == Transport::udp ||
           connection.transport == Transport::unix_socket;
}

std::string_view transport_name(Transport transport) {
    switch (transport) {
        case Transport::tcp:
            return "tcp";
        case Transport::udp:
            return "udp";
        case Transport::unix_socket:
            return "unix";
        case Transport::netlink:
            return "netlink";
        case Transport::packet:
            return "packet";
        case Transport::other:
            break;
    }
    return "other";
}

std::string_view outcome_name(resolve::AttemptOutcome outcome) {
    constexpr std::string_view names[] = {"connected", "refused",   "timed out",  "unreachable",  "reset",
                                          "failed",    "abandoned", "unfinished", "lost the race"};
    return names[static_cast<std::size_t>(outcome)];
}

}  // namespace

JsonConnections::Life* JsonConnections::life_of(const Connection& connection) {
    const auto found = lives_.find(connection.id);
    return found == lives_.end() ? nullptr : &found->second;
}

std::uint32_t JsonConnections::take_lane() {
    if (lanes_.size() < most_own_tracks || free_lanes_.empty()) {
        lanes_.push_back({.tid = next_tid_++, .name = {}, .reused = false});
        return static_cast<std::uint32_t>(lanes_.size() - 1);
    }
    const std::uint32_t lane = free_lanes_.front();
    free_lanes_.pop_front();
    lanes_[lane].reused = true;
    return lane;
}

void JsonConnections::opened(const Connection& connection, std::int64_t time_ns) {
    if (!has_track(connection) || life_of(connection) != nullptr) return;
    Life& life = lives_[connection.id];
    life.lane = take_lane();
    life.begin_ns = life.cursor_ns = time_ns;
    timeline_.counter(pid_, JsonCounter::open_connections, time_ns, 1);
}

void JsonConnections::attempt(const resolve::ConnectAttempt& attempt) {
    if (attempt.connection == nullptr) return;
    Life* life = life_of(*attempt.connection);
    if (life == nullptr) return;
    // The peer may become known when the call that connects to it has ended.
    if (life->cursor_ns == life->begin_ns) life->begin_ns = life->cursor_ns = std::min(life->begin_ns, attempt.from_ns);
    extend(*life, Phase::idle, attempt.from_ns);
    extend(*life, Phase::connecting, attempt.to_ns);
    life->outcome = attempt.outcome;
    life->error = attempt.error;
    end_phase(*life);
}

void JsonConnections::call(const resolve::ResolvedCall& call) {
    for (const resolve::ResolvedDescriptor& descriptor : call.descriptors) {
        if (descriptor.argument < 0 || !descriptor.file || !descriptor.file->connection) continue;
        const Connection& connection = *descriptor.file->connection;
        if (Life* life = life_of(connection)) moved(connection, *life, call.call.entry_ns(), call.call.exit_ns());
    }
}

// What a call moved shows in the connection's totals, so no rule about calls is repeated here.
void JsonConnections::moved(const Connection& connection, Life& life, std::int64_t from_ns, std::int64_t to_ns) {
    const auto sent = static_cast<std::int64_t>(connection.bytes_sent - life.bytes_sent);
    const auto received = static_cast<std::int64_t>(connection.bytes_received - life.bytes_received);
    if (sent == 0 && received == 0) return;
    life.bytes_sent = connection.bytes_sent;
    life.bytes_received = connection.bytes_received;
    if (sent != 0) timeline_.counter(pid_, JsonCounter::bytes_sent, to_ns, sent);
    if (received != 0) timeline_.counter(pid_, JsonCounter::bytes_received, to_ns, received);
    tell_held(life);
    life.held = Exchange{from_ns, to_ns, sent, received};
}

void JsonConnections::tell_held(Life& life) {
    if (!life.held) return;
    const Exchange exchange = *life.held;
    life.held.reset();
    if (exchange.sent != 0) {
        extend(life, life.last == Direction::sent ? Phase::sending : Phase::idle, exchange.from_ns);
        extend(life, Phase::sending, exchange.to_ns);
        life.phase_sent += static_cast<std::uint64_t>(exchange.sent);
        life.last = Direction::sent;
    }
    if (exchange.received != 0) {
        // A call that blocked waited until its end, one after a poll only until its beginning.
        const bool blocked = nanoseconds_between(exchange.from_ns, exchange.to_ns) >= analyze::shortest_wait_ns;
        const Phase quiet = life.last == Direction::sent       ? Phase::waiting
                            : life.last == Direction::received ? Phase::receiving
                                                               : Phase::idle;
        extend(life, quiet, blocked ? exchange.to_ns : exchange.from_ns);
        extend(life, Phase::receiving, exchange.to_ns);
        life.phase_received += static_cast<std::uint64_t>(exchange.received);
        life.last = Direction::received;
    }
}

void JsonConnections::closed(const Connection& connection, std::int64_t time_ns) {
    const auto found = lives_.find(connection.id);
    if (found == lives_.end()) return;
    Life& life = found->second;
    moved(connection, life, time_ns, time_ns);
    tell_held(life);
    extend(life, life.last == Direction::sent ? Phase::waiting : Phase::idle, time_ns);
    end_phase(life);
    Lane& lane = lanes_[life.lane];
    const std::string peer = connection.peer.display();
    JsonObject arguments = JsonTimeline::begin(body_, peer, "connection");
    arguments.text("detail", std::string(transport_name(connection.transport)) + " to " + peer);
    arguments.text("address", connection.peer.address);
    if (connection.peer.evidence != resolve::NameEvidence::none)
        arguments.text("evidence", evidence_name(connection.peer.evidence));
    if (!connection.peer.canonical_name.empty()) arguments.text("canonical_name", connection.peer.canonical_name);
    if (!connection.question.empty()) arguments.text("question", connection.question);
    if (connection.accepted) arguments.flag("accepted");
    if (connection.inherited) arguments.flag("inherited");
    arguments.size("bytes_sent", connection.bytes_sent);
    arguments.size("bytes_received", connection.bytes_received);
    arguments.close();
    timeline_.slice({pid_, lane.tid}, life.begin_ns, life.cursor_ns, body_);
    timeline_.counter(pid_, JsonCounter::open_connections, std::max(time_ns, life.begin_ns), -1);
    if (lane.name.empty()) lane.name = peer;
    free_lanes_.push_back(life.lane);
    lives_.erase(found);
}

void JsonConnections::extend(Life& life, Phase phase, std::int64_t to_ns) {
    if (to_ns <= life.cursor_ns) return;
    if (life.phase != phase) {
        end_phase(life);
        life.phase = phase;
        life.phase_ns = life.cursor_ns;
    }
    life.cursor_ns = to_ns;
}

void JsonConnections::end_phase(Life& life) {
    if (!life.phase) return;
    const std::string_view name = phase_names[static_cast<std::size_t>(*life.phase)];
    JsonObject arguments = JsonTimeline::begin(body_, name, "connection");
    if (*life.phase == Phase::connecting) {
        arguments.text("detail", outcome_name(life.outcome));
        if (life.error != 0) arguments.text("error", model::error_name(life.error));
    } else {
        arguments.text("detail", std::to_string(life.phase_sent) + " bytes sent, " +
                                     std::to_string(life.phase_received) + " received");
        arguments.size("bytes_sent", life.phase_sent);
        arguments.size("bytes_received", life.phase_received);
    }
    arguments.close();
    timeline_.slice({pid_, lanes_[life.lane].tid}, life.phase_ns, life.cursor_ns, body_);
    life.phase.reset();
    life.phase_sent = life.phase_received = 0;
}

void JsonConnections::finish() {
    if (lanes_.empty()) return;
    // Last among the processes: the traced ones come first.
    timeline_.process_name(pid_, "connections", 1'000'000'000);
    for (std::uint32_t lane = 0; lane < lanes_.size(); ++lane)
        timeline_.thread_name({pid_, lanes_[lane].tid}, lanes_[lane].reused ? "connections" : lanes_[lane].name, lane);
}

}  // namespace slowtrace::render
