// A socket's life: made, given a peer and its name, used, gone.
#include "resolve/connections.hpp"

#include <sys/socket.h>

#include "resolve/claims.hpp"
#include "resolve/connection_life.hpp"
#include "resolve/endpoints.hpp"
#include "resolve/name_services.hpp"

namespace slowtrace::resolve {

namespace {

bool has_ip(const Endpoint& endpoint) {
    return !endpoint.address.empty() && endpoint.transport != Transport::unix_socket;
}

// Netlink and packet sockets talk to the kernel, not to somebody who takes time.
bool has_phases(Transport transport) {
    return transport == Transport::tcp || transport == Transport::udp || transport == Transport::unix_socket;
}

}  // namespace

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
        if (!same) {
            if (file.socket->life) file.socket->life->peer_changes();
            connection.peer = endpoint_of(address, connection.transport);
            connection.claims.clear();
            connection.name_service = name_service_at(connection.peer);
        }
        if (has_ip(connection.peer)) apply(file, names_.naming(connection.peer.address, process, time_ns));
        file.socket->peer_key = key_;
    }
    announce(file, time_ns);
}

void Connections::apply(TrackedFile& file, const Naming& naming) {
    for (const NameClaim& known : naming.claims) claim(*file.connection, known);
    if (naming.evidence == NameEvidence::dns) file.connection->peer.canonical_name = naming.canonical_name;
    file.socket->lookup = naming.lookup;
}

void Connections::set_name(TrackedFile& file, const NameClaim& told, const ProcessState& process,
                           std::int64_t time_ns) {
    // What comes in on an accepted connection names us, not its peer.
    if (file.connection->accepted) return;
    if (file.socket->life && names_target(told.evidence)) file.socket->life->target_changes();
    claim(*file.connection, told);
    if (!names_target(told.evidence)) return;
    for (const NameClaim& known : names_.naming(told.name, process, time_ns).claims) claim(*file.connection, known);
}

void Connections::use_lookup(TrackedFile& file, std::int64_t time_ns) {
    Connection& connection = *file.connection;
    if (file.socket->lookup == nullptr || connection.dns_from_ns || connection.is_dns()) return;
    if (auto span = file.socket->lookup->take(time_ns)) {
        connection.dns_from_ns = span->from_ns;
        connection.dns_to_ns = span->to_ns;
    }
    file.socket->lookup = nullptr;
}

void Connections::set_local(TrackedFile& file, const model::SocketAddress& address, const ProcessState& process,
                            std::int64_t time_ns) {
    if (address.family() == AF_UNSPEC) return;
    Endpoint& local = file.connection->local;
    local = endpoint_of(address, file.connection->transport);
    if (!has_ip(local)) return;
    Naming naming = names_.naming(local.address, process, time_ns);
    local.host = naming.host;
    local.evidence = naming.evidence;
    local.canonical_name = naming.canonical_name;
}

void Connections::announce(TrackedFile& file, std::int64_t time_ns) {
    // Calls are told when they end: another thread may have closed it meanwhile.
    if (file.socket->announced || file.connection->closed_ns) return;
    file.socket->announced = true;
    sink_.connection_opened(*file.connection, time_ns);
    if (!has_phases(file.connection->transport)) return;
    file.socket->life = std::make_shared<Life>(file.connection, notices_);
    if (file.connection->accepted) file.socket->life->begin(time_ns);
}

}  // namespace slowtrace::resolve
