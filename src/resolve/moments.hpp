// A call in progress, described without any consequence: what it waits for, as far as that is known by now.
#pragma once

#include <vector>

#include "resolve/call_context.hpp"

namespace slowtrace::resolve {

// `descriptors` are the moment's call's arguments, already resolved; a connect's socket is replaced by a stand-in that
// has the peer it is being connected to. Appends to `watched` the members of a poll, select or epoll; of an epoll whose
// list nobody saw made, the sockets the moment itself names.
void describe_moment(RunState& run, const model::Moment& moment, const model::SyscallRow& row, ThreadState& thread,
                     std::vector<ResolvedDescriptor>& descriptors, std::vector<ResolvedDescriptor>& watched);

}  // namespace slowtrace::resolve
