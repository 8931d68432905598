// Which calls close and make connections, and the questions asked then.
#include "record/socket_witness.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/socket.h>

#include "record/connection_origin.hpp"
#include "record/descriptor_copy.hpp"
#include "record/proc.hpp"
#include "record/ptrace.hpp"
#include "record/tcp_report.hpp"

namespace slowtrace::record {

namespace {

using model::Call;

constexpr std::size_t reports_limit = 64;

// The TCP connections a call is about to close.
std::vector<int> closing(const DescriptorWatch& watch, const model::SyscallRow& row, const model::Syscall& call) {
    const auto number = [&](int argument) { return static_cast<unsigned>(call.arguments(argument)); };
    const auto only = [&](int argument) { return watch.connections(number(argument), number(argument), 1); };
    switch (row.call) {
        case Call::close:
            return only(0);
        case Call::dup2:
        case Call::dup3:
            if (number(0) == number(1) || !watch.known(static_cast<int>(number(0)))) return {};
            return only(1);
        case Call::close_range:
            if (call.arguments(2) & CLOSE_RANGE_CLOEXEC) return {};
            return watch.connections(number(0), number(1), reports_limit);
        default:
            return {};
    }
}

const model::SocketAddress* captured_address(const model::Syscall& call) {
    for (const model::Captured& captured : call.captured())
        if (captured.has_address()) return &captured.address();
    return nullptr;
}

bool has_port(SocketKind kind) {
    return kind == SocketKind::stream || kind == SocketKind::datagram;
}

}  // namespace

bool is_loopback(const std::string& ip) {
    static const std::string loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    static const std::string mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\xff', '\xff', 127};
    return ip.size() == 4 ? ip[0] == 127 : ip == loopback || (ip.size() == 16 && ip.starts_with(mapped));
}

void SocketWitness::before(const Tracee& tracee) {
    for (const int fd : closing(*tracee.descriptors, *tracee.open.row, tracee.open.call))
        report_closing(tracee, fd, now_ns());
}

void SocketWitness::table_ends(const Tracee& tracee, std::int64_t time_ns) {
    for (const int fd : tracee.descriptors->connections(0, INT32_MAX, reports_limit))
        report_closing(tracee, fd, time_ns);
}

void SocketWitness::report_closing(const Tracee& tracee, int fd, std::int64_t time_ns) {
    auto report = ask_tcp(tracee.pid, tracee.tid, fd);
    if (!report) return;
    report->set_thread(index(tracee.thread));
    report->set_time_ns(time_ns);
    report->set_closing(true);
    event_.mutable_tcp()->Swap(&*report);
    sink_.event(event_);
}

void SocketWitness::after(const Tracee& tracee, const OpenCall& open) {
    const model::Syscall& call = open.call;
    const Call kind = open.row->call;
    const DescriptorWatch& watch = *tracee.descriptors;
    if (kind == Call::connect) {
        const int fd = static_cast<int>(call.arguments(0));
        const model::SocketAddress* peer = captured_address(call);
        if (watch.kind(fd) == SocketKind::local && call.result() == 0)
            tell_credentials(tracee, fd, true, call.exit_ns());
        else if (peer && connect_goes_on(call.result()))
            tell_listener(tracee, fd, *peer, call.exit_ns());
    } else if ((kind == Call::accept || kind == Call::accept4) && call.result() >= 0) {
        if (names_) listeners_.holders().note(tracee.pid);
        const int fd = static_cast<int>(call.result());
        if (watch.kind(fd) == SocketKind::local) tell_credentials(tracee, fd, false, call.exit_ns());
    } else if ((kind == Call::listen || kind == Call::bind) && call.result() == 0) {
        note_listener(tracee, static_cast<int>(call.arguments(0)));
    }
}

void SocketWitness::looked_up(const Tracee& tracee, const model::DescriptorBinding& binding, std::int64_t time_ns) {
    const model::Socket& socket = binding.socket();
    const SocketKind kind = tracee.descriptors->kind(binding.fd());
    if (!socket.connected() || socket.listening()) return note_listener(tracee, binding.fd());
    if (kind == SocketKind::local)
        tell_credentials(tracee, binding.fd(), !socket.peer().path().empty(), time_ns);
    else if (!seems_accepted(socket))
        tell_listener(tracee, binding.fd(), socket.peer(), time_ns);
}

// unix(7), SO_PEERCRED: who called connect(2), listen(2) or socketpair(2), which need not be who uses it now.
void SocketWitness::tell_credentials(const Tracee& tracee, int fd, bool listener, std::int64_t time_ns) {
    const UniqueFd copy = copy_descriptor(tracee.pid, tracee.tid, fd);
    ucred peer{};
    socklen_t length = sizeof peer;
    if (!copy || getsockopt(copy.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return;
    if (peer.pid > 0) tell(tracee, fd, {peer.pid, peer.uid, read_comm(peer.pid).value_or("")}, listener, time_ns);
}

void SocketWitness::note_listener(const Tracee& tracee, int fd) {
    if (!names_ || !has_port(tracee.descriptors->kind(fd))) return;
    const auto target = read_link("/proc/" + std::to_string(tracee.tid) + "/fd/" + std::to_string(fd));
    if (target) listeners_.holders().note(tracee.pid, fd, *target);
}

void SocketWitness::tell_listener(const Tracee& tracee, int fd, const model::SocketAddress& to, std::int64_t time_ns) {
    const SocketKind kind = tracee.descriptors->kind(fd);
    if (!names_ || !has_port(kind) || !is_loopback(to.ip())) return;
    listeners_.holders().note(tracee.pid);
    const int type = kind == SocketKind::stream ? SOCK_STREAM : SOCK_DGRAM;
    if (const auto found = listeners_.find(tracee.tid, type, to.ip(), to.port(), time_ns))
        tell(tracee, fd, *found, true, time_ns);
}

void SocketWitness::tell(const Tracee& tracee, int fd, const LocalProcess& process, bool listener,
                         std::int64_t time_ns) {
    auto& peer = *event_.mutable_peer_process();
    peer.Clear();
    peer.set_thread(index(tracee.thread));
    peer.set_time_ns(time_ns);
    peer.set_fd(fd);
    peer.set_pid(process.pid);
    peer.set_uid(process.user);
    peer.set_name(process.name);
    peer.set_listener(listener);
    sink_.event(event_);
}

}  // namespace slowtrace::record
