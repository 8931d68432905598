// The calls that move octets through a descriptor, and where in the program's memory those lie.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "record/remote_memory.hpp"
#include "record/tracee.hpp"
#include "slowtrace/stream_facts.hpp"

namespace slowtrace::record {

enum class PayloadLayout : std::uint8_t {
    elsewhere,  // never in the program's memory: sendfile(2), splice(2)
    buffer,
    vectors,   // struct iovec
    message,   // struct msghdr
    messages,  // struct mmsghdr
};

struct PayloadCall {
    model::Call call = model::Call::unknown;
    wire::Flow flow = wire::Flow::sent;
    PayloadLayout layout = PayloadLayout::elsewhere;
    std::int8_t descriptor_argument = 0;
    std::int8_t flags_argument = -1;    // -1: none
    std::int8_t address_argument = -1;  // of the peer's address, or of the message that holds it; -1: none
};

// The ways `call` moves octets: none for most, one for each descriptor for splice(2). Constant time.
std::span<const PayloadCall> payload_calls(model::Call call);

// The octets of one finished, successful call.
class Payload {
   public:
    // All three must outlive it; `scratch` is where octets are read to.
    Payload(const PayloadCall& how, RemoteMemory& memory, const OpenCall& open, std::vector<std::uint8_t>& scratch);

    // One, or as many as messages were moved.
    std::size_t transfers() const;
    std::uint64_t size(std::size_t transfer) const;
    // The first octets of a transfer, at most `limit` and at most 64 KiB; fewer where they cannot be read. Valid
    // until the next read.
    std::span<const std::uint8_t> read(std::size_t transfer, std::size_t limit);
    // The address the call itself names for a transfer, null where it names none.
    const model::SocketAddress* peer(std::size_t transfer) const;

   private:
    const model::SocketMessages* messages() const;
    void vectors_at(RemoteAddress array, std::uint64_t count, std::uint64_t size);
    void message_at(RemoteAddress header, std::uint64_t size);
    std::uint64_t word(const std::byte* at) const;

    const PayloadCall& how_;
    RemoteMemory& memory_;
    const OpenCall& open_;
    std::vector<std::uint8_t>& scratch_;
    std::vector<RemoteStretch> stretches_;
    std::size_t word_bytes_;
};

}  // namespace slowtrace::record
