// D-Bus messages (the D-Bus specification, "Message Protocol"): what tells a call from another.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/octets.hpp"

namespace slowtrace::wire {

// Reads the marshalled values of one message in its byte order; alignment counts from the message's beginning. What is
// read past the end is zero or empty, and cut() says so from then on.
class BusReader {
   public:
    BusReader(Octets message, bool little_endian, std::size_t at)
        : message_(message), little_endian_(little_endian), at_(at) {}
    void align(std::size_t size);
    std::uint64_t number(std::size_t size);  // aligned to its size
    Octets take(std::uint64_t size);
    std::string_view text();       // types s and o
    std::string_view signature();  // type g
    std::size_t at() const { return at_; }
    bool cut() const { return cut_; }

   private:
    Octets message_;
    bool little_endian_;
    std::size_t at_;
    bool cut_ = false;
};

inline constexpr std::size_t bus_header_size = 16;  // the fixed part, with the length of the fields behind it
inline constexpr std::uint8_t bus_call = 1, bus_return = 2, bus_error = 3;

struct BusMessage {
    std::uint8_t type = 0;
    bool reply_expected = true;
    std::uint64_t serial = 0, reply_serial = 0;
    std::string_view interface, member, error_name, signature;
    bool little_endian = true;
    std::size_t body_at = 0;
};

// The whole message's size, from its fixed part; nothing where that is none.
std::optional<std::uint64_t> bus_message_size(Octets header);
// Nothing for a message whose fields are not sound. The texts are parts of `message`.
std::optional<BusMessage> read_bus_message(Octets message);

}  // namespace slowtrace::wire
