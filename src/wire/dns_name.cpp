// Domain names. A pointer must lead strictly backwards, before the start of the part it ends: no loop can be
// written that way, and the 255 octets of RFC 1035 §2.3.4 bound the rest.
#include "wire/dns_name.hpp"

#include <optional>
#include <string_view>

namespace slowtrace::wire {
namespace {

constexpr std::size_t header_size = 12;
constexpr std::size_t max_name_octets = 255;  // with length octets and the root's
constexpr int max_pointers = 127;             // one for each label a name can have
constexpr std::uint8_t kind_mask = 0xc0, kind_label = 0x00, kind_pointer = 0xc0;

bool append_label(std::span<const std::uint8_t> label, std::string& name) {
    constexpr std::string_view escaped = "\".;\\()@$";  // those RFC 1035 §5.1 gives a meaning
    if (!name.empty()) name += '.';
    for (const std::uint8_t octet : label) {
        if (octet < 0x20 || octet == 0x7f) return false;
        if (octet == 0x20 || octet > 0x7f) {
            name += '\\';
            for (const int unit : {100, 10, 1}) name += static_cast<char>('0' + octet / unit % 10);
            continue;
        }
        if (escaped.find(static_cast<char>(octet)) != std::string_view::npos) name += '\\';
        name += static_cast<char>(octet);
    }
    return true;
}

}  // namespace

Parsed read_name(std::span<const std::uint8_t> message, std::size_t& offset, std::string& name) {
    name.clear();
    std::size_t at = offset, part = offset, octets = 1;
    std::optional<std::size_t> behind;  // where reading goes on: after the first pointer
    for (int pointers = 0;;) {
        if (at >= message.size()) return Parsed::cut;
        const std::uint8_t length = message[at];
        if ((length & kind_mask) == kind_pointer) {
            if (at + 1 >= message.size()) return Parsed::cut;
            if (!behind) behind = at + 2;
            const std::size_t target = std::size_t{length} % 64 * 256 + message[at + 1];
            if (target >= part || target < header_size || ++pointers > max_pointers) return Parsed::malformed;
            at = part = target;
            continue;
        }
        if ((length & kind_mask) != kind_label) return Parsed::malformed;
        ++at;
        if (length == 0) break;
        octets += length + std::size_t{1};
        if (octets > max_name_octets) return Parsed::malformed;
        if (length > message.size() - at) return Parsed::cut;
        if (!append_label(message.subspan(at, length), name)) return Parsed::malformed;
        at += length;
    }
    if (name.empty()) name.push_back('.');
    offset = behind.value_or(at);
    return Parsed::whole;
}

}  // namespace slowtrace::wire
