// Which two sockets of the run are each other's other end, by their addresses (TCP), and which process that makes
// the peer of each.
//
// Both ends must have told their addresses: accept(2) tells the client's, getsockname(2) or the recorder one's own.
// A server bound to every address is known by its port. Addresses are compared as they are: two network namespaces
// that use the same loopback ports at the same time are not told apart.
#pragma once

#include "resolve/run_state.hpp"

namespace slowtrace::resolve {

// An address of this end has become known.
void match_addresses(RunState& run, TrackedFile& end);
void forget_addresses(RunState& run, TrackedFile& end);

// Two ends that have been joined: each is told whose the other is, unless it knows better.
void introduce(RunState& run, TrackedFile& one, TrackedFile& other);

}  // namespace slowtrace::resolve
