// JSON leaves: escaping, UTF-8 validation, integers.
#include "render/json_text.hpp"

#include <array>
#include <charconv>

namespace slowtrace::render {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

// Bytes a JSON string may hold as they are: printable ASCII without the quote and the backslash.
constexpr std::array<bool, 256> plain_bytes = [] {
    std::array<bool, 256> plain{};
    for (int byte = 0x20; byte < 0x7f; ++byte) plain[byte] = byte != '"' && byte != '\\';
    return plain;
}();

unsigned byte_at(std::string_view bytes, std::size_t position) {
    return static_cast<unsigned char>(bytes[position]);
}

bool in(unsigned value, unsigned low, unsigned high) {
    return value >= low && value <= high;
}

// The backslash itself is escaped: the reader sees `\x1b` as text.
void append_visible_byte(std::string& out, unsigned byte) {
    switch (byte) {
        case '\n':
            out += R"(\\n)";
            return;
        case '\t':
            out += R"(\\t)";
            return;
        case '\r':
            out += R"(\\r)";
            return;
        default:
            out += R"(\\x)";
            out += hex_digits[byte >> 4];
            out += hex_digits[byte & 15];
    }
}

void append_visible_character(std::string& out, unsigned character) {
    out += R"(\\u)";
    for (int shift = 12; shift >= 0; shift -= 4) out += hex_digits[(character >> shift) & 15];
}

// The code point of a well-formed sequence of two or three bytes.
unsigned code_point(std::string_view sequence) {
    if (sequence.size() == 2) return (byte_at(sequence, 0) & 0x1f) << 6 | (byte_at(sequence, 1) & 0x3f);
    return (byte_at(sequence, 0) & 0x0f) << 12 | (byte_at(sequence, 1) & 0x3f) << 6 | (byte_at(sequence, 2) & 0x3f);
}

// C1 controls and the bidirectional overrides and isolates of UAX #9, which let a name rewrite its line.
bool misleads(unsigned character) {
    return in(character, 0x80, 0x9f) || in(character, 0x202a, 0x202e) || in(character, 0x2066, 0x2069);
}

// Appends the one character or bad byte at the front of `rest`; tells how many bytes it took.
std::size_t append_special(std::string& out, std::string_view rest) {
    const unsigned first = byte_at(rest, 0);
    if (first == '"' || first == '\\') {
        out += '\\';
        out += static_cast<char>(first);
        return 1;
    }
    const std::size_t length = first < 0x80 ? 0 : utf8_length(rest);
    if (length == 0) {
        append_visible_byte(out, first);
        return 1;
    }
    const std::string_view sequence = rest.substr(0, length);
    if (length < 4 && misleads(code_point(sequence)))
        append_visible_character(out, code_point(sequence));
    else
        out += sequence;
    return length;
}

}  // namespace

std::size_t utf8_length(std::string_view bytes) {
    if (bytes.empty()) return 0;
    const unsigned first = byte_at(bytes, 0);
    if (first < 0x80) return 1;
    // The second byte's range shuts out overlong forms, surrogates and what lies above U+10FFFF.
    const std::size_t length = in(first, 0xc2, 0xdf) ? 2 : in(first, 0xe0, 0xef) ? 3 : in(first, 0xf0, 0xf4) ? 4 : 0;
    if (length == 0 || bytes.size() < length) return 0;
    const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (!in(byte_at(bytes, 1), low, high)) return 0;
    for (std::size_t position = 2; position < length; ++position)
        if (!in(byte_at(bytes, position), 0x80, 0xbf)) return 0;
    return length;
}

void append_json_string(std::string& out, std::string_view bytes) {
    out += '"';
    std::size_t position = 0;
    while (position < bytes.size()) {
        const std::size_t begin = position;
        while (position < bytes.size() && plain_bytes[byte_at(bytes, position)]) ++position;
        out.append(bytes, begin, position - begin);
        if (position < bytes.size()) position += append_special(out, bytes.substr(position));
    }
    out += '"';
}

void append_decimal(std::string& out, std::int64_t value) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

void append_hex(std::string& out, std::uint64_t value) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
    out += "\"0x";
    out.append(digits.data(), end);
    out += '"';
}

void append_microseconds(std::string& out, std::int64_t nanoseconds) {
    append_decimal(out, nanoseconds / 1000);
    const auto rest = static_cast<unsigned>(nanoseconds % 1000);
    const std::array<char, 4> decimals = {'.', hex_digits[rest / 100], hex_digits[rest / 10 % 10],
                                          hex_digits[rest % 10]};
    out.append(decimals.data(), decimals.size());
}

void JsonObject::key(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += key;
    out_ += "\":";
}

void JsonObject::text(std::string_view name, std::string_view value) {
    key(name);
    append_json_string(out_, value);
}

void JsonObject::integer(std::string_view name, std::int64_t value) {
    key(name);
    if (value >= -largest_exact_integer && value <= largest_exact_integer)
        append_decimal(out_, value);
    else
        append_hex(out_, static_cast<std::uint64_t>(value));
}

void JsonObject::size(std::string_view name, std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(largest_exact_integer))
        hex(name, value);
    else
        integer(name, static_cast<std::int64_t>(value));
}

void JsonObject::hex(std::string_view name, std::uint64_t value) {
    key(name);
    append_hex(out_, value);
}

void JsonObject::flag(std::string_view name) {
    key(name);
    out_ += "true";
}

}  // namespace slowtrace::render
