// Domain names inside a DNS message, compression included (RFC 1035 §4.1.4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace slowtrace::wire {

// How far reading a part of a message came: `cut` when the octets end too early, `malformed` when no longer
// message could make sense of them.
enum class Parsed { whole, cut, malformed };

// Reads the name at `offset` and moves `offset` behind it. `name` is in presentation form as ns_name_ntop
// writes it ("\." inside a label, "\255"), without the final dot; the root is ".".
Parsed read_name(std::span<const std::uint8_t> message, std::size_t& offset, std::string& name);

}  // namespace slowtrace::wire
