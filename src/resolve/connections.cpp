// A socket's life: made, given a peer and its name, used, gone.
#include "resolve/connections.hpp"

#include <sys/socket.h>

#include "resolve/endpoints.hpp"

namespace slowtrace::resolve {

void Connections::make(TrackedFile& file, int family, int type, int protocol, ProcessId process, std::int64_t time_ns) {
    constexpr int type_mask = 0xf;
    file.kind = FileKind::socket;
    file.socket = std::make_unique<SocketState>();
    file.socket->stream = (type & type_mask) == SOCK_STREAM || (type & type_mask) == SOCK_SEQPACKET;
    file.connection = std::make_shared<Connection>();
    file.connection->id = next_id_++;
    file.connection->process = process;
    file.connection->transport = transport_of(family, type, protocol);
    file.connection->opened_ns = time_ns;
}

void Connections::set_peer(TrackedFile& file, const model::SocketAddress& address, const ProcessState& process,
                           std::int64_t time_ns) {
    if (address.family() == AF_UNSPEC) return;
    // The other end of an unnamed UNIX socket has no address to tell (unix(7)).
    if (address.family() == AF_UNIX && address.path().empty()) return;
    Connection& connection = *file.connection;
    address_key(address, key_);
    bool same = key_ == file.socket->peer_key;
    if (!same || connection.peer.host.empty()) {
        if (!same) connection.peer = endpoint_of(address, connection.transport);
        names_.name(connection.peer, process);
        file.socket->peer_key = key_;
    }
    announce(file, time_ns);
}

void Connections::set_local(TrackedFile& file, const model::SocketAddress& address, const ProcessState& process) {
    if (address.family() == AF_UNSPEC) return;
    file.connection->local = endpoint_of(address, file.connection->transport);
    names_.name(file.connection->local, process);
}

void Connections::announce(TrackedFile& file, std::int64_t time_ns) {
    if (file.socket->announced) return;
    file.socket->announced = true;
    sink_.connection_opened(*file.connection, time_ns);
}

}  // namespace slowtrace::resolve
