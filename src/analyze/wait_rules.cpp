// The table of rules and the rules themselves. A new cause is a function and a row.
#include "analyze/wait_rules.hpp"

#include <fcntl.h>
#include <linux/futex.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "analyze/peers.hpp"

namespace slowtrace::analyze {
namespace {

using model::Syscall;
using resolve::Connection;
using resolve::ConnectionState;
using resolve::Direction;
using resolve::FileKind;
using resolve::OpenFile;
using resolve::ResolvedDescriptor;
using resolve::Transport;
using Result = std::optional<Cause>;

// --- what a rule may ask

const OpenFile* file_of(const Wait& wait) {
    return wait.descriptor ? wait.descriptor->file.get() : nullptr;
}

bool is(const Wait& wait, FileKind kind) {
    const OpenFile* file = file_of(wait);
    return file && file->kind == kind;
}

// A connection to somewhere else: not a UNIX socket, not the kernel.
const Connection* remote(const Wait& wait) {
    const OpenFile* file = file_of(wait);
    if (!file || !file->connection) return nullptr;
    const Connection* connection = file->connection.get();
    const bool local = connection->transport == Transport::unix_socket || connection->transport == Transport::netlink;
    return local ? nullptr : connection;
}

// DNS servers have no other business with us; everyone else's rules leave them alone.
const Connection* host(const Wait& wait) {
    const Connection* connection = remote(wait);
    return connection && !connection->is_dns() ? connection : nullptr;
}

std::uint64_t argument(const Wait& wait, int i) {
    return i < wait.call.call.arguments_size() ? wait.call.call.arguments(i) : 0;
}

Cause about(CauseKind kind, const Connection& connection) {
    return {kind, with_local_peer(peer_name(connection), connection.local_peer), connection.id + 1, {}, false};
}

Cause about(CauseKind kind, std::string subject = {}) {
    return {kind, std::move(subject), 0, {}, false};
}

// The path given, below the directory it was given with, else the path of the descriptor given.
std::string path_of(const Wait& wait) {
    const OpenFile* file = file_of(wait);
    for (const model::Captured& captured : wait.call.call.captured())
        if (captured.value_case() == model::Captured::kPath && !captured.path().empty())
            return file ? resolve::path_below(file->path, captured.path()) : captured.path();
    return file ? file->path : std::string();
}

bool moves_data(const Wait& wait) {
    return wait.activity == Activity::receive || wait.activity == Activity::send;
}

bool listening(const ResolvedDescriptor& descriptor) {
    return descriptor.file && descriptor.file->connection && descriptor.state == ConnectionState::listening;
}

// Nobody in particular can make these ready.
bool wakes_only(const ResolvedDescriptor& descriptor) {
    if (!descriptor.file) return false;
    const FileKind kind = descriptor.file->kind;
    return listening(descriptor) || kind == FileKind::timerfd || kind == FileKind::eventfd || kind == FileKind::inotify;
}

}  // namespace

bool is_standing(const resolve::ResolvedCall& call) {
    return call.row.name.starts_with("epoll_");
}

bool ran_out_in_silence(const Wait& wait) {
    const Connection* connection = host(wait);
    if (!connection || !wait.multiplexed || !wait.timed_out || wait.activity != Activity::receive) return false;
    if (!is_standing(wait.call) && wait.call.watched.size() < 2) return false;
    const bool connected = wait.descriptor->state == ConnectionState::connected;
    return connected && !connection->accepted && wait.descriptor->last_direction == Direction::received;
}

namespace {

// --- the rules

// Until a proxy has answered there is no connection to its target. As with a handshake, the call that brought the
// answer waited for it; one that was not understood ends with the first request.
bool awaits_tunnel(const Wait& wait, const Connection& connection) {
    if (!connection.tunnel_from_ns || connection.requests != 0 || !moves_data(wait)) return false;
    const Syscall& call = wait.call.call;
    const bool asked = call.exit_ns() >= *connection.tunnel_from_ns;
    const bool ended = (connection.tunnel_to_ns && call.entry_ns() >= *connection.tunnel_to_ns) ||
                       (connection.tls_from_ns && call.entry_ns() >= *connection.tls_from_ns);
    return asked && !ended;
}

Result connecting(const Wait& wait) {
    const Connection* connection = host(wait);
    if (!connection) return {};
    const bool pending = wait.descriptor->state == ConnectionState::connecting || awaits_tunnel(wait, *connection);
    if (wait.activity != Activity::connect && !pending) return {};
    return about(CauseKind::connect, *connection);
}

// A name service that is not there was asked for nothing: glibc looks for nscd before anything else.
bool found_no_service(const Wait& wait, const Connection& connection) {
    const Syscall& call = wait.call.call;
    const bool failed = call.ending() == Syscall::RETURNED && call.result() < 0 && call.result() != -EINPROGRESS;
    return !connection.name_service.empty() && wait.activity == Activity::connect && failed;
}

// A name service behind a UNIX socket answers for DNS just as a server does.
Result asking_dns(const Wait& wait) {
    const OpenFile* file = file_of(wait);
    const Connection* connection = file ? file->connection.get() : nullptr;
    if (!connection || !connection->is_dns() || found_no_service(wait, *connection)) return {};
    Cause cause = about(CauseKind::dns, *connection);
    const std::string& server = connection->peer.address;
    cause.subject = connection->question.empty() ? "an unknown name" : connection->question;
    cause.subject += connection->name_service.empty() ? " (server " + (server.empty() ? "unknown" : server) + ")"
                                                      : " (via " + connection->name_service + ")";
    return cause;
}

// The end of a handshake is told by the call that moved its last octets: what that call waited for came before.
Result negotiating_tls(const Wait& wait) {
    const Connection* connection = host(wait);
    if (!connection || !connection->tls_from_ns || !moves_data(wait) || listening(*wait.descriptor)) return {};
    const Syscall& call = wait.call.call;
    const bool begun = call.exit_ns() >= *connection->tls_from_ns;
    const bool ended = connection->tls_to_ns && call.entry_ns() >= *connection->tls_to_ns;
    return begun && !ended ? Result(about(CauseKind::tls, *connection)) : Result();
}

Result awaiting_reply(const Wait& wait) {
    const Connection* connection = host(wait);
    if (!connection || wait.activity != Activity::receive || connection->accepted) return {};
    if (wait.descriptor->last_direction != Direction::sent || listening(*wait.descriptor)) return {};
    return about(CauseKind::reply, *connection);
}

// Of an epoll set, what the time ran out on was idle: what comes next may tell better (SilentWaits).
Result receiving(const Wait& wait) {
    const Connection* connection = host(wait);
    if (!connection || wait.activity != Activity::receive || listening(*wait.descriptor)) return {};
    if (ran_out_in_silence(wait) && is_standing(wait.call)) return {};
    return about(CauseKind::receive, *connection);
}

Result sending(const Wait& wait) {
    const Connection* connection = host(wait);
    if (!connection || wait.activity != Activity::send) return {};
    return about(CauseKind::send, *connection);
}

Result awaiting_child(const Wait& wait) {
    const bool watched = is(wait, FileKind::pidfd);
    if (wait.activity != Activity::child && !wait.call.child && !watched) return {};
    Cause cause = about(CauseKind::child);
    cause.process = wait.call.child;
    if (watched && !cause.process) cause.subject = "pid " + std::to_string(file_of(wait)->subject_pid);
    return cause;
}

// fifo(7): opening one blocks until the other end is opened as well.
const OpenFile* opened_fifo(const Wait& wait) {
    if (wait.activity != Activity::metadata || wait.call.descriptors.empty()) return nullptr;
    const ResolvedDescriptor& result = wait.call.descriptors.back();
    return result.argument < 0 && result.file && result.file->kind == FileKind::pipe ? result.file.get() : nullptr;
}

// Two ends of one socket made by one call; a UNIX socket that was connected by name has an address to tell.
bool is_socketpair(const OpenFile& file) {
    const bool named =
        file.connection && !(file.connection->peer.address.empty() && file.connection->local.address.empty());
    return file.kind == FileKind::socket && file.pair && !named;
}

Result on_pipe(const Wait& wait) {
    if (const OpenFile* fifo = opened_fifo(wait)) return about(CauseKind::pipe, fifo->path);
    const OpenFile* file = file_of(wait);
    if (!file || !moves_data(wait)) return {};
    if (file->kind != FileKind::pipe && !is_socketpair(*file)) return {};
    return about(CauseKind::pipe, file->path);
}

Result on_local_socket(const Wait& wait) {
    const OpenFile* file = file_of(wait);
    if (!file || !file->connection || remote(wait) || listening(*wait.descriptor)) return {};
    if (!moves_data(wait) && wait.activity != Activity::connect) return {};
    return about(CauseKind::local_socket, *file->connection);
}

Result on_terminal(const Wait& wait) {
    if (!is(wait, FileKind::terminal) || wait.activity == Activity::metadata) return {};
    return about(CauseKind::terminal);
}

// One of several things, none of them anybody, or connections that owe nothing: an event loop with nothing to do.
Result idle_loop(const Wait& wait) {
    const auto& watched = wait.call.watched;
    if (!wait.multiplexed) return {};
    const bool silent = ran_out_in_silence(wait);
    if (watched.size() < 2 && !silent) return {};
    const bool none_ready = std::none_of(watched.begin(), watched.end(), [](const auto& w) { return w.ready != 0; });
    const bool nobody = silent || std::all_of(watched.begin(), watched.end(), wakes_only);
    return none_ready && nobody ? Result(about(CauseKind::idle)) : Result();
}

Result accepting(const Wait& wait) {
    if (!wait.descriptor || !file_of(wait) || !file_of(wait)->connection) return {};
    if (wait.activity != Activity::accept && !(moves_data(wait) && listening(*wait.descriptor))) return {};
    return about(CauseKind::accept, file_of(wait)->connection->local.display());
}

Result on_timer(const Wait& wait) {
    return is(wait, FileKind::timerfd) && moves_data(wait) ? Result(about(CauseKind::timer)) : Result();
}

Result awaiting_signal(const Wait& wait) {
    if (wait.activity == Activity::signal || (is(wait, FileKind::signalfd) && moves_data(wait)))
        return about(CauseKind::signal);
    return {};
}

Result awaiting_wake_up(const Wait& wait) {
    return wait.descriptor && wakes_only(*wait.descriptor) && moves_data(wait) ? Result(about(CauseKind::idle))
                                                                               : Result();
}

// fcntl(2): the commands that wait; F_SETLKW64 is 32-bit ABIs' own (asm-generic/fcntl.h).
Result on_file_lock(const Wait& wait) {
    constexpr std::uint64_t setlkw = 7, setlkw64 = 14, ofd_setlkw = 38;
    const std::string_view name = wait.call.row.name;
    const std::uint64_t command = argument(wait, 1) & 0xffffffff;
    const bool locks =
        (name == "fcntl" || name == "fcntl64") && (command == setlkw || command == setlkw64 || command == ofd_setlkw);
    if (wait.activity != Activity::file_lock && !locks) return {};
    return about(CauseKind::file_lock, path_of(wait));
}

// futex(2): of one call's many operations, those that wait. The lock is told by its address.
Result on_lock(const Wait& wait) {
    if (wait.activity != Activity::lock) return {};
    constexpr std::uint64_t lock_pi2 = 13;
    const std::uint64_t operation = argument(wait, 1) & 0x7f;
    const bool any_operation = !wait.call.row.name.starts_with("futex_") || wait.call.row.name == "futex_time64";
    const bool waits = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET || operation == FUTEX_LOCK_PI ||
                       operation == FUTEX_WAIT_REQUEUE_PI || operation == lock_pi2;
    if (any_operation && !waits) return about(CauseKind::computing);
    char address[32];
    std::snprintf(address, sizeof address, "0x%llx", static_cast<unsigned long long>(argument(wait, 0)));
    return about(CauseKind::lock, address);
}

Result sleeping(const Wait& wait) {
    return wait.activity == Activity::sleep ? Result(about(CauseKind::sleep)) : Result();
}

Result on_io_uring(const Wait& wait) {
    const bool ring = wait.activity == Activity::io_uring || (is(wait, FileKind::io_uring) && moves_data(wait));
    return ring ? Result(about(CauseKind::io_uring)) : Result();
}

Result kernel_work(const Wait& wait) {
    const OpenFile* file = file_of(wait);
    const bool closes = wait.call.row.name == "close";
    const bool stored = file && (file->kind == FileKind::regular || file->kind == FileKind::directory);
    if (wait.activity == Activity::kernel_work || wait.activity == Activity::control || (closes && !stored))
        return about(CauseKind::computing);
    return {};
}

Result file_sync(const Wait& wait) {
    return wait.activity == Activity::sync ? Result(about(CauseKind::file_sync, path_of(wait))) : Result();
}

bool stores(FileKind kind) {
    return kind == FileKind::unknown || kind == FileKind::regular || kind == FileKind::directory ||
           kind == FileKind::device || kind == FileKind::memfd;
}

Result file_read(const Wait& wait) {
    const OpenFile* file = file_of(wait);
    if (!file || !stores(file->kind) || wait.activity != Activity::receive) return {};
    return about(CauseKind::file_read, file->path);
}

Result file_write(const Wait& wait) {
    const OpenFile* file = file_of(wait);
    if (!file || !stores(file->kind) || wait.activity != Activity::send) return {};
    return about(CauseKind::file_write, file->path);
}

Result file_metadata(const Wait& wait) {
    if (wait.activity != Activity::metadata) return {};
    return about(CauseKind::file_metadata, path_of(wait));
}

Result unexplained(const Wait& wait) {
    const Syscall& call = wait.call.call;
    const bool known = wait.call.row.call != model::Call::unknown;
    return about(CauseKind::unexplained,
                 known ? std::string(wait.call.row.name) : model::syscall_name(call.abi(), call.number()));
}

constexpr std::array rules{
    WaitRule{"connect", connecting},
    WaitRule{"dns", asking_dns},
    WaitRule{"tls", negotiating_tls},
    WaitRule{"reply", awaiting_reply},
    WaitRule{"receive", receiving},
    WaitRule{"send", sending},
    WaitRule{"child", awaiting_child},
    WaitRule{"pipe", on_pipe},
    WaitRule{"local socket", on_local_socket},
    WaitRule{"terminal", on_terminal},
    WaitRule{"idle loop", idle_loop},
    WaitRule{"accept", accepting},
    WaitRule{"timer", on_timer},
    WaitRule{"signal", awaiting_signal},
    WaitRule{"wake-up", awaiting_wake_up},
    WaitRule{"file lock", on_file_lock},
    WaitRule{"lock", on_lock},
    WaitRule{"sleep", sleeping},
    WaitRule{"io_uring", on_io_uring},
    WaitRule{"kernel work", kernel_work},
    WaitRule{"file sync", file_sync},
    WaitRule{"file read", file_read},
    WaitRule{"file write", file_write},
    WaitRule{"file metadata", file_metadata},
    WaitRule{"unexplained", unexplained},
};

}  // namespace

std::span<const WaitRule> wait_rules() {
    return rules;
}

}  // namespace slowtrace::analyze
