// Descriptors that travel through UNIX sockets (SCM_RIGHTS, unix(7)): what is received is what was sent.
#pragma once

#include "resolve/call_context.hpp"

namespace slowtrace::resolve {

void send_files(CallContext& context, TrackedFile& socket, const model::SocketMessages::Message& message);
// `peeked`: MSG_PEEK installs descriptors, too, and leaves the message where it is.
void receive_files(CallContext& context, TrackedFile& socket, const model::SocketMessages::Message& message,
                   bool close_on_exec, bool peeked);

}  // namespace slowtrace::resolve
