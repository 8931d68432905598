// Which interpreter reads the traffic with a peer: by its port or its path.
#include "record/socket_tap.hpp"

namespace slowtrace::record {

std::unique_ptr<wire::Interpreter> interpreter_for(SocketKind kind, const model::SocketAddress& peer) {
    constexpr std::uint32_t dns_port = 53;
    switch (kind) {
        case SocketKind::stream:
            return peer.port() == dns_port ? wire::interpret_dns(true) : wire::interpret_stream();
        case SocketKind::datagram:
            return peer.port() == dns_port ? wire::interpret_dns(false) : wire::interpret_datagrams();
        case SocketKind::local:
            if (!peer.path().empty() && !peer.abstract()) return wire::interpret_name_service(peer.path());
            return nullptr;
        case SocketKind::none:
            return nullptr;
    }
    return nullptr;
}

}  // namespace slowtrace::record
