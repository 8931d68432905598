// Octets on their way through a call, turned into facts before the program can overwrite them. They are forgotten
// here: nothing but what an interpreter says of them goes on.
#pragma once

#include <vector>

#include "record/payload_calls.hpp"
#include "record/socket_tap.hpp"
#include "slowtrace/events.hpp"

namespace slowtrace::record {

class PayloadTap {
   public:
    // `factory` chooses the interpreters; null: nothing is ever read (RecordOptions::interpret).
    PayloadTap(EventSink& sink, InterpreterFactory factory) : sink_(sink), factory_(factory) {}

    // After a call, once descriptor_effects has seen it. A connect gives the socket its interpreter (a socket that was
    // accepted gets none: who is at its other end says nothing about itself); a read or write on a socket that has
    // one feeds it, and delivers what it found. One that is settled is dropped.
    void after(Tracee& tracee, RemoteMemory& memory, const OpenCall& open);
    // A socket nobody saw connecting.
    void looked_up(DescriptorWatch& watch, const model::DescriptorBinding& binding);

   private:
    void on_connect(Tracee& tracee, const OpenCall& open);
    void carry(Tracee& tracee, RemoteMemory& memory, const OpenCall& open, const PayloadCall& how);
    bool begins_here(DescriptorWatch& watch, int fd, const OpenCall& open, const PayloadCall& how,
                     const Payload& payload);
    void attach(DescriptorWatch& watch, int fd, const model::SocketAddress& peer);
    void deliver(const Tracee& tracee, const OpenCall& open, int fd, const model::SocketAddress* peer);

    EventSink& sink_;
    InterpreterFactory factory_;
    std::vector<model::Event> facts_;    // reused
    std::vector<std::uint8_t> scratch_;  // likewise
};

}  // namespace slowtrace::record
