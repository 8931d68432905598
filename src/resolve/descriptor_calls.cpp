// Calls that change what descriptors mean or how they behave: dup, close, fcntl, ioctl.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "resolve/call_context.hpp"

namespace slowtrace::resolve {

namespace {

using model::Call;

void duplicate(CallContext& context, bool close_on_exec) {
    FilePointer file = context.known_file(0).shared_from_this();
    context.bind_result(static_cast<int>(context.call.result()), std::move(file), close_on_exec);
}

void on_dup(CallContext& context) {
    if (context.succeeded) duplicate(context, false);
}

void on_dup2(CallContext& context) {
    // dup2(2): with equal descriptors it does nothing.
    if (!context.succeeded || context.number(0) == context.number(1)) return;
    duplicate(context, context.row.call == Call::dup3 && context.has_flag(2, O_CLOEXEC));
}

void on_close(CallContext& context) {
    // close(2): the descriptor is gone whatever else failed.
    if (context.call.ending() != model::Syscall::RETURNED || context.error == EBADF) return;
    int descriptor = context.number(0);
    Slot* slot = context.table().find(descriptor);
    if (slot == nullptr) return;
    // The number is free long before a lingering close returns: another thread may hold it by now.
    if (slot->since_ns > context.call.entry_ns() && slot->binder != context.thread.thread.id) return;
    context.run.unbind(context.table(), descriptor, Closing::closed, context.time_ns());
}

void on_close_range(CallContext& context) {
    if (!context.succeeded) return;
    if (context.has_flag(2, CLOSE_RANGE_UNSHARE)) context.run.unshare(context.thread);
    auto first = static_cast<std::uint32_t>(context.argument(0));
    auto last = static_cast<std::uint32_t>(context.argument(1));
    for (int descriptor : context.table().numbers(first, last)) {
        if (context.has_flag(2, CLOSE_RANGE_CLOEXEC))
            context.table().find(descriptor)->close_on_exec = true;
        else
            context.run.unbind(context.table(), descriptor, Closing::closed, context.time_ns());
    }
}

void set_close_on_exec(CallContext& context, bool value) {
    if (Slot* slot = context.table().find(context.number(0))) slot->close_on_exec = value;
}

void on_fcntl(CallContext& context) {
    if (!context.succeeded) return;
    switch (context.number(1)) {
        case F_DUPFD:
            return duplicate(context, false);
        case F_DUPFD_CLOEXEC:
            return duplicate(context, true);
        case F_SETFD:
            return set_close_on_exec(context, context.has_flag(2, FD_CLOEXEC));
        case F_SETFL:
            context.known_file(0).nonblocking = context.has_flag(2, O_NONBLOCK);
            return;
        default:
            return;
    }
}

void on_ioctl(CallContext& context) {
    if (!context.succeeded) return;
    switch (static_cast<std::uint32_t>(context.argument(1))) {
        case FIOCLEX:
            return set_close_on_exec(context, true);
        case FIONCLEX:
            return set_close_on_exec(context, false);
        case FIONBIO: {
            const model::Captured* value = context.captured(2);
            bool told = value != nullptr && value->value_case() == model::Captured::kNumber;
            // Programs use it to become non-blocking.
            context.known_file(0).nonblocking = !told || value->number() != 0;
            return;
        }
        default:
            return;
    }
}

constexpr HandlerRow rows[] = {
    {Call::dup, on_dup},     {Call::dup2, on_dup2},     {Call::dup3, on_dup2},   {Call::close, on_close},
    {Call::fcntl, on_fcntl}, {Call::fcntl64, on_fcntl}, {Call::ioctl, on_ioctl}, {Call::close_range, on_close_range},
};

}  // namespace

std::span<const HandlerRow> descriptor_handlers() {
    return rows;
}

}  // namespace slowtrace::resolve
