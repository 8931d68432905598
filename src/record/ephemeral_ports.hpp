// The ports the kernel gives to sockets that did not ask for one (ip(7), ip_local_port_range).
#pragma once

#include <cstdint>

namespace slowtrace::record {

// By this machine's range, read once. Which side of a connection has such a port tells who made it, mostly.
bool is_ephemeral(std::uint32_t port);

}  // namespace slowtrace::record
