// SOCKS clients: version 5 (RFC 1928, RFC 1929), 4 and 4a (https://www.openssh.com/txt/socks4a.protocol).
#pragma once

#include "wire/protocol.hpp"

namespace slowtrace::wire {

Match match_socks5(Octets opening);
std::unique_ptr<Protocol> make_socks5();
Match match_socks4(Octets opening);
std::unique_ptr<Protocol> make_socks4();

}  // namespace slowtrace::wire
