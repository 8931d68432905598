// The code is canonical: codes of one length count upwards in the order of their symbols, so that the lengths alone
// say everything (a property of the table in appendix B).
#include "wire/huffman.hpp"

#include <array>

namespace slowtrace::wire {
namespace {

constexpr std::size_t symbols = 256, longest = 30;

// RFC 7541 appendix B, in the order of the octets. The end of string, 30 bits too, comes last and is never sent.
constexpr std::array<std::uint8_t, symbols> code_lengths{
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,  //
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,  //
    6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,   //
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10,  //
    13, 6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,   //
    7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,   //
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,   //
    6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7,  15, 11, 14, 13, 28,  //
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,  //
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,  //
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,  //
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,  //
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,  //
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,  //
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,  //
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26};

struct Code {
    std::array<std::uint32_t, longest + 1> first{};   // the first code of each length
    std::array<std::uint32_t, longest + 1> count{};   // how many there are
    std::array<std::uint32_t, longest + 1> offset{};  // where their symbols begin
    std::array<std::uint8_t, symbols> symbol{};       // by length, then value
};

constexpr Code make_code() {
    Code code;
    std::uint32_t next = 0, placed = 0;
    for (std::size_t length = 1; length <= longest; ++length) {
        next <<= 1;
        code.first[length] = next;
        code.offset[length] = placed;
        for (std::size_t symbol = 0; symbol < symbols; ++symbol)
            if (code_lengths[symbol] == length) code.symbol[placed++] = static_cast<std::uint8_t>(symbol);
        code.count[length] = placed - code.offset[length];
        next += code.count[length];
    }
    return code;
}
constexpr Code code = make_code();

}  // namespace

std::optional<std::string> decode_huffman(Octets encoded, std::size_t limit) {
    constexpr std::size_t longest_padding = 7;
    std::string text;
    std::uint32_t bits = 0;
    std::size_t length = 0;
    for (const std::uint8_t octet : encoded)
        for (int bit = 7; bit >= 0; --bit) {
            bits = bits << 1 | (octet >> bit & 1U);
            if (++length > longest) return std::nullopt;
            const std::uint32_t place = bits - code.first[length];
            if (bits < code.first[length] || place >= code.count[length]) continue;
            if (text.size() == limit) return std::nullopt;
            text += static_cast<char>(code.symbol[code.offset[length] + place]);
            bits = 0;
            length = 0;
        }
    // What is left is the beginning of the end of string, ones throughout.
    if (length > longest_padding || bits != (1U << length) - 1) return std::nullopt;
    return text;
}

}  // namespace slowtrace::wire
