// Who reads the traffic of one open socket: the interpreter of its connection, or one for each peer of a datagram
// socket that is not connected.
#pragma once

#include <cerrno>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "model/trace.pb.h"
#include "slowtrace/stream_facts.hpp"

namespace slowtrace::record {

// What a descriptor is, as far as its traffic may be worth reading.
enum class SocketKind : std::uint8_t {
    none,
    stream,    // TCP, over IPv4 or IPv6
    datagram,  // UDP
    local,     // AF_UNIX
};
SocketKind socket_kind(int family, int type, int protocol);  // `type` may carry SOCK_NONBLOCK and SOCK_CLOEXEC

// Whether after connect(2) with this result there is, or may come to be, a connection: made, or under way.
constexpr bool connect_goes_on(std::int64_t result) {
    return result == 0 || result == -EINPROGRESS || result == -EINTR;
}

// Makes the interpreter of traffic with `peer`; null where there is nothing to learn.
using InterpreterFactory = std::unique_ptr<wire::Interpreter> (*)(SocketKind kind, const model::SocketAddress& peer);
// By port and path: DNS, name services, everything else.
std::unique_ptr<wire::Interpreter> interpreter_for(SocketKind kind, const model::SocketAddress& peer);

// Shared by every descriptor of the open socket (dup(2), fork(2)).
class SocketTap {
   public:
    // Of a connected socket. `interpreter` must not be null.
    explicit SocketTap(std::unique_ptr<wire::Interpreter> interpreter) : connection_(std::move(interpreter)) {}
    // Of a datagram socket whose calls name the peer.
    explicit SocketTap(InterpreterFactory factory) : factory_(factory) {}

    // Null where nothing is to be learned from traffic with this peer (null: the call named none). Only what is sent
    // makes a new peer known. The latest few peers are remembered.
    wire::Interpreter* towards(const model::SocketAddress* peer, wire::Flow flow);
    bool settled() const { return connection_ && connection_->settled(); }

   private:
    struct Peer {
        std::string ip;
        std::uint32_t port = 0;
        std::unique_ptr<wire::Interpreter> interpreter;  // null: settled
    };
    std::unique_ptr<wire::Interpreter> connection_;
    InterpreterFactory factory_ = nullptr;
    std::deque<Peer> peers_;
};

}  // namespace slowtrace::record
