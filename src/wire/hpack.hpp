// The first header block of a direction, in which nothing has been indexed yet (HPACK, RFC 7541).
#pragma once

#include <optional>
#include <string>

#include "wire/octets.hpp"

namespace slowtrace::wire {

// Pseudo-fields that could be read; those that refer to the dynamic table, and all other fields, are passed over.
struct HeaderBlock {
    std::string method, authority, status;  // empty: not there, or not readable
};

// Nothing for a block that is not sound.
std::optional<HeaderBlock> read_header_block(Octets block);

}  // namespace slowtrace::wire
