// Which side made a connection nobody saw being made.
#pragma once

#include "model/trace.pb.h"

namespace slowtrace::record {

// Whether `socket` was more likely accepted than connected: its peer has a port of the range the kernel gives to
// sockets that did not ask for one (ip(7), ip_local_port_range), and it has not.
bool seems_accepted(const model::Socket& socket);

}  // namespace slowtrace::record
