// What the other end of a connection is called: at the moment, and once all is known.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "slowtrace/resolved.hpp"

namespace slowtrace::analyze {

// The peer as causes and ledgers call it: every client of a server has a port of its own, which says nothing; a
// proxied target tells its proxy, "files.example.com:443 (through proxy.test:3128)".
std::string peer_name(const resolve::Connection& connection);
std::string peer_name(const resolve::Connection& connection, const resolve::Endpoint& peer);
// "127.0.0.1:5432 (postgres)".
std::string with_local_peer(std::string name, const std::optional<resolve::LocalPeer>& local_peer);

// Whether such evidence names the peer of one request rather than of the connection.
bool comes_with_requests(resolve::NameEvidence evidence);
// Whether a connection may be with somebody else a moment later: a datagram socket, or one whose requests each name
// whom they are for. Until then the last name it gets also names what happened on it before.
bool peer_may_change(const resolve::Connection& connection, const resolve::Endpoint& peer);
// Takes `now` over where it is the better name for the end known as `known`; whether it did.
bool improve(resolve::Endpoint& known, const resolve::Endpoint& now);

// The last word on the peers of the connections that were asked about; each distinct peer is kept once.
class FinalPeers {
   public:
    struct Peer {
        std::string name;
        resolve::Endpoint endpoint;
    };
    void set(std::uint64_t connection, std::string name, const resolve::Endpoint& endpoint);
    const Peer* find(std::uint64_t connection) const;

   private:
    std::vector<Peer> peers_;
    std::map<std::string, std::uint32_t> known_;                    // indices into peers_
    std::unordered_map<std::uint64_t, std::uint32_t> connections_;  // likewise, by Connection::id
};

}  // namespace slowtrace::analyze
