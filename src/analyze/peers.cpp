// Names of peers, and which of two is the better one.
#include "analyze/peers.hpp"

namespace slowtrace::analyze {

using resolve::Connection;
using resolve::Endpoint;
using resolve::NameEvidence;
using resolve::Transport;

std::string peer_name(const Connection& connection, const Endpoint& peer) {
    if (connection.transport == Transport::unix_socket || connection.transport == Transport::netlink) {
        // Clients seldom have an address of their own (unix(7)): they are told by whom they came to.
        const Endpoint& listener = connection.local.address.empty() ? peer : connection.local;
        if (connection.accepted) return "client of " + listener.display();
        return (peer.address.empty() ? connection.local : peer).display();
    }
    if (connection.accepted) return "client " + (peer.host.empty() ? peer.address : peer.host);
    if (peer.host.empty() && peer.address.empty()) return "an unknown peer";
    return peer.carrier.empty() ? peer.display() : peer.display() + " (through " + peer.carrier + ")";
}

std::string peer_name(const Connection& connection) {
    return peer_name(connection, connection.peer);
}

std::string with_local_peer(std::string name, const std::optional<resolve::LocalPeer>& local_peer) {
    if (!local_peer || (local_peer->name.empty() && local_peer->pid == 0)) return name;
    return name + " (" + (local_peer->name.empty() ? "pid " + std::to_string(local_peer->pid) : local_peer->name) + ")";
}

bool comes_with_requests(NameEvidence evidence) {
    return evidence == NameEvidence::http2_authority || evidence == NameEvidence::http_host ||
           evidence == NameEvidence::http_target;
}

bool peer_may_change(const Connection& connection, const Endpoint& peer) {
    return connection.transport == Transport::udp || comes_with_requests(peer.evidence);
}

// Of two names equally well known the first stays where the program itself put it on the connection; an address'
// name is what was asked for last.
bool improve(Endpoint& known, const Endpoint& now) {
    if (now == known) return false;
    const bool better = known.host.empty() ||
                        (!now.host.empty() && (now.evidence > known.evidence ||
                                               (now.evidence == known.evidence && now.evidence <= NameEvidence::dns)));
    if (!better) return false;
    const std::string canonical_name = now.host == known.host ? known.canonical_name : std::string();
    known = now;
    if (known.canonical_name.empty()) known.canonical_name = canonical_name;
    return true;
}

void FinalPeers::set(std::uint64_t connection, std::string name, const Endpoint& endpoint) {
    constexpr char separator = '\0';
    std::string key = name + separator + endpoint.address + separator + endpoint.canonical_name + separator +
                      static_cast<char>(endpoint.evidence);
    const auto [known, is_new] = known_.try_emplace(std::move(key), static_cast<std::uint32_t>(peers_.size()));
    if (is_new) peers_.push_back({std::move(name), endpoint});
    connections_[connection] = known->second;
}

const FinalPeers::Peer* FinalPeers::find(std::uint64_t connection) const {
    const auto known = connections_.find(connection);
    return known == connections_.end() ? nullptr : &peers_[known->second];
}

}  // namespace slowtrace::analyze
