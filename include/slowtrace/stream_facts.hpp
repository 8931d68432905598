// The octets of a connection as they pass → facts: names, handshakes, questions to name services.
//
// An interpreter is fed the beginning of each transfer of one connection and keeps only what it needs to go on
// (part of a message cut in two). It never looks further than it must: wanted() says how much of the next transfer
// is worth reading, and 0 for ever once the question is settled. The octets come from a program that may change them
// meanwhile or lie: everything is bounded, nothing is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "model/trace.pb.h"

namespace slowtrace::wire {

enum class Flow : std::uint8_t { sent, received };

class Interpreter {
   public:
    virtual ~Interpreter() = default;
    // How many octets of the next transfer that way are worth reading; 0: none. May grow again only by feeding the
    // other direction (a proxied connection's next request).
    virtual std::size_t wanted(Flow flow) const = 0;
    // One transfer of `size` octets, of which the first `octets` were read (all, some, or none where they never
    // passed through the program's memory: sendfile(2), splice(2)). Appends StreamFact or DnsMessage events with
    // everything filled but thread, time and descriptor.
    virtual void feed(Flow flow, std::span<const std::uint8_t> octets, std::uint64_t size,
                      std::vector<model::Event>& facts) = 0;
    // Nothing will be wanted any more, in either direction, whatever is fed.
    virtual bool settled() const = 0;
};

// A TCP connection the program made: TLS, HTTP/1, HTTP/2 with prior knowledge, SOCKS, proxies and what they carry.
std::unique_ptr<Interpreter> interpret_stream();
// A datagram socket's exchanges with one peer: QUIC Initials. Each transfer is one datagram.
std::unique_ptr<Interpreter> interpret_datagrams();
// DNS over UDP (each transfer one message) or TCP (RFC 1035 §4.2.2, however split). Never settled.
std::unique_ptr<Interpreter> interpret_dns(bool stream);
// The UNIX socket of a name service, by its path: nscd, systemd-resolved by varlink, the system bus (where only
// resolve1 calls are looked at). Null for any other path.
std::unique_ptr<Interpreter> interpret_name_service(std::string_view path);

}  // namespace slowtrace::wire
