// JSON leaves that every trace viewer reads the same way: strings from hostile bytes, exact integers, times.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slowtrace::render {

// Appends `bytes` as a JSON string. Valid UTF-8 stays raw (surrogate escapes make Perfetto drop the arguments
// behind them). What viewers refuse or hide is shown as visible text: bytes that are not UTF-8 as `\xff`,
// control characters as `\n`, `\x1b`, `\u0085`, and characters that reorder the text around them as `\u202e`.
void append_json_string(std::string& out, std::string_view bytes);

// The length of the well-formed UTF-8 sequence `bytes` begins with (Unicode, table 3-7), 0 when there is none.
std::size_t utf8_length(std::string_view bytes);

// Nanoseconds as microseconds with three decimals, from the integer: a double would round.
void append_microseconds(std::string& out, std::int64_t nanoseconds);

void append_decimal(std::string& out, std::int64_t value);
// "0x1f", quoted.
void append_hex(std::string& out, std::uint64_t value);

// The largest integer a JSON reader that stores doubles keeps exact.
inline constexpr std::int64_t largest_exact_integer = (std::int64_t{1} << 53) - 1;

// The members of a JSON object appended to `out`, braces included. Keys are ours: ASCII without quotes.
class JsonObject {
   public:
    explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
    void text(std::string_view key, std::string_view value);
    // A number, or the hexadecimal of its 64 bits as a string where a double would round it.
    void integer(std::string_view key, std::int64_t value);
    void size(std::string_view key, std::uint64_t value);
    void hex(std::string_view key, std::uint64_t value);
    void flag(std::string_view key);  // key: true
    void close() { out_ += '}'; }

   private:
    void key(std::string_view key);
    std::string& out_;
    bool first_ = true;
};

}  // namespace slowtrace::render
