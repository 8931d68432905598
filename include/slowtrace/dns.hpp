// DNS messages as bytes → facts (RFC 1035, RFC 2782, RFC 3596, RFC 6891, RFC 9460): bounded, no allocation beyond the
// result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/trace.pb.h"

namespace slowtrace::wire {

// The facts of one message as it travels over UDP (without the TCP length prefix): id, response, code,
// truncated, questions, and A, AAAA, CNAME, SRV, SVCB and HTTPS answers (answer section only). Nothing when the bytes
// are not a DNS message: wrong counts, a name over 255 octets, a compression loop, control characters in a name. A
// message cut off by a short read keeps what was whole before the cut.
std::optional<model::DnsMessage> parse_dns(std::span<const std::uint8_t> message);

// Puts a TCP stream's pieces (RFC 1035 §4.2.2: two length octets before each message) back together,
// however reads split it. Holds at most one message of 65,535 octets.
class DnsStream {
   public:
    // The messages completed by these octets, in order.
    std::vector<model::DnsMessage> feed(std::span<const std::uint8_t> octets);
    // So many of the next octets were not read. The message they cut short keeps what was whole before; once a
    // length is among them, nothing that follows can be told apart any more.
    std::vector<model::DnsMessage> skip(std::uint64_t size);

   private:
    // How many octets the message under way has yet to come, its length before it included.
    std::size_t left() const;
    void end_when_whole(std::vector<model::DnsMessage>& messages);

    std::vector<std::uint8_t> pending_;
    std::size_t skipped_ = 0;  // of the message under way
    bool lost_ = false;
};

}  // namespace slowtrace::wire
