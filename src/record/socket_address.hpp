// struct sockaddr as bytes → the schema's SocketAddress.
#pragma once

#include <cstddef>
#include <span>

#include "model/trace.pb.h"

namespace slowtrace::record {

// False when the bytes are too short to hold even a family.
bool parse_socket_address(std::span<const std::byte> bytes, model::SocketAddress& address);

}  // namespace slowtrace::record
