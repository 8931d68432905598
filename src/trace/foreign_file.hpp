// Files given as a trace that are none: what they look like, told in words that help.
#pragma once

#include <string>
#include <string_view>

namespace slowtrace::trace {

// How the first octets of a file begin a trace in text form (`.txtpb`), whatever its name.
bool looks_like_text_trace(std::string_view start);

// "not a slowtrace trace", and what it seems to be with the remedy, where that can be told.
std::string describe_foreign(std::string_view start);

}  // namespace slowtrace::trace
