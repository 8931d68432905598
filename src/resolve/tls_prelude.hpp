// What a TLS 1.3 server sends of itself before its first answer, told by the headers of its records.
//
// Behind the client's Finished come session tickets (RFC 8446 §4.6.1), each in a record as long as the others: nothing
// else is known of them. Where HTTP/2 may be spoken, its settings follow (RFC 9113 §3.4), in records shorter than an
// answer's head. The first record that is neither begins the answer. A record alone may be a ticket or all of a very
// short answer: two alike are tickets for certain.
#pragma once

#include <cstdint>

namespace slowtrace::resolve {

class TlsPrelude {
   public:
    // The header of an application data record of the server, in the octets of the transfer that is told next.
    void record(std::uint32_t length, bool may_multiplex);
    // How many of a transfer's octets came before the answer; none where records were not told.
    std::uint64_t transfer(std::uint64_t bytes);
    // The record told last is a ticket for certain, and with it all before.
    bool certain() const { return certain_; }

   private:
    std::uint64_t told_ = 0, passed_ = 0;  // octets of the records told, of transfers
    std::uint32_t ticket_length_ = 0;
    bool certain_ = false, answered_ = false;
};

}  // namespace slowtrace::resolve
