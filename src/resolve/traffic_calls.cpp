// Calls that move bytes through sockets: who was talked to, which way, how much.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "resolve/call_context.hpp"
#include "resolve/connection_life.hpp"
#include "resolve/passed_files.hpp"

namespace slowtrace::resolve {

namespace {

using model::Call;
using model::Shape;

std::uint64_t message_flags(const CallContext& context) {
    for (int position = 0; position < 6; ++position)
        if (context.row.arguments[static_cast<std::size_t>(position)].shape == Shape::message_flags)
            return context.argument(position);
    return 0;
}

bool counts_messages(Call call) {
    return call == Call::sendmmsg || call == Call::recvmmsg || call == Call::recvmmsg_time64;
}

// How many of the captured messages went through.
int messages_moved(const CallContext& context, const model::SocketMessages& messages) {
    if (!context.succeeded) return 0;
    if (!counts_messages(context.row.call)) return messages.messages_size() > 0 ? 1 : 0;
    return static_cast<int>(
        std::clamp<std::int64_t>(context.call.result(), 0, static_cast<std::int64_t>(messages.messages_size())));
}

std::uint64_t bytes_moved(const CallContext& context, const model::SocketMessages* messages) {
    if (!context.succeeded) return 0;
    if (!counts_messages(context.row.call))
        return static_cast<std::uint64_t>(std::max<std::int64_t>(context.call.result(), 0));
    std::uint64_t bytes = 0;
    for (int i = 0; messages != nullptr && i < messages_moved(context, *messages); ++i)
        bytes += messages->messages(i).bytes();
    return bytes;
}

const model::SocketMessages* messages_of(const CallContext& context) {
    const model::Captured* messages = context.captured(model::Captured::kMessages);
    return messages == nullptr ? nullptr : &messages->messages();
}

Passage passage_of(const CallContext& context, const TrackedFile& file, std::uint64_t bytes) {
    const bool blocked = !file.nonblocking && context.lasted();
    return {context.call.entry_ns(), context.time_ns(), bytes, blocked};
}

void count_sent(CallContext& context, TrackedFile& file, std::uint64_t bytes) {
    file.connection->bytes_sent += bytes;
    file.connection->last_direction = Direction::sent;
    if (!file.socket->stream) context.run.connections.use_lookup(file, context.call.entry_ns());
    if (file.socket->life) file.socket->life->sent(passage_of(context, file, bytes));
}

void count_received(CallContext& context, TrackedFile& file, std::uint64_t bytes) {
    file.connection->bytes_received += bytes;
    file.connection->last_direction = Direction::received;
    if (file.socket->life) file.socket->life->received(passage_of(context, file, bytes));
}

// What a call that moved nothing says about the connection.
void moved_nothing(CallContext& context, TrackedFile& file, bool sending) {
    if (!file.socket->life || !file.socket->stream) return;
    const Passage passage = passage_of(context, file, 0);
    switch (context.error) {
        case EAGAIN:  // SO_RCVTIMEO ran out (socket(7))
            if (!sending && passage.blocked) file.socket->life->waited(passage);
            return;
        case 0:
            if (sending) return;
            [[fallthrough]];
        case ECONNRESET:
        case EPIPE:
        case ETIMEDOUT:
            return file.socket->life->ended(sending, passage);
        default:
            return;
    }
}

// Datagrams carry an address each; a connected socket's peer stays (send(2)).
void talk_to(CallContext& context, TrackedFile& file, const model::SocketAddress& address) {
    if (!file.socket->fixed && !file.socket->stream)
        context.run.connections.set_peer(file, address, *context.thread.process, context.call.entry_ns());
}

void talk_to_all(CallContext& context, TrackedFile& file, const model::SocketMessages* messages) {
    if (const model::Captured* address = context.captured(model::Captured::kAddress))
        talk_to(context, file, address->address());
    for (int i = 0; messages != nullptr && i < messages_moved(context, *messages); ++i)
        if (messages->messages(i).has_address()) talk_to(context, file, messages->messages(i).address());
}

// TCP Fast Open: the first send connects (tcp(7)).
void connect_by_sending(CallContext& context, TrackedFile& file) {
    const model::Captured* address = context.captured(model::Captured::kAddress);
    if (address == nullptr || !file.socket->stream || file.socket->fixed) return;
    context.run.connections.set_peer(file, address->address(), *context.thread.process, context.call.entry_ns());
    context.run.attempts.connect_ended(file, context.call, context.error);
    file.socket->fixed = context.succeeded;
}

void send_through(CallContext& context, TrackedFile& file) {
    if ((message_flags(context) & MSG_FASTOPEN) != 0) connect_by_sending(context, file);
    if (context.call.ending() != model::Syscall::RETURNED) return;
    context.run.attempts.used(file, context.error, context.time_ns());
    if (!context.succeeded) return moved_nothing(context, file, true);
    const model::SocketMessages* messages = messages_of(context);
    talk_to_all(context, file, messages);
    for (int i = 0; messages != nullptr && i < messages_moved(context, *messages); ++i)
        send_files(context, file, messages->messages(i));
    count_sent(context, file, bytes_moved(context, messages));
}

void receive_through(CallContext& context, TrackedFile& file) {
    const std::uint64_t flags = message_flags(context);
    // The error queue holds what the program itself sent, with the error or time stamp of it (recvmsg(2)).
    if (context.call.ending() != model::Syscall::RETURNED || (flags & MSG_ERRQUEUE) != 0) return;
    context.run.attempts.used(file, context.error, context.time_ns());
    if (!context.succeeded) return moved_nothing(context, file, false);
    const model::SocketMessages* messages = messages_of(context);
    talk_to_all(context, file, messages);
    bool peeked = (flags & MSG_PEEK) != 0;
    // 0 from a stream is its end, not an answer.
    if (!peeked && (context.call.result() > 0 || !file.socket->stream))
        count_received(context, file, bytes_moved(context, messages));
    else if (!peeked)
        moved_nothing(context, file, false);
    for (int i = 0; messages != nullptr && i < messages_moved(context, *messages); ++i)
        receive_files(context, file, messages->messages(i), (flags & MSG_CMSG_CLOEXEC) != 0, peeked);
}

using Through = void (*)(CallContext&, TrackedFile&);

void through(CallContext& context, int position, Through move) {
    TrackedFile* file = context.file(position);
    if (file != nullptr && file->socket != nullptr) move(context, *file);
}

void on_send(CallContext& context) {
    through(context, 0, send_through);
}

void on_receive(CallContext& context) {
    through(context, 0, receive_through);
}

void on_sendfile(CallContext& context) {
    through(context, 0, send_through);
    through(context, 1, receive_through);
}

void on_splice(CallContext& context) {
    through(context, 0, receive_through);
    through(context, 2, send_through);
}

constexpr HandlerRow rows[] = {
    {Call::read, on_receive},      {Call::readv, on_receive},
    {Call::preadv2, on_receive},   {Call::recvfrom, on_receive},
    {Call::recvmsg, on_receive},   {Call::recvmmsg, on_receive},
    {Call::write, on_send},        {Call::writev, on_send},
    {Call::pwritev2, on_send},     {Call::sendto, on_send},
    {Call::sendmsg, on_send},      {Call::sendmmsg, on_send},
    {Call::sendfile, on_sendfile}, {Call::sendfile64, on_sendfile},
    {Call::splice, on_splice},     {Call::recvmmsg_time64, on_receive},
};

}  // namespace

std::span<const HandlerRow> traffic_handlers() {
    return rows;
}

}  // namespace slowtrace::resolve
