// Which causes are about the other end of a connection, and what is known of it beside the waits.
#pragma once

#include <vector>

#include "analyze/report.hpp"
#include "slowtrace/causes.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::analyze {

// The connection a cause names, among those its call was about; null when there is none.
const resolve::Connection* connection_of(const resolve::ResolvedCall& call, const Cause& cause);
// Waits whose subject is the peer of a connection.
bool is_about_peer(CauseKind kind);
// Gives each line about a peer the evidence for its name, and to connects how the attempts went.
void add_peers(CauseSection& section, const std::vector<EndpointLine>& endpoints);

}  // namespace slowtrace::analyze
