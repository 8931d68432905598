// What a TLS hello says in the clear (RFC 8446 §4.1, RFC 5246 §7.4.1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/octets.hpp"

namespace slowtrace::wire {

inline constexpr std::uint8_t client_hello = 1, server_hello = 2;
inline constexpr std::size_t handshake_header_size = 4, max_hello = 65'536;

struct TlsHello {
    std::uint32_t version = 0;           // the highest offered, or the one chosen; 0: not known
    std::string server_name;             // checked; empty: none
    std::vector<std::string> protocols;  // ALPN, printable ones, the first few
    bool retry = false;                  // a HelloRetryRequest: both hellos come once more
};

// A hello with its handshake header, or its beginning: what stands wholly in the octets is told. Lengths that
// contradict one another make it say nothing.
TlsHello read_hello(Octets message);

// The octets of the whole message whose handshake header `message` begins with; 0 while that is cut.
std::size_t handshake_size(Octets message);

}  // namespace slowtrace::wire
