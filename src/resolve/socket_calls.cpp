// Calls that make, name, connect and ask sockets.
#include <sys/socket.h>

#include "resolve/call_context.hpp"
#include "resolve/endpoints.hpp"
#include "resolve/local_pairs.hpp"
#include "resolve/unix_pairs.hpp"

namespace slowtrace::resolve {

namespace {

using model::Call;

// The socket an argument was, where it is known to be one.
TrackedFile* socket_of(const CallContext& context, int position) {
    TrackedFile* file = context.file(position);
    return file != nullptr && file->socket != nullptr ? file : nullptr;
}

const model::SocketAddress* address_of(const CallContext& context) {
    const model::Captured* address = context.captured(model::Captured::kAddress);
    return address == nullptr ? nullptr : &address->address();
}

FilePointer new_socket(CallContext& context, int family, int type, int protocol) {
    FilePointer file = context.run.new_file(FileKind::socket, "socket");
    context.run.connections.make(*file, family, type, protocol, context.thread.process->process.id, context.time_ns());
    file->nonblocking = (type & SOCK_NONBLOCK) != 0;
    return file;
}

void on_socket(CallContext& context) {
    if (!context.succeeded) return;
    int type = context.number(1);
    FilePointer file = new_socket(context, context.number(0), type, context.number(2));
    context.bind_result(static_cast<int>(context.call.result()), std::move(file), (type & SOCK_CLOEXEC) != 0);
}

void on_socketpair(CallContext& context) {
    const model::Captured* pair = context.captured(model::Captured::kPair);
    if (!context.succeeded || pair == nullptr) return;
    int type = context.number(1);
    FilePointer ends[2];
    for (FilePointer& end : ends) {
        end = new_socket(context, context.number(0), type, context.number(2));
        end->connection->state = ConnectionState::connected;
        end->connection->connected_ns = context.time_ns();
        end->connection->peer.transport = end->connection->transport;
        end->socket->fixed = true;
    }
    join(*ends[0], *ends[1]);
    context.bind_result(pair->pair().first(), std::move(ends[0]), (type & SOCK_CLOEXEC) != 0);
    context.bind_result(pair->pair().second(), std::move(ends[1]), (type & SOCK_CLOEXEC) != 0);
}

void on_bind(CallContext& context) {
    TrackedFile* file = socket_of(context, 0);
    const model::SocketAddress* address = address_of(context);
    if (!context.succeeded || file == nullptr || address == nullptr) return;
    context.run.connections.set_local(*file, *address, *context.thread.process, context.time_ns());
    match_addresses(context.run, *file);
}

void on_listen(CallContext& context) {
    TrackedFile* file = socket_of(context, 0);
    if (!context.succeeded || file == nullptr) return;
    file->connection->state = ConnectionState::listening;
    start_listening(context.run, *file);
}

void on_accept(CallContext& context) {
    // Without a descriptor nobody could close it.
    if (!context.succeeded || static_cast<int>(context.call.result()) < 0) return;
    TrackedFile* listener = socket_of(context, 0);
    const model::SocketAddress* address = address_of(context);
    int flags = context.row.call == Call::accept4 ? context.number(3) : 0;
    FilePointer file = new_socket(context, address == nullptr ? AF_UNSPEC : address->family(), SOCK_STREAM | flags, 0);
    Connection& connection = *file->connection;
    connection.accepted = true;
    connection.state = ConnectionState::connected;
    connection.connected_ns = context.time_ns();
    if (listener != nullptr) {
        connection.transport = listener->connection->transport;
        connection.local = listener->connection->local;
        match_server(context.run, *listener, *file);
    }
    connection.peer.transport = connection.transport;
    if (address != nullptr)
        context.run.connections.set_peer(*file, *address, *context.thread.process, context.time_ns());
    file->socket->fixed = true;
    // Whoever it is, somebody connected.
    context.run.connections.announce(*file, context.time_ns());
    match_addresses(context.run, *file);
    context.bind_result(static_cast<int>(context.call.result()), std::move(file), (flags & SOCK_CLOEXEC) != 0);
}

// A datagram socket's connect only fixes the peer (connect(2)); AF_UNSPEC dissolves that.
void connect_datagrams(CallContext& context, TrackedFile& file, const model::SocketAddress* address) {
    if (!context.succeeded) return;
    bool dissolved = address != nullptr && address->family() == AF_UNSPEC;
    file.connection->state = dissolved ? ConnectionState::fresh : ConnectionState::connected;
    file.socket->fixed = !dissolved;
    if (!dissolved) file.connection->connected_ns = context.time_ns();
}

void on_connect(CallContext& context) {
    TrackedFile* file = socket_of(context, 0);
    if (file == nullptr) return;
    const model::SocketAddress* address = address_of(context);
    Transport transport = file->connection->transport;
    bool attempt = file->socket->stream || transport == Transport::unix_socket;
    bool named = address != nullptr && (attempt ? !file->socket->fixed : context.succeeded);
    if (named && !file->socket->attempt)
        context.run.connections.set_peer(*file, *address, *context.thread.process, context.call.entry_ns());
    if (!attempt) return connect_datagrams(context, *file, address);
    if (address != nullptr && address->family() == AF_UNSPEC) return;
    context.run.connections.use_lookup(*file, context.call.entry_ns());
    context.run.attempts.connect_ended(*file, context.call, context.error);
    if (context.succeeded) {
        file->socket->fixed = true;
        match_client(context.run, *file);
        match_addresses(context.run, *file);
    }
}

void on_getpeername(CallContext& context) {
    TrackedFile* file = socket_of(context, 0);
    if (!context.succeeded || file == nullptr) return;
    const model::SocketAddress* address = address_of(context);
    if (address != nullptr && file->socket->peer_key.empty())
        context.run.connections.set_peer(*file, *address, *context.thread.process, context.time_ns());
    context.run.attempts.used(*file, 0, context.time_ns());
    match_addresses(context.run, *file);
}

void on_getsockopt(CallContext& context) {
    bool asks_error = context.number(1) == SOL_SOCKET && context.number(2) == SO_ERROR;
    TrackedFile* file = socket_of(context, 0);
    const model::Captured* value = context.captured(3);
    if (!context.succeeded || !asks_error || file == nullptr || value == nullptr) return;
    if (value->value_case() != model::Captured::kNumber) return;
    context.run.attempts.error_read(*file, static_cast<int>(value->number()), context.time_ns());
}

constexpr HandlerRow rows[] = {
    {Call::socket, on_socket},         {Call::socketpair, on_socketpair},   {Call::bind, on_bind},
    {Call::listen, on_listen},         {Call::accept, on_accept},           {Call::accept4, on_accept},
    {Call::connect, on_connect},       {Call::getpeername, on_getpeername}, {Call::getsockname, on_bind},
    {Call::getsockopt, on_getsockopt},
};

}  // namespace

std::span<const HandlerRow> socket_handlers() {
    return rows;
}

}  // namespace slowtrace::resolve
