// The Huffman code of HTTP header fields (RFC 7541 §5.2, appendix B).
#pragma once

#include <optional>
#include <string>

#include "wire/octets.hpp"

namespace slowtrace::wire {

// The text that was encoded, at most `limit` octets of it. Nothing where it is longer or the code is not sound.
std::optional<std::string> decode_huffman(Octets encoded, std::size_t limit);

}  // namespace slowtrace::wire
