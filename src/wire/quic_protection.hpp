// What protects a QUIC client's Initial packets: keys anyone can derive, made from a public salt and the connection
// identifier in the packet (RFC 9001 §5.2; RFC 9369 §3.3 for version 2).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "wire/octets.hpp"

namespace slowtrace::wire {

class InitialProtection {
   public:
    // For the version on the wire and the destination identifier the client chose first. Nothing for other versions.
    static std::optional<InitialProtection> make(std::uint32_t version, Octets destination);

    // The frames of one packet, whose packet number stands at `number_at`. Nothing where it is not authentic.
    std::optional<std::vector<std::uint8_t>> open(Octets packet, std::size_t number_at) const;

   private:
    InitialProtection() = default;
    std::array<std::uint8_t, 16> key_{}, header_key_{};
    std::array<std::uint8_t, 12> iv_{};
};

}  // namespace slowtrace::wire
