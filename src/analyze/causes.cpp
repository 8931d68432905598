// From a call to its cause: what it may have waited for, put to the rules in order.
#include "slowtrace/causes.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "analyze/wait_rules.hpp"

namespace slowtrace::analyze {
namespace {

using model::Syscall;
using resolve::ResolvedCall;
using resolve::ResolvedDescriptor;

struct KindText {
    CauseKind kind;
    std::string_view name;
    std::string_view phrase;
};

constexpr std::array texts{
    KindText{CauseKind::computing, "computing", "computing"},
    KindText{CauseKind::dns, "dns", "asking DNS for"},
    KindText{CauseKind::connect, "connect", "connecting to"},
    KindText{CauseKind::tls, "tls", "negotiating TLS with"},
    KindText{CauseKind::reply, "reply", "waiting for a reply from"},
    KindText{CauseKind::receive, "receive", "receiving from"},
    KindText{CauseKind::send, "send", "sending to"},
    KindText{CauseKind::accept, "accept", "waiting for a client at"},
    KindText{CauseKind::child, "child", "waiting for child process"},
    KindText{CauseKind::pipe, "pipe", "waiting on"},
    KindText{CauseKind::local_socket, "local socket", "waiting on local socket"},
    KindText{CauseKind::lock, "lock", "waiting for lock"},
    KindText{CauseKind::file_read, "file read", "reading"},
    KindText{CauseKind::file_write, "file write", "writing"},
    KindText{CauseKind::file_sync, "file sync", "flushing to disk"},
    KindText{CauseKind::file_metadata, "file metadata", "opening or examining"},
    KindText{CauseKind::file_lock, "file lock", "waiting for a lock on file"},
    KindText{CauseKind::sleep, "sleep", "sleeping"},
    KindText{CauseKind::timer, "timer", "waiting for a timer"},
    KindText{CauseKind::terminal, "terminal", "waiting for the terminal"},
    KindText{CauseKind::signal, "signal", "waiting for a signal"},
    KindText{CauseKind::stopped, "stopped", "stopped by job control"},
    KindText{CauseKind::io_uring, "io_uring", "waiting for io_uring"},
    KindText{CauseKind::tracing, "tracing", "tracing itself"},
    KindText{CauseKind::idle, "idle", "idle, until something wakes it"},
    KindText{CauseKind::unexplained, "unexplained", "unexplained"},
};

constexpr bool texts_in_order() {
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (static_cast<std::size_t>(texts[i].kind) != i) return false;
    return texts.size() == static_cast<std::size_t>(CauseKind::unexplained) + 1;
}
static_assert(texts_in_order());

const KindText& text(CauseKind kind) {
    const auto i = static_cast<std::size_t>(kind);
    return i < texts.size() ? texts[i] : texts.back();
}

bool gave_up(const ResolvedCall& resolved, Activity activity) {
    const Syscall& call = resolved.call;
    if (call.ending() != Syscall::RETURNED) return false;
    if (call.result() == 0) return activity == Activity::multiplex;
    if (call.result() == -ETIMEDOUT) return true;
    const auto* subject = resolved.subject();
    const bool blocking = !subject || !subject->file || !subject->file->nonblocking;
    switch (activity) {  // SO_RCVTIMEO and SO_SNDTIMEO, socket(7); sigtimedwait(2)
        case Activity::receive:
        case Activity::send:
        case Activity::accept:
        case Activity::signal:
            return blocking && call.result() == -EAGAIN;
        case Activity::connect:
            return blocking && call.result() == -EINPROGRESS;
        default:
            return false;
    }
}

// poll(2): POLLERR and POLLHUP are reported unasked; they end whatever was asked for.
Activity direction(std::uint32_t bits) {
    constexpr std::uint32_t in = POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND | 0x2000 /* POLLRDHUP */;
    constexpr std::uint32_t out = POLLOUT | POLLWRNORM | POLLWRBAND;
    if ((bits & in) == 0 && (bits & out) != 0) return Activity::send;
    return Activity::receive;
}

Activity direction(const ResolvedDescriptor& member) {
    constexpr std::uint32_t both = POLLIN | POLLPRI | POLLOUT;
    return direction((member.ready & both) != 0 ? member.ready : member.wanted);
}

// A poll that was told not to wait has waited for no one, however long it took.
bool polls_only(const ResolvedCall& call) {
    for (int i = 0; i < 6 && i < call.call.arguments_size(); ++i)
        if (call.row.arguments[i].shape == model::Shape::timeout_ms)
            return static_cast<std::int32_t>(call.call.arguments(i)) == 0;
    for (const model::Captured& captured : call.call.captured())
        if (captured.value_case() == model::Captured::kDurationNs) return captured.duration_ns() == 0;
    return false;
}

std::vector<Wait> multiplexed_waits(const ResolvedCall& call) {
    if (polls_only(call)) return {Wait{call, Activity::kernel_work}};
    const bool timed_out = gave_up(call, Activity::multiplex);
    // An epoll set that is ready inside another does not say which of its members made it so.
    const bool any_ready = std::any_of(call.watched.begin(), call.watched.end(), [](const auto& w) {
        return w.ready && !(w.file && w.file->kind == resolve::FileKind::epoll);
    });
    std::vector<Wait> waits;
    for (const ResolvedDescriptor& member : call.watched)
        if (!any_ready || member.ready) waits.push_back({call, direction(member), &member, true, timed_out});
    if (waits.empty()) {
        const bool something = call.call.ending() == Syscall::RETURNED && call.call.result() > 0;
        waits.push_back({call, something ? Activity::unknown : Activity::sleep, nullptr, true, timed_out});
    }
    return waits;
}

}  // namespace

std::vector<Wait> waits_of(const ResolvedCall& call) {
    const Activity activity = activity_of(call.row);
    if (activity == Activity::multiplex) return multiplexed_waits(call);
    return {Wait{call, activity, call.subject(), false, gave_up(call, activity)}};
}

Cause cause_of(const ResolvedCall& call) {
    const std::vector<Wait> waits = waits_of(call);
    for (const WaitRule& rule : wait_rules())
        for (const Wait& wait : waits)
            if (std::optional<Cause> cause = rule.apply(wait)) {
                cause->timed_out = wait.timed_out;
                return *std::move(cause);
            }
    return {};
}

std::string_view phrase(CauseKind kind) {
    return text(kind).phrase;
}

std::string_view name(CauseKind kind) {
    return text(kind).name;
}

std::string describe(CauseKind kind, std::string_view subject) {
    std::string words(phrase(kind));
    if (subject.empty()) return words;
    const bool aside = kind == CauseKind::computing || kind == CauseKind::tracing || kind == CauseKind::unexplained;
    return words.append(aside ? " (" : " ").append(subject).append(aside ? ")" : "");
}

std::int64_t time_in_call(const Syscall& call) {
    // Subtracted as unsigned: the stamps of a hostile trace may be anything.
    const auto length = [](std::int64_t from, std::int64_t to) -> std::int64_t {
        if (to <= from) return 0;
        const std::uint64_t difference = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
        return static_cast<std::int64_t>(std::min<std::uint64_t>(difference, INT64_MAX));
    };
    if (call.pieces().empty()) return length(call.entry_ns(), call.exit_ns());
    std::int64_t total = 0;
    for (const Syscall::Piece& piece : call.pieces()) {
        const std::int64_t one = length(piece.from_ns(), piece.to_ns());
        total = one > INT64_MAX - total ? INT64_MAX : total + one;
    }
    return total;
}

}  // namespace slowtrace::analyze
