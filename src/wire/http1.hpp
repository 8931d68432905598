// HTTP/1.x requests of a client, to a server or a proxy (RFC 9112).
#pragma once

#include "wire/protocol.hpp"

namespace slowtrace::wire {

Match match_http1(Octets opening);
std::unique_ptr<Protocol> make_http1();

}  // namespace slowtrace::wire
