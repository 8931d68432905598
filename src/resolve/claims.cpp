// Whom a connection is with, by all that is known: each new piece of evidence is kept, the best names the peer.
#include "resolve/claims.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "resolve/answers.hpp"

namespace slowtrace::resolve {

namespace {

constexpr std::size_t claims_kept = 64;
constexpr std::uint16_t http_port = 80;

bool is_address(const std::string& name) {
    const bool bracketed = name.size() > 2 && name.front() == '[' && name.back() == ']';
    const std::string bare = bracketed ? name.substr(1, name.size() - 2) : name;
    std::array<unsigned char, sizeof(in6_addr)> octets;
    return inet_pton(AF_INET, bare.c_str(), octets.data()) == 1 ||
           inet_pton(AF_INET6, bare.c_str(), octets.data()) == 1;
}

bool replaces(const NameClaim& claim, const Endpoint& peer) {
    if (names_target(claim.evidence) && peer.carrier.empty()) return true;
    // Each request to a proxy is for its own target, however that is written.
    if (names_target(claim.evidence) && names_target(peer.evidence)) return true;
    if (peer.host.empty()) return true;
    if (is_address(peer.host) != is_address(claim.name)) return is_address(peer.host);
    return claim.evidence >= peer.evidence;
}

// What was connected to, without what was said on the connection.
std::string carrier_of(const Connection& connection) {
    Endpoint direct = connection.peer;
    direct.host.clear();
    NameEvidence best = NameEvidence::none;
    for (const NameClaim& claim : connection.claims)
        if (claim.evidence <= NameEvidence::dns && claim.evidence >= best) {
            best = claim.evidence;
            direct.host = claim.name;
        }
    return direct.display();
}

std::uint16_t target_port(const NameClaim& claim, std::uint16_t otherwise) {
    if (claim.port != 0) return claim.port;
    return claim.evidence == NameEvidence::http_target ? http_port : otherwise;
}

}  // namespace

bool names_target(NameEvidence evidence) {
    return evidence == NameEvidence::socks || evidence == NameEvidence::http_target ||
           evidence == NameEvidence::http_connect;
}

NameEvidence evidence_of(model::NameClaim::Source source) {
    switch (source) {
        case model::NameClaim::TLS_SNI:
            return NameEvidence::tls_sni;
        case model::NameClaim::QUIC_SNI:
            return NameEvidence::quic_sni;
        case model::NameClaim::HTTP_HOST:
            return NameEvidence::http_host;
        case model::NameClaim::HTTP_CONNECT:
            return NameEvidence::http_connect;
        case model::NameClaim::HTTP_TARGET:
            return NameEvidence::http_target;
        case model::NameClaim::HTTP2_AUTHORITY:
            return NameEvidence::http2_authority;
        case model::NameClaim::SOCKS:
            return NameEvidence::socks;
        default:
            return NameEvidence::none;
    }
}

void claim(Connection& connection, const NameClaim& claim) {
    if (claim.name.empty() || claim.evidence == NameEvidence::none) return;
    std::vector<NameClaim>& claims = connection.claims;
    if (std::find(claims.begin(), claims.end(), claim) == claims.end() && claims.size() < claims_kept)
        claims.push_back(claim);
    // A path says more than any name for what is reached by it.
    if (connection.transport == Transport::unix_socket || !replaces(claim, connection.peer)) return;
    Endpoint& peer = connection.peer;
    if (names_target(claim.evidence)) {
        if (peer.carrier.empty()) peer.carrier = carrier_of(connection);
        peer.port = target_port(claim, peer.port);
    }
    if (!same_name(peer.host, claim.name)) peer.canonical_name.clear();
    peer.host = claim.name;
    peer.evidence = claim.evidence;
}

}  // namespace slowtrace::resolve
