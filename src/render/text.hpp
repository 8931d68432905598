// Text a terminal can be trusted with: bytes of a trace made visible, and numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slowtrace::render {

// Valid, printing UTF-8 is kept; control characters, bytes that are no UTF-8, and characters that reorder
// or hide text (bidirectional marks, zero-width spaces) become \n, \x1b, \u202e. Backslash becomes \\.
// The result is valid UTF-8 and one line.
std::string visible(std::string_view bytes);
// The same in double quotes, with an inner quote escaped; "…"... when more stood there than was kept.
std::string quote(std::string_view bytes, bool truncated = false);

// "13m 19.8s", "15.0s", "1.234s", "178ms", "12.3ms", "1.23ms", "42µs", "8.9µs", "890ns".
std::string format_duration(std::int64_t nanoseconds);
// "17 B", "1.5 KiB", "3.2 GiB".
std::string format_bytes(std::uint64_t bytes);
// "48,211".
std::string format_count(std::uint64_t count);
// "95.7 %"; "<0.1 %" for a part that is small but there; "0.0 %" of nothing.
std::string percent(std::int64_t part, std::int64_t whole);

}  // namespace slowtrace::render
