// What a TLS 1.3 server sends of itself before its first answer, told by the headers of its records.
#include "resolve/tls_prelude.hpp"

#include <algorithm>

namespace slowtrace::resolve {

namespace {

constexpr std::uint32_t header_length = 5;
// Up to five settings and a WINDOW_UPDATE are 52 octets, 17 are the record's own.
constexpr std::uint32_t settings_below = 100;
// Servers make tickets of 100 to 300 octets, longer where a client's certificate goes into them.
constexpr std::uint32_t longest_ticket = 2'048;

}  // namespace

void TlsPrelude::record(std::uint32_t length, bool may_multiplex) {
    if (answered_) return;
    certain_ = false;
    if (!may_multiplex || length >= settings_below) {
        answered_ = length > longest_ticket || (ticket_length_ != 0 && length != ticket_length_);
        if (answered_) return;
        certain_ = ticket_length_ != 0;
        ticket_length_ = length;
    }
    told_ += header_length + length;
}

std::uint64_t TlsPrelude::transfer(std::uint64_t bytes) {
    const std::uint64_t before = told_ - std::min(told_, passed_);
    passed_ += bytes;
    // A header is told once it is whole. More than its beginning that was not told: nobody follows the records.
    answered_ = answered_ || passed_ >= told_ + header_length;
    return answered_ ? std::min(bytes, before) : bytes;
}

}  // namespace slowtrace::resolve
