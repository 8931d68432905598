// A TLS client's connection as its record headers tell it (RFC 8446 §5.1, RFC 5246 §6.2).
#pragma once

#include "wire/protocol.hpp"

namespace slowtrace::wire {

// Whether a client's first octets begin a TLS record that holds a ClientHello.
Match match_tls(Octets opening);
std::unique_ptr<Protocol> make_tls();

}  // namespace slowtrace::wire
