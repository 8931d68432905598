// QUIC packets with long headers, and the CRYPTO frames inside Initials (RFC 9000 §17.2, §19).
#pragma once

#include <optional>
#include <vector>

#include "wire/octets.hpp"

namespace slowtrace::wire {

struct LongPacket {
    std::uint32_t version = 0;
    bool initial = false;
    Octets destination;  // connection identifier
    std::size_t number_at = 0, size = 0;
};

// The packet a datagram's rest begins with; nothing where its header is short, unsound, of an unknown version, or says
// more octets than there are.
std::optional<LongPacket> read_long_packet(Octets datagram);

struct CryptoFrame {
    std::uint64_t offset = 0;
    Octets data;
};

// Those among the frames of an Initial, up to the first that is not sound or has no place there.
std::vector<CryptoFrame> read_crypto_frames(Octets frames);

}  // namespace slowtrace::wire
