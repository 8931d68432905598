// Where a host's name came from, in words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "slowtrace/resolved.hpp"

namespace slowtrace::render {

// For a viewer's arguments: "the program's DNS answer", "TLS SNI"; for a list within a sentence: "DNS", "TLS SNI".
std::string_view evidence_name(resolve::NameEvidence evidence);
std::string_view evidence_word(resolve::NameEvidence evidence);

// All that says `peer` is called so, best first: "TLS SNI and DNS"; empty without a name. `claims` may be of several
// peers.
std::string evidence_list(const resolve::Endpoint& peer, const std::vector<resolve::NameClaim>& claims);

// "203.0.113.9; the program asked DNS for extra.example.org (CNAME cdn.example.net)", of peers with one name; empty
// when the name says it all. Where nothing but a look-up led there, other names it gave the address are said, too. As
// recorded: the caller makes it printable.
std::string evidence_sentence(const std::vector<resolve::Endpoint>& peers,
                              const std::vector<resolve::NameClaim>& claims);

}  // namespace slowtrace::render
