// Socket addresses as recorded → endpoints as shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

// 4 or 16 octets; a v4-mapped IPv6 address is shown as IPv4. Empty for anything else.
std::string address_text(std::string_view ip);

// Address and port, without a name. The transport of addresses of no IP family follows from the family.
Endpoint endpoint_of(const model::SocketAddress& address, Transport ip_transport);

Transport transport_of(int family, int type, int protocol);

// Equal for equal addresses, cheaper to compare than endpoints.
void address_key(const model::SocketAddress& address, std::string& key);

}  // namespace slowtrace::resolve
