// Peers of an unconnected datagram socket are few: a list, the oldest forgotten first.
#include "record/socket_tap.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace slowtrace::record {

SocketKind socket_kind(int family, int type, int protocol) {
    constexpr int type_mask = 0xf, multipath_tcp = 262;  // IPPROTO_MPTCP (linux/in.h)
    type &= type_mask;
    if (family == AF_UNIX) return SocketKind::local;
    if (family != AF_INET && family != AF_INET6) return SocketKind::none;
    if (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP || protocol == multipath_tcp))
        return SocketKind::stream;
    if (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP)) return SocketKind::datagram;
    return SocketKind::none;
}

wire::Interpreter* SocketTap::towards(const model::SocketAddress* peer, wire::Flow flow) {
    constexpr std::size_t peers_limit = 16;
    if (connection_) return connection_.get();
    // A receive that did not ask who sent: certain where there is one peer only.
    if (!peer || peer->ip().empty()) return peers_.size() == 1 ? peers_.front().interpreter.get() : nullptr;
    auto found =
        std::ranges::find_if(peers_, [&](const Peer& one) { return one.port == peer->port() && one.ip == peer->ip(); });
    if (found == peers_.end()) {
        if (flow == wire::Flow::received) return nullptr;
        if (peers_.size() == peers_limit) peers_.pop_front();
        peers_.push_back({peer->ip(), peer->port(), factory_(SocketKind::datagram, *peer)});
        return peers_.back().interpreter.get();
    }
    if (found->interpreter && found->interpreter->settled()) found->interpreter.reset();
    return found->interpreter.get();
}

}  // namespace slowtrace::record
