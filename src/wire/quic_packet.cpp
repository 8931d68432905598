// Long headers, and the few frames that may stand in an Initial.
#include "wire/quic_packet.hpp"

#include <array>

namespace slowtrace::wire {
namespace {

constexpr std::size_t max_identifier = 20;  // RFC 9000 §17.2

// Packet types are numbered differently in each version (RFC 9369 §3.2). Retry has neither number nor length.
struct Version {
    std::uint32_t version;
    std::uint8_t initial, retry;
};
constexpr std::array<Version, 2> versions{{{0x00000001, 0, 3}, {0x6b3343cf, 1, 0}}};

// RFC 9000 §16: the two highest bits say how many octets the integer has.
std::uint64_t variable_integer(OctetReader& reader) {
    if (reader.empty()) return reader.number(1);
    const std::size_t size = std::size_t{1} << (reader.rest()[0] >> 6);
    return reader.number(size) & (~std::uint64_t{0} >> (66 - size * 8));
}

void pass_acknowledgement(OctetReader& reader, bool with_counts) {
    variable_integer(reader);  // largest
    variable_integer(reader);  // delay
    std::uint64_t ranges = variable_integer(reader);
    variable_integer(reader);
    for (; ranges > 0 && !reader.cut(); --ranges) {
        variable_integer(reader);
        variable_integer(reader);
    }
    for (int i = 0; with_counts && i < 3; ++i) variable_integer(reader);
}

}  // namespace

std::optional<LongPacket> read_long_packet(Octets datagram) {
    OctetReader reader(datagram);
    const auto first = static_cast<std::uint8_t>(reader.number(1));
    constexpr std::uint8_t long_header = 0x80;
    LongPacket packet;
    packet.version = static_cast<std::uint32_t>(reader.number(4));
    packet.destination = reader.part(1);
    const Octets source = reader.part(1);
    const auto known = std::ranges::find(versions, packet.version, &Version::version);
    const std::uint8_t type = first >> 4 & 3;
    if ((first & long_header) == 0 || known == versions.end() || type == known->retry ||
        packet.destination.size() > max_identifier || source.size() > max_identifier)
        return std::nullopt;
    packet.initial = type == known->initial;
    if (packet.initial) reader.take(variable_integer(reader));  // its token
    const std::uint64_t length = variable_integer(reader);
    packet.number_at = datagram.size() - reader.rest().size();
    if (reader.cut() || length > reader.rest().size()) return std::nullopt;
    packet.size = packet.number_at + static_cast<std::size_t>(length);
    return packet;
}

std::vector<CryptoFrame> read_crypto_frames(Octets frames) {
    enum : std::uint64_t { padding = 0, ping = 1, acknowledgement = 2, acknowledgement_with_counts = 3, crypto = 6 };
    std::vector<CryptoFrame> found;
    OctetReader reader(frames);
    while (!reader.empty()) {
        const std::uint64_t type = variable_integer(reader);
        if (type == padding || type == ping) continue;
        if (type == acknowledgement || type == acknowledgement_with_counts) {
            pass_acknowledgement(reader, type == acknowledgement_with_counts);
        } else if (type == crypto) {
            CryptoFrame frame;
            frame.offset = variable_integer(reader);
            frame.data = reader.take(variable_integer(reader));
            if (!reader.cut()) found.push_back(frame);
        } else {
            break;
        }
        if (reader.cut()) break;
    }
    return found;
}

}  // namespace slowtrace::wire
