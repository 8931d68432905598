// Escaping, and numbers in words. Everything here is total: any bytes, any number.
#include "render/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iterator>

namespace slowtrace::render {

namespace {

struct CodePoint {
    char32_t value = 0;
    std::size_t length = 0;  // 0: not UTF-8
};

struct SequenceForm {
    unsigned char mask, lead;
    std::size_t length;
    char32_t least;  // anything smaller is an overlong form (RFC 3629)
};
constexpr SequenceForm sequence_forms[] = {
    {0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};

CodePoint decode(std::string_view bytes) {
    const auto first = static_cast<unsigned char>(bytes[0]);
    for (const SequenceForm& form : sequence_forms) {
        if ((first & form.mask) != form.lead) continue;
        if (bytes.size() < form.length) return {};
        char32_t value = first & static_cast<unsigned char>(~form.mask);
        for (std::size_t i = 1; i < form.length; ++i) {
            const auto next = static_cast<unsigned char>(bytes[i]);
            if ((next & 0xc0) != 0x80) return {};
            value = value << 6 | (next & 0x3f);
        }
        const bool surrogate = value >= 0xd800 && value <= 0xdfff;
        if (value < form.least || value > 0x10ffff || surrogate) return {};
        return {value, form.length};
    }
    return {};
}

struct Range {
    char32_t first, last;
};
// Valid, but they steer a terminal, reorder the text around them or cannot be seen.
constexpr Range unprintable[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},      {0x61c, 0x61c},
                                 {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f},
                                 {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

bool printable(char32_t character) {
    return std::ranges::none_of(
        unprintable, [&](const Range& range) { return character >= range.first && character <= range.last; });
}

template <typename... Values>
void append_formatted(std::string& out, const char* format, Values... values) {
    std::array<char, 64> buffer;
    const int length = std::snprintf(buffer.data(), buffer.size(), format, values...);
    if (length > 0)
        out.append(buffer.data(), std::min<std::size_t>(static_cast<std::size_t>(length), buffer.size() - 1));
}

void append_escaped(std::string& out, char32_t character) {
    constexpr Range named[] = {{'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}, {'\\', '\\'}, {'"', '"'}};
    for (const Range& escape : named)
        if (escape.first == character) {
            out += '\\';
            out += static_cast<char>(escape.last);
            return;
        }
    const auto code = static_cast<unsigned>(character);
    append_formatted(out, code < 0x80 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
}

void append_visible(std::string& out, std::string_view bytes, bool quoted) {
    while (!bytes.empty()) {
        const CodePoint point = decode(bytes);
        if (point.length == 0) {
            append_formatted(out, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(bytes[0])));
            bytes.remove_prefix(1);
            continue;
        }
        const bool special = point.value == '\\' || (quoted && point.value == '"') || !printable(point.value);
        if (special)
            append_escaped(out, point.value);
        else
            out.append(bytes.substr(0, point.length));
        bytes.remove_prefix(point.length);
    }
}

// One row a size: the smallest step shown, below which bound, as how many units with how many decimals.
struct DurationForm {
    std::uint64_t below, step;
    double unit;
    int decimals;
    const char* suffix;
};
constexpr DurationForm duration_forms[] = {
    {1'000, 1, 1, 0, "ns"},
    {10'000, 100, 1e3, 1, "µs"},
    {1'000'000, 1'000, 1e3, 0, "µs"},
    {10'000'000, 10'000, 1e6, 2, "ms"},
    {100'000'000, 100'000, 1e6, 1, "ms"},
    {1'000'000'000, 1'000'000, 1e6, 0, "ms"},
    {10'000'000'000, 1'000'000, 1e9, 3, "s"},
    {60'000'000'000, 100'000'000, 1e9, 1, "s"},
};

// Rounding may carry into the next form: 999,600 ns is "1.00ms", not "1000µs".
std::uint64_t rounded(std::uint64_t value, std::uint64_t step) {
    return (value + step / 2) / step * step;
}

void append_long_duration(std::string& out, std::uint64_t nanoseconds) {
    constexpr std::uint64_t second = 1'000'000'000, minute = 60 * second, hour = 60 * minute;
    const std::uint64_t tenths = rounded(nanoseconds, second / 10);
    if (tenths < hour) {
        append_formatted(out, "%llum ", static_cast<unsigned long long>(tenths / minute));
        append_formatted(out, "%.1fs", static_cast<double>(tenths % minute) / 1e9);
        return;
    }
    const std::uint64_t whole = rounded(nanoseconds, second);
    append_formatted(out, "%lluh %llum %llus", static_cast<unsigned long long>(whole / hour),
                     static_cast<unsigned long long>(whole % hour / minute),
                     static_cast<unsigned long long>(whole % minute / second));
}

}  // namespace

std::string visible(std::string_view bytes) {
    std::string out;
    append_visible(out, bytes, false);
    return out;
}

std::string quote(std::string_view bytes, bool truncated) {
    std::string out = "\"";
    append_visible(out, bytes, true);
    out += truncated ? "\"..." : "\"";
    return out;
}

std::string format_duration(std::int64_t nanoseconds) {
    std::string out;
    auto magnitude = static_cast<std::uint64_t>(nanoseconds);
    if (nanoseconds < 0) {
        out = "-";
        magnitude = 0 - magnitude;
    }
    for (const DurationForm& form : duration_forms) {
        const std::uint64_t shown = rounded(magnitude, form.step);
        if (shown >= form.below) continue;
        append_formatted(out, "%.*f", form.decimals, static_cast<double>(shown) / form.unit);
        return out += form.suffix;
    }
    append_long_duration(out, magnitude);
    return out;
}

std::string format_bytes(std::uint64_t bytes) {
    constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    std::string out;
    if (bytes < 1024) {
        append_formatted(out, "%llu B", static_cast<unsigned long long>(bytes));
        return out;
    }
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    // 1023.95 would print as 1024.0.
    while (value >= 1023.95 && unit + 1 < std::size(units)) {
        value /= 1024;
        ++unit;
    }
    append_formatted(out, "%.1f %s", value, units[unit]);
    return out;
}

std::string format_count(std::uint64_t count) {
    std::string out = std::to_string(count);
    for (std::size_t at = out.size(); at > 3;) {
        at -= 3;
        out.insert(at, ",");
    }
    return out;
}

std::string percent(std::int64_t part, std::int64_t whole) {
    if (whole == 0 || part == 0) return "0.0 %";
    const double value = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    if (value > 0 && value < 0.05) return "<0.1 %";
    std::string out;
    append_formatted(out, "%.1f %%", value);
    return out;
}

}  // namespace slowtrace::render
