// Which sockets are read, and the way from a finished call to its facts.
#include "record/payload_tap.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "record/connection_origin.hpp"

namespace slowtrace::record {

namespace {

using model::Call;

std::uint64_t flags_of(const PayloadCall& how, const OpenCall& open) {
    return how.flags_argument < 0 ? 0 : open.call.arguments(how.flags_argument);
}

// Not the stream itself: octets that will arrive again, urgent ones, and what the error queue holds.
bool beside_the_stream(std::uint64_t flags) {
    return flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE);
}

const model::SocketAddress* captured_address(const model::Syscall& call) {
    for (const model::Captured& captured : call.captured())
        if (captured.has_address()) return &captured.address();
    return nullptr;
}

}  // namespace

void PayloadTap::after(Tracee& tracee, RemoteMemory& memory, const OpenCall& open) {
    if (!factory_) return;
    if (open.row->call == Call::connect) return on_connect(tracee, open);
    for (const PayloadCall& how : payload_calls(open.row->call)) carry(tracee, memory, open, how);
}

void PayloadTap::on_connect(Tracee& tracee, const OpenCall& open) {
    DescriptorWatch& watch = *tracee.descriptors;
    const int fd = static_cast<int>(open.call.arguments(0));
    const model::SocketAddress* peer = captured_address(open.call);
    const std::int64_t result = open.call.result();
    // Asked again while under way or done: the answer changes nothing.
    if (result == -EALREADY || result == -EISCONN || !peer) return;
    if (result == 0 && watch.tapped(fd) && watch.kind(fd) == SocketKind::stream && peer->family() != AF_UNSPEC) return;
    watch.drop_tap(fd);
    if (connect_goes_on(result) && peer->family() != AF_UNSPEC) attach(watch, fd, *peer);
}

void PayloadTap::looked_up(DescriptorWatch& watch, const model::DescriptorBinding& binding) {
    const model::Socket& socket = binding.socket();
    if (!factory_ || !socket.connected() || socket.listening()) return;
    const bool accepted = watch.kind(binding.fd()) == SocketKind::stream && seems_accepted(socket);
    if (!accepted) attach(watch, binding.fd(), socket.peer());
}

void PayloadTap::attach(DescriptorWatch& watch, int fd, const model::SocketAddress& peer) {
    if (auto interpreter = factory_(watch.kind(fd), peer))
        watch.set_tap(fd, std::make_shared<SocketTap>(std::move(interpreter)));
}

// Sends that name the peer themselves: TCP Fast Open (tcp(7)) and datagrams without a connection. A datagram socket
// that receives first is a server's.
bool PayloadTap::begins_here(DescriptorWatch& watch, int fd, const OpenCall& open, const PayloadCall& how,
                             const Payload& payload) {
    const SocketKind kind = watch.kind(fd);
    const std::int64_t result = open.call.result();
    if (kind == SocketKind::datagram && result > 0) {
        if (how.flow == wire::Flow::received)
            watch.never_tap(fd);
        else if (payload.peer(0))
            watch.set_tap(fd, std::make_shared<SocketTap>(factory_));
    } else if (kind == SocketKind::stream && (flags_of(how, open) & MSG_FASTOPEN) && payload.peer(0) &&
               (result > 0 || result == -EINPROGRESS)) {
        attach(watch, fd, *payload.peer(0));
    }
    return watch.tapped(fd);
}

void PayloadTap::carry(Tracee& tracee, RemoteMemory& memory, const OpenCall& open, const PayloadCall& how) {
    const int fd = static_cast<int>(open.call.arguments(how.descriptor_argument));
    DescriptorWatch& watch = *tracee.descriptors;
    if (!watch.may_tap(fd)) return;
    const std::uint64_t flags = flags_of(how, open);
    if (beside_the_stream(flags)) return;
    // MSG_TRUNC throws a stream's octets away unseen (tcp(7)).
    const bool discarded =
        how.flow == wire::Flow::received && (flags & MSG_TRUNC) && watch.kind(fd) == SocketKind::stream;
    Payload payload(how, memory, open, scratch_);
    if (!watch.tapped(fd) && !begins_here(watch, fd, open, how, payload)) return;
    if (open.call.result() <= 0) return;
    const std::shared_ptr<SocketTap> tap = watch.tap(fd);
    for (std::size_t transfer = 0; transfer < payload.transfers(); ++transfer) {
        const model::SocketAddress* peer = payload.peer(transfer);
        wire::Interpreter* interpreter = tap->towards(peer, how.flow);
        if (!interpreter) continue;
        const std::size_t wanted = discarded ? 0 : interpreter->wanted(how.flow);
        const auto octets = wanted > 0 ? payload.read(transfer, wanted) : std::span<const std::uint8_t>{};
        interpreter->feed(how.flow, octets, payload.size(transfer), facts_);
        if (!facts_.empty()) deliver(tracee, open, fd, peer);
    }
    if (tap->settled()) watch.drop_tap(fd);
}

void PayloadTap::deliver(const Tracee& tracee, const OpenCall& open, int fd, const model::SocketAddress* peer) {
    const auto complete = [&](auto& fact) {
        fact.set_thread(index(tracee.thread));
        fact.set_time_ns(open.call.exit_ns());
        fact.set_fd(fd);
    };
    for (model::Event& event : facts_) {
        if (event.has_dns()) {
            complete(*event.mutable_dns());
            if (peer) *event.mutable_dns()->mutable_server() = *peer;
        } else if (event.has_stream()) {
            complete(*event.mutable_stream());
            if (peer) *event.mutable_stream()->mutable_peer() = *peer;
        }
        sink_.event(event);
    }
    facts_.clear();
}

}  // namespace slowtrace::record
