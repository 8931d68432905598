// The one check every host name from the wire passes before it is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slowtrace::wire {

struct HostAndPort {
    std::string host;
    std::uint32_t port = 0;  // 0 where not said
};

// The name without its final dot: letters, digits, '-', '_' and '.', or an address in text (RFC 952, RFC 1123 §2.1,
// RFC 5952), at most 253 octets (RFC 1035 §2.3.4 less its length octets). Nothing for any other octets: spaces,
// control characters, what delimits parts of a URL.
std::optional<std::string> checked_host_name(std::string_view name);

// "host", "host:port", "[2001:db8::1]:port" (RFC 3986 §3.2.2, without its userinfo).
std::optional<HostAndPort> checked_authority(std::string_view authority);

}  // namespace slowtrace::wire
