// Which two UNIX sockets of the run are each other's other end: connects and accepts matched in order.
#pragma once

#include "resolve/run_state.hpp"

namespace slowtrace::resolve {

void start_listening(RunState& run, TrackedFile& listener);
// `client` has connected to the address that is its peer.
void match_client(RunState& run, TrackedFile& client);
void match_server(RunState& run, TrackedFile& listener, TrackedFile& server);

}  // namespace slowtrace::resolve
