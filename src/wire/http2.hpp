// HTTP/2 in the clear, begun with prior knowledge (RFC 9113 §3.3).
#pragma once

#include "wire/protocol.hpp"

namespace slowtrace::wire {

Match match_http2(Octets opening);
std::unique_ptr<Protocol> make_http2();

}  // namespace slowtrace::wire
