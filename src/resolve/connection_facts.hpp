// What was told of a connection beside the calls on it: its octets' meaning, the kernel's report, the other process.
#pragma once

#include "resolve/run_state.hpp"

namespace slowtrace::resolve {

// The socket a descriptor meant to a thread; nullptr when it is not known to be one.
TrackedFile* socket_at(const ThreadState& thread, int descriptor, std::int64_t time_ns);

void heard(RunState& run, ThreadState& thread, const model::StreamFact& fact);
void heard(RunState& run, ThreadState& thread, const model::TcpReport& report);
void heard(RunState& run, ThreadState& thread, const model::PeerProcess& peer);

}  // namespace slowtrace::resolve
