// Header blocks: of every field its kind and lengths are read, of three also the value.
#include "wire/hpack.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "wire/huffman.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::size_t max_value = 512, max_name = 32;

// The entries of the static table (RFC 7541 appendix A) that these fields have.
struct StaticEntry {
    std::uint64_t index;
    std::string HeaderBlock::*field;
    std::string_view value;
};
constexpr std::array<StaticEntry, 10> static_table{{{1, &HeaderBlock::authority, ""},
                                                    {2, &HeaderBlock::method, "GET"},
                                                    {3, &HeaderBlock::method, "POST"},
                                                    {8, &HeaderBlock::status, "200"},
                                                    {9, &HeaderBlock::status, "204"},
                                                    {10, &HeaderBlock::status, "206"},
                                                    {11, &HeaderBlock::status, "304"},
                                                    {12, &HeaderBlock::status, "400"},
                                                    {13, &HeaderBlock::status, "404"},
                                                    {14, &HeaderBlock::status, "500"}}};

struct NamedField {
    std::string_view name;
    std::string HeaderBlock::*field;
};
constexpr std::array<NamedField, 3> named_fields{
    {{":authority", &HeaderBlock::authority}, {":method", &HeaderBlock::method}, {":status", &HeaderBlock::status}}};

// An integer in the low `prefix` bits of `first` and what follows (RFC 7541 §5.1). No sound block needs one of more
// than a few octets; a longer one ends the reading.
std::uint64_t read_integer(std::uint8_t first, unsigned prefix, OctetReader& block) {
    constexpr unsigned most_shift = 21;
    const std::uint64_t mask = (1U << prefix) - 1;
    std::uint64_t value = first & mask;
    if (value < mask) return value;
    for (unsigned shift = 0;; shift += 7) {
        const std::uint64_t octet = block.number(1);
        value += (octet & 0x7f) << shift;
        if ((octet & 0x80) == 0) return value;
        if (shift >= most_shift) block.take(block.rest().size() + 1);
    }
}

struct HpackString {
    bool huffman = false;
    Octets octets;

    // Nothing where it is longer than `limit`.
    std::optional<std::string> text(std::size_t limit) const {
        if (huffman) return decode_huffman(octets, limit);
        if (octets.size() > limit) return std::nullopt;
        return std::string(text_of(octets));
    }
};

HpackString read_string(OctetReader& block) {
    const auto first = static_cast<std::uint8_t>(block.number(1));
    const std::uint64_t size = read_integer(first, 7, block);
    return {(first & 0x80) != 0, block.take(size)};
}

// The field a literal is for: by the index of its name, or the name itself.
std::string HeaderBlock::*literal_field(std::uint64_t index, OctetReader& block) {
    if (index != 0) {
        const auto known = std::ranges::find(static_table, index, &StaticEntry::index);
        return known == static_table.end() ? nullptr : known->field;
    }
    const auto name = read_string(block).text(max_name);
    const auto known = std::ranges::find(named_fields, name.value_or(""), &NamedField::name);
    return known == named_fields.end() ? nullptr : known->field;
}

void read_literal(std::uint64_t index, OctetReader& block, HeaderBlock& fields) {
    std::string HeaderBlock::*const field = literal_field(index, block);
    const HpackString value = read_string(block);
    if (field && !block.cut()) fields.*field = value.text(max_value).value_or("");
}

}  // namespace

std::optional<HeaderBlock> read_header_block(Octets octets) {
    OctetReader block(octets);
    HeaderBlock fields;
    while (!block.empty() && !block.cut()) {
        const auto first = static_cast<std::uint8_t>(block.number(1));
        if ((first & 0x80) != 0) {  // an entry, name and value
            const auto known = std::ranges::find(static_table, read_integer(first, 7, block), &StaticEntry::index);
            if (known != static_table.end()) fields.*known->field = known->value;
        } else if ((first & 0xe0) == 0x20) {  // the table's new size
            read_integer(first, 5, block);
        } else {  // a literal, to be indexed or not
            read_literal(read_integer(first, (first & 0x40) != 0 ? 6 : 4, block), block, fields);
        }
    }
    if (block.cut()) return std::nullopt;
    return fields;
}

}  // namespace slowtrace::wire
