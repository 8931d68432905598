// Whom a connection is with, by all that is known: each new piece of evidence is kept, the best names the peer.
//
// Evidence is ranked (NameEvidence); of equal rank the latest wins, as a proxied connection's target changes. An
// address in place of a name never replaces a name, but as the target of a proxy's next request. A proxy's target replaces what was connected to, which becomes
// the carrier; what is then said inside the tunnel (TLS SNI) replaces the target's name only.
#pragma once

#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

// Bounded: beyond a number of distinct ones, claims still count but are not kept.
void claim(Connection& connection, const NameClaim& claim);

// Asks the proxy for its target: the endpoint is the target from then on.
bool names_target(NameEvidence evidence);

NameEvidence evidence_of(model::NameClaim::Source source);

}  // namespace slowtrace::resolve
