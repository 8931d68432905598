// Calls that open, duplicate, pass or close descriptors, and those that make connections.
#include "record/descriptor_effects.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sys/socket.h>

#include <array>

namespace slowtrace::record {

namespace {

using model::Call;
using Effect = void (*)(Tracee&, const model::Syscall&);

void on_dup(Tracee& tracee, const model::Syscall& call) {
    if (call.result() >= 0)
        tracee.descriptors->duplicated(static_cast<int>(call.arguments(0)), static_cast<int>(call.result()));
}
void on_fcntl(Tracee& tracee, const model::Syscall& call) {
    const auto command = call.arguments(1);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) on_dup(tracee, call);
}
void on_socket(Tracee& tracee, const model::Syscall& call) {
    if (call.result() >= 0)
        tracee.descriptors->opened(static_cast<int>(call.result()),
                                   socket_kind(static_cast<int>(call.arguments(0)), static_cast<int>(call.arguments(1)),
                                               static_cast<int>(call.arguments(2))));
}
void on_connect(Tracee& tracee, const model::Syscall& call) {
    const int fd = static_cast<int>(call.arguments(0));
    DescriptorWatch& watch = *tracee.descriptors;
    for (const model::Captured& captured : call.captured()) {
        if (!captured.has_address()) continue;
        if (captured.address().family() == AF_UNSPEC && call.result() == 0)
            watch.opened(fd, watch.kind(fd));  // as new (connect(2))
        else if (watch.kind(fd) == SocketKind::stream && connect_goes_on(call.result()))
            watch.marked_connection(fd);
    }
}
// What is accepted is of its listener's kind. Its traffic says nothing about who is at the other end.
void on_accept(Tracee& tracee, const model::Syscall& call) {
    if (call.result() < 0) return;
    DescriptorWatch& watch = *tracee.descriptors;
    const int fd = static_cast<int>(call.result());
    const SocketKind kind = watch.kind(static_cast<int>(call.arguments(0)));
    watch.opened(fd, kind);
    watch.never_tap(fd);
    if (kind == SocketKind::stream) watch.marked_connection(fd);
}
// The descriptor is gone whatever close(2) returns.
void on_close(Tracee& tracee, const model::Syscall& call) {
    tracee.descriptors->closed(static_cast<int>(call.arguments(0)));
}
void on_close_range(Tracee& tracee, const model::Syscall& call) {
    if (call.result() != 0) return;
    const auto flags = call.arguments(2);
    if (flags & CLOSE_RANGE_UNSHARE) tracee.descriptors = std::make_shared<DescriptorWatch>(*tracee.descriptors);
    if (!(flags & CLOSE_RANGE_CLOEXEC))
        tracee.descriptors->closed_range(static_cast<unsigned>(call.arguments(0)),
                                         static_cast<unsigned>(call.arguments(1)));
}
void on_unshare(Tracee& tracee, const model::Syscall& call) {
    if (call.result() == 0 && (call.arguments(0) & CLONE_FILES))
        tracee.descriptors = std::make_shared<DescriptorWatch>(*tracee.descriptors);
}
// A number passed in from elsewhere may reuse one this table still believes in: look it up when it is used.
void on_received_rights(Tracee& tracee, const model::Syscall& call) {
    if (call.result() < 0) return;
    for (const model::Captured& captured : call.captured())
        for (const auto& message : captured.messages().messages())
            for (const int fd : message.passed_descriptors()) tracee.descriptors->closed(fd);
}

struct CallEffect {
    Call call;
    Effect effect;
};
constexpr CallEffect call_effects[] = {
    {Call::dup, on_dup},
    {Call::dup2, on_dup},
    {Call::dup3, on_dup},
    {Call::fcntl, on_fcntl},
    {Call::fcntl64, on_fcntl},
    {Call::socket, on_socket},
    {Call::connect, on_connect},
    {Call::accept, on_accept},
    {Call::accept4, on_accept},
    {Call::close, on_close},
    {Call::close_range, on_close_range},
    {Call::unshare, on_unshare},
    {Call::recvmsg, on_received_rights},
    {Call::recvmmsg, on_received_rights},
    {Call::recvmmsg_time64, on_received_rights},
};

using EffectTable = std::array<Effect, static_cast<std::size_t>(Call::count)>;
constexpr EffectTable make_effect_table() {
    EffectTable table{};
    for (const CallEffect& entry : call_effects) table[static_cast<std::size_t>(entry.call)] = entry.effect;
    return table;
}
constexpr EffectTable effect_table = make_effect_table();

}  // namespace

void apply_descriptor_effects(Tracee& tracee, const OpenCall& open) {
    if (const Effect effect = effect_table[static_cast<std::size_t>(open.row->call)]) {
        effect(tracee, open.call);
        return;
    }
    if (open.row->returns == model::Returns::descriptor && open.call.result() >= 0)
        tracee.descriptors->opened(static_cast<int>(open.call.result()));
    for (const model::Captured& captured : open.call.captured()) {
        if (captured.has_pair()) {
            tracee.descriptors->opened(captured.pair().first());
            tracee.descriptors->opened(captured.pair().second());
        } else if (captured.has_clone() && captured.clone().has_pidfd()) {
            tracee.descriptors->opened(captured.clone().pidfd());
        }
    }
}

}  // namespace slowtrace::record
