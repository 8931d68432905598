// One row a kind of evidence.
#include "render/evidence.hpp"

#include <algorithm>
#include <array>

namespace slowtrace::render {
namespace {

using resolve::Endpoint;
using resolve::NameClaim;
using resolve::NameEvidence;

struct EvidenceText {
    NameEvidence evidence;
    std::string_view name, word;
};

constexpr std::array texts{
    EvidenceText{NameEvidence::none, "none", "none"},
    EvidenceText{NameEvidence::reverse_lookup, "reverse lookup", "a reverse lookup of slowtrace's own"},
    EvidenceText{NameEvidence::hosts_file, "hosts file", "the hosts file"},
    EvidenceText{NameEvidence::dns, "the program's DNS answer", "DNS"},
    EvidenceText{NameEvidence::http2_authority, "HTTP/2 :authority", "HTTP/2 :authority"},
    EvidenceText{NameEvidence::http_host, "HTTP Host", "HTTP Host"},
    EvidenceText{NameEvidence::socks, "SOCKS target", "SOCKS"},
    EvidenceText{NameEvidence::http_target, "HTTP proxy target", "the request to the proxy"},
    EvidenceText{NameEvidence::http_connect, "HTTP CONNECT target", "CONNECT"},
    EvidenceText{NameEvidence::quic_sni, "QUIC SNI", "QUIC SNI"},
    EvidenceText{NameEvidence::tls_sni, "TLS SNI", "TLS SNI"},
};

constexpr bool texts_in_order() {
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (static_cast<std::size_t>(texts[i].evidence) != i) return false;
    return texts.size() == static_cast<std::size_t>(NameEvidence::tls_sni) + 1;
}
static_assert(texts_in_order());

const EvidenceText& text(NameEvidence evidence) {
    const auto i = static_cast<std::size_t>(evidence);
    return i < texts.size() ? texts[i] : texts.front();
}

// Best first, each kind once, only what gives this name.
std::vector<NameEvidence> kinds(const Endpoint& peer, const std::vector<NameClaim>& claims) {
    std::vector<NameEvidence> found;
    if (peer.evidence != NameEvidence::none) found.push_back(peer.evidence);
    for (const NameClaim& claim : claims)
        if (claim.name == peer.host && claim.evidence != NameEvidence::none &&
            std::find(found.begin(), found.end(), claim.evidence) == found.end())
            found.push_back(claim.evidence);
    std::sort(found.begin(), found.end(), std::greater<>());
    return found;
}

std::string joined(const std::vector<NameEvidence>& kinds) {
    std::string list;
    for (std::size_t i = 0; i < kinds.size(); ++i)
        list.append(i == 0 ? "" : i + 1 == kinds.size() ? " and " : ", ").append(evidence_word(kinds[i]));
    return list;
}

// How the name was found before anything was said on the connection itself.
std::string lookup_words(const Endpoint& peer, NameEvidence evidence) {
    if (evidence == NameEvidence::dns) return "the program asked DNS for " + peer.host;
    if (evidence == NameEvidence::hosts_file) return "named " + peer.host + " in the hosts file";
    return "named by " + std::string(evidence_word(evidence));
}

// Which of several names led to one address, nothing can tell when each is known equally well: the others are said.
std::string rivals(const Endpoint& peer, NameEvidence evidence, const std::vector<NameClaim>& claims) {
    constexpr std::size_t told = 2;
    std::vector<std::string> names;
    for (const NameClaim& claim : claims)
        if (claim.evidence == evidence && claim.name != peer.host &&
            std::find(names.begin(), names.end(), claim.name) == names.end())
            names.push_back(claim.name);
    if (names.empty()) return {};
    std::string list;
    for (std::size_t i = 0; i < std::min(names.size(), told); ++i) list.append(i == 0 ? "" : ", ").append(names[i]);
    if (names.size() > told) list += " and " + std::to_string(names.size() - told) + " more";
    return " (" + list + (names.size() == 1 ? " has" : " have") + " the same address)";
}

}  // namespace

std::string_view evidence_name(NameEvidence evidence) {
    return text(evidence).name;
}

std::string_view evidence_word(NameEvidence evidence) {
    return text(evidence).word;
}

std::string evidence_list(const Endpoint& peer, const std::vector<NameClaim>& claims) {
    return peer.host.empty() ? std::string() : joined(kinds(peer, claims));
}

std::string evidence_sentence(const std::vector<Endpoint>& peers, const std::vector<NameClaim>& claims) {
    if (peers.empty() || peers.front().host.empty()) return {};
    std::vector<std::string> addresses;
    for (const Endpoint& peer : peers)
        if (!peer.address.empty() && std::find(addresses.begin(), addresses.end(), peer.address) == addresses.end())
            addresses.push_back(peer.address);
    std::string sentence;
    for (const std::string& address : addresses) sentence.append(sentence.empty() ? "" : ", ").append(address);
    const Endpoint& first = peers.front();
    if (!first.carrier.empty() && !sentence.empty()) sentence += " is the proxy";

    std::vector<NameEvidence> found = kinds(first, claims);
    if (found.empty()) return sentence;
    const NameEvidence lookup = found.back();
    const bool looked_up = lookup <= NameEvidence::dns;
    if (looked_up) found.pop_back();
    std::string how = looked_up ? lookup_words(first, lookup) : "named by " + joined(found);
    if (looked_up && !first.canonical_name.empty()) how += " (CNAME " + first.canonical_name + ")";
    if (looked_up && found.empty()) how += rivals(first, lookup, claims);
    if (looked_up && !found.empty()) how += ", then named it by " + joined(found);
    return sentence.empty() ? how : sentence + "; " + how;
}

}  // namespace slowtrace::render
