// Every rule once, and the order among the members of a multiplexed wait.
#include "slowtrace/causes.hpp"

#include <poll.h>

#include <cerrno>

#include "analyze/wait_rules.hpp"
#include "catch.hpp"
#include "resolved_calls.hpp"

using namespace slowtrace;
using namespace slowtrace::test;
using analyze::Cause;
using analyze::cause_of;
using analyze::CauseKind;
using resolve::ConnectionState;
using resolve::Direction;
using resolve::FileKind;

namespace {

CauseKind kind_of(const MadeCall& call) {
    return cause_of(call.resolved()).kind;
}

resolve::ResolvedDescriptor dns_server() {
    return connection(ConnectionState::connected, Direction::sent, [](resolve::Connection& made) {
        made.transport = resolve::Transport::udp;
        made.peer = {resolve::Transport::udp, "", resolve::NameEvidence::none, "", "192.0.2.53", 53};
        made.question = "extra.example.org";
    });
}

resolve::ResolvedDescriptor unix_socket() {
    return connection(ConnectionState::connected, Direction::sent, [](resolve::Connection& made) {
        made.transport = resolve::Transport::unix_socket;
        made.peer = {resolve::Transport::unix_socket, "", resolve::NameEvidence::none, "", "/run/x.sock", 0};
    });
}

const auto connecting = connection(ConnectionState::connecting);
const auto replying = connection(ConnectionState::connected, Direction::sent);
const auto receiving = connection(ConnectionState::connected, Direction::received);
const auto listening = connection(ConnectionState::listening);

}  // namespace

TEST_CASE("a blocking connect is a wait for its peer") {
    const Cause cause = cause_of(MadeCall("connect", 0, 10 * ms, -ECONNREFUSED).about(connecting).resolved());
    CHECK(cause.kind == CauseKind::connect);
    CHECK(cause.subject == "extra.example.org:80");
    CHECK(cause.connection == 8);
    CHECK_FALSE(cause.timed_out);
    CHECK(cause_of(MadeCall("connect", 0, 10 * ms, -ETIMEDOUT).about(connecting).resolved()).timed_out);
}

TEST_CASE("a poll on a connecting socket is connecting, whether it became ready or not") {
    CHECK(kind_of(MadeCall("poll").argument(2, 15000).watching(connecting, POLLOUT, POLLOUT)) == CauseKind::connect);
    const Cause gave_up = cause_of(MadeCall("poll").argument(2, 15000).watching(connecting, POLLOUT).resolved());
    CHECK(gave_up.kind == CauseKind::connect);
    CHECK(gave_up.timed_out);
    CHECK(kind_of(MadeCall("epoll_wait").argument(3, 100).watching(connecting, POLLOUT)) == CauseKind::connect);
    CHECK(kind_of(MadeCall("select").watching(connecting, POLLOUT)) == CauseKind::connect);
    CHECK(kind_of(MadeCall("getsockopt").about(connecting)) == CauseKind::connect);
}

TEST_CASE("any wait on a connection to a DNS server is about the name asked for") {
    for (const MadeCall& call : {MadeCall("recvfrom").about(dns_server()), MadeCall("sendto").about(dns_server()),
                                 MadeCall("poll").argument(2, 5000).watching(dns_server(), POLLIN)}) {
        CHECK(kind_of(call) == CauseKind::dns);
        CHECK(cause_of(call.resolved()).subject == "extra.example.org (server 192.0.2.53)");
    }
}

TEST_CASE("a name service behind a UNIX socket is DNS as well") {
    const auto resolved = connection(ConnectionState::connected, Direction::sent, [](resolve::Connection& made) {
        made.transport = resolve::Transport::unix_socket;
        made.peer = {resolve::Transport::unix_socket, "", resolve::NameEvidence::none, "", "/run/resolve", 0};
        made.name_service = "systemd-resolved";
        made.question = "extra.example.org";
    });
    for (const MadeCall& call : {MadeCall("recvfrom").about(resolved), MadeCall("connect").about(resolved),
                                 MadeCall("ppoll").watching(resolved, POLLIN, POLLIN)}) {
        CHECK(kind_of(call) == CauseKind::dns);
        CHECK(cause_of(call.resolved()).subject == "extra.example.org (via systemd-resolved)");
    }
}

TEST_CASE("a name service that is not there was asked for nothing") {
    const auto nscd = connection(ConnectionState::fresh, Direction::none, [](resolve::Connection& made) {
        made.transport = resolve::Transport::unix_socket;
        made.peer = {resolve::Transport::unix_socket, "", resolve::NameEvidence::none, "", "/var/run/nscd/socket", 0};
        made.name_service = "nscd";
    });
    const Cause absent = cause_of(MadeCall("connect", 0, ms, -ENOENT).about(nscd).resolved());
    CHECK(absent.kind == CauseKind::local_socket);
    CHECK(absent.subject == "/var/run/nscd/socket");
    CHECK(kind_of(MadeCall("connect").about(nscd)) == CauseKind::dns);
}

TEST_CASE("from the client hello to the end of the handshake a connection negotiates") {
    const auto negotiating = [](std::optional<std::int64_t> to_ns) {
        return connection(ConnectionState::connected, Direction::sent, [to_ns](resolve::Connection& made) {
            made.tls_from_ns = 5 * ms;
            made.tls_to_ns = to_ns;
        });
    };
    const auto receives = [](const resolve::ResolvedDescriptor& descriptor, std::int64_t from, std::int64_t to) {
        return kind_of(MadeCall("recvfrom", from * ms, to * ms).about(descriptor));
    };
    CHECK(receives(negotiating({}), 6, 20) == CauseKind::tls);
    CHECK(receives(negotiating({}), 1, 4) == CauseKind::reply);
    // The call that brought the last of it ends with it.
    CHECK(receives(negotiating(20 * ms), 6, 20) == CauseKind::tls);
    CHECK(receives(negotiating(20 * ms), 20, 30) == CauseKind::reply);
    CHECK(kind_of(MadeCall("poll", 6 * ms, 9 * ms).argument(2, 100).watching(negotiating({}), POLLIN, POLLIN)) ==
          CauseKind::tls);
    CHECK(analyze::describe(CauseKind::tls, "files.example.com:443") == "negotiating TLS with files.example.com:443");
}

TEST_CASE("until its proxy has answered a target is being connected to") {
    const auto tunnel = [](std::optional<std::int64_t> to_ns, std::uint64_t requests = 0) {
        return connection(ConnectionState::connected, Direction::sent, [&](resolve::Connection& made) {
            made.tunnel_from_ns = 5 * ms;
            made.tunnel_to_ns = to_ns;
            made.requests = requests;
        });
    };
    const auto receives = [](const resolve::ResolvedDescriptor& descriptor, std::int64_t from, std::int64_t to) {
        return kind_of(MadeCall("recvfrom", from * ms, to * ms).about(descriptor));
    };
    CHECK(receives(tunnel({}), 6, 20) == CauseKind::connect);
    CHECK(kind_of(MadeCall("poll", 6 * ms, 20 * ms).argument(2, 100).watching(tunnel({}), POLLIN, POLLIN)) ==
          CauseKind::connect);
    CHECK(receives(tunnel(20 * ms), 6, 20) == CauseKind::connect);
    CHECK(receives(tunnel(20 * ms), 20, 30) == CauseKind::reply);
    CHECK(receives(tunnel({}), 1, 4) == CauseKind::reply);
    // An answer nobody understood ends with what is sent through the tunnel.
    CHECK(receives(tunnel({}, 1), 30, 40) == CauseKind::reply);
    auto secure = tunnel({});
    secure.file->connection->tls_from_ns = 25 * ms;
    CHECK(receives(secure, 30, 40) == CauseKind::tls);
}

TEST_CASE("a peer is named with the proxy that leads to it and the process that serves it") {
    const auto proxied = connection(ConnectionState::connected, Direction::sent, [](resolve::Connection& made) {
        made.peer = {
            resolve::Transport::tcp, "files.example.com", resolve::NameEvidence::http_connect, "", "192.0.2.9", 443,
            "proxy.test:3128"};
    });
    CHECK(cause_of(MadeCall("recvfrom").about(proxied).resolved()).subject ==
          "files.example.com:443 (through proxy.test:3128)");
    auto local = unix_socket();
    auto file = std::make_shared<resolve::OpenFile>(*local.file);
    file->connection = std::make_shared<resolve::Connection>(*local.file->connection);
    file->connection->local_peer = resolve::LocalPeer{77, "postgres", {}, false};
    local.file = file;
    CHECK(cause_of(MadeCall("recvmsg").about(local).resolved()).subject == "/run/x.sock (postgres)");
}

TEST_CASE("who spoke last tells a reply from more of the same") {
    CHECK(kind_of(MadeCall("recvfrom").about(replying)) == CauseKind::reply);
    CHECK(kind_of(MadeCall("read").about(receiving)) == CauseKind::receive);
    CHECK(kind_of(MadeCall("write").about(receiving)) == CauseKind::send);
    CHECK(kind_of(MadeCall("poll").argument(2, 1).watching(replying, POLLIN | POLLOUT, POLLOUT)) == CauseKind::send);
    CHECK(kind_of(MadeCall("poll").argument(2, 1).watching(replying, POLLIN | POLLOUT)) == CauseKind::reply);
    CHECK(kind_of(MadeCall("poll").argument(2, 1).watching(replying, POLLOUT, POLLHUP)) == CauseKind::send);
}

TEST_CASE("a server's clients are told by host and owe no reply") {
    const auto client = connection(ConnectionState::connected, Direction::sent, [](resolve::Connection& made) {
        made.accepted = true;
        made.peer.host.clear();
        made.peer.port = 51234;
    });
    const Cause cause = cause_of(MadeCall("recvfrom").about(client).resolved());
    CHECK(cause.kind == CauseKind::receive);
    CHECK(cause.subject == "client 203.0.113.9");
}

TEST_CASE("a multiplexed wait is for what became ready, else for the first in the stated order") {
    const auto poll = [] { return MadeCall("poll").argument(2, 1000); };
    CHECK(kind_of(poll().watching(connecting, POLLOUT).watching(receiving, POLLIN, POLLIN)) == CauseKind::receive);
    CHECK(kind_of(poll().watching(receiving, POLLIN).watching(connecting, POLLOUT)) == CauseKind::connect);
    CHECK(kind_of(poll().watching(replying, POLLIN).watching(dns_server(), POLLIN)) == CauseKind::dns);
    CHECK(kind_of(poll().watching(file(FileKind::pipe, "pipe:[1]"), POLLIN).watching(replying, POLLIN)) ==
          CauseKind::reply);
    const MadeCall interrupted = MadeCall("poll", 0, ms, -EINTR).argument(2, 1000).watching(replying, POLLIN);
    CHECK(kind_of(interrupted) == CauseKind::reply);
    CHECK_FALSE(cause_of(interrupted.resolved()).timed_out);
}

TEST_CASE("a loop that waits for nobody is idle") {
    const auto timer = file(FileKind::timerfd, "anon_inode:[timerfd]");
    const auto event = file(FileKind::eventfd, "anon_inode:[eventfd]");
    const auto wait = [] { return MadeCall("epoll_wait").argument(3, 1000); };
    CHECK(kind_of(wait().watching(timer, POLLIN).watching(event, POLLIN).watching(listening, POLLIN)) ==
          CauseKind::idle);
    CHECK(kind_of(wait().watching(timer, POLLIN, POLLIN).watching(event, POLLIN)) == CauseKind::timer);
    CHECK(kind_of(wait().watching(event, POLLIN)) == CauseKind::idle);
    CHECK(kind_of(wait().watching(timer, POLLIN)) == CauseKind::timer);
    CHECK(kind_of(wait().watching(listening, POLLIN)) == CauseKind::accept);
    CHECK(kind_of(MadeCall("accept4").about(listening)) == CauseKind::accept);
    CHECK(cause_of(MadeCall("accept").about(listening).resolved()).subject == "192.0.2.1:8080");
}

TEST_CASE("a poll of nothing sleeps, a poll told not to wait has waited for no one") {
    CHECK(kind_of(MadeCall("poll").argument(2, 1000)) == CauseKind::sleep);
    CHECK(kind_of(MadeCall("nanosleep")) == CauseKind::sleep);
    CHECK(kind_of(MadeCall("clock_nanosleep")) == CauseKind::sleep);
    CHECK(kind_of(MadeCall("poll").argument(2, 0).watching(replying, POLLIN)) == CauseKind::computing);
    CHECK(kind_of(MadeCall("poll").argument(2, 0xffffffff).watching(replying, POLLIN)) == CauseKind::reply);
}

TEST_CASE("waits for processes, pipes and local sockets") {
    const Cause child = cause_of(MadeCall("wait4").for_child(ProcessId{5}).resolved());
    CHECK(child.kind == CauseKind::child);
    CHECK(child.process == ProcessId{5});
    CHECK(kind_of(MadeCall("waitid")) == CauseKind::child);
    CHECK(kind_of(MadeCall("vfork").for_child(ProcessId{5})) == CauseKind::child);
    CHECK(kind_of(MadeCall("clone").for_child(ProcessId{5})) == CauseKind::child);
    CHECK(kind_of(MadeCall("poll").argument(2, 9).watching(file(FileKind::pidfd, "x"), POLLIN)) == CauseKind::child);
    const Cause pipe = cause_of(MadeCall("read").about(file(FileKind::pipe, "pipe:[7]")).resolved());
    CHECK(pipe.kind == CauseKind::pipe);
    CHECK(pipe.subject == "pipe:[7]");
    auto opened = file(FileKind::pipe, "/tmp/fifo");
    CHECK(kind_of(MadeCall("openat").about(opened, -1)) == CauseKind::pipe);
    const Cause local = cause_of(MadeCall("recvmsg").about(unix_socket()).resolved());
    CHECK(local.kind == CauseKind::local_socket);
    CHECK(local.subject == "/run/x.sock");
}

TEST_CASE("locks, signals, timers, terminals") {
    CHECK(kind_of(MadeCall("futex").argument(0, 0x1000).argument(1, 128 | 0)) == CauseKind::lock);
    CHECK(cause_of(MadeCall("futex").argument(0, 0x1000).argument(1, 128 | 9).resolved()).subject == "0x1000");
    CHECK(kind_of(MadeCall("futex").argument(1, 128 | 1)) == CauseKind::computing);
    CHECK(cause_of(MadeCall("futex", 0, ms, -ETIMEDOUT).argument(1, 128).resolved()).timed_out);
    CHECK(kind_of(MadeCall("pause")) == CauseKind::signal);
    CHECK(kind_of(MadeCall("rt_sigtimedwait")) == CauseKind::signal);
    CHECK(kind_of(MadeCall("read").about(file(FileKind::signalfd, "x"))) == CauseKind::signal);
    CHECK(kind_of(MadeCall("read").about(file(FileKind::timerfd, "x"))) == CauseKind::timer);
    CHECK(kind_of(MadeCall("read").about(file(FileKind::terminal, "/dev/tty"))) == CauseKind::terminal);
    CHECK(kind_of(MadeCall("io_uring_enter")) == CauseKind::io_uring);
}

TEST_CASE("files are told by path and by what was done") {
    const auto log = file(FileKind::regular, "/var/log/x");
    CHECK(kind_of(MadeCall("pread64").about(log)) == CauseKind::file_read);
    CHECK(kind_of(MadeCall("writev").about(log)) == CauseKind::file_write);
    CHECK(kind_of(MadeCall("fdatasync").about(log)) == CauseKind::file_sync);
    CHECK(kind_of(MadeCall("flock").about(log)) == CauseKind::file_lock);
    CHECK(kind_of(MadeCall("fcntl").about(log).argument(1, 7)) == CauseKind::file_lock);
    CHECK(kind_of(MadeCall("fcntl").about(log).argument(1, 3)) == CauseKind::computing);
    CHECK(kind_of(MadeCall("close").about(log)) == CauseKind::file_metadata);
    CHECK(kind_of(MadeCall("close").about(replying)) == CauseKind::computing);
    MadeCall stat("newfstatat");
    auto* captured = stat.call.add_captured();
    captured->set_argument(1);
    captured->set_path("/etc/hosts");
    CHECK(kind_of(stat) == CauseKind::file_metadata);
    CHECK(cause_of(stat.resolved()).subject == "/etc/hosts");
}

TEST_CASE("the kernel's own work is computing, the rest is unexplained by name") {
    for (const char* name : {"execve", "mmap", "clone", "exit_group", "brk", "munmap", "getpid"})
        CHECK(kind_of(MadeCall(name)) == CauseKind::computing);
    const Cause unknown = cause_of(MadeCall("semop").resolved());
    CHECK(unknown.kind == CauseKind::unexplained);
    CHECK(unknown.subject == "semop");
    MadeCall numbered("read");
    numbered.row = &model::syscall_row(model::X86_64, 999);
    numbered.call.set_number(999);
    CHECK(cause_of(numbered.resolved()).subject == "syscall_999");
}

TEST_CASE("no syscall of the table is beyond the rules, whatever it is about") {
    for (const model::SyscallRow& row : model::all_syscalls())
        for (const auto& descriptor : {resolve::ResolvedDescriptor(), connecting, listening, dns_server()}) {
            MadeCall call("read");
            call.row = &row;
            call.about(descriptor);
            CHECK_FALSE(analyze::name(kind_of(call)).empty());
        }
    CHECK(analyze::wait_rules().back().name == "unexplained");
}

TEST_CASE("time in a call is the sum of its pieces, never negative, never overflowing") {
    MadeCall call("nanosleep", 0, 100);
    CHECK(analyze::time_in_call(call.call) == 100);
    call.piece(0, 40).piece(60, 100);
    CHECK(analyze::time_in_call(call.call) == 80);
    CHECK(analyze::time_in_call(MadeCall("read", 100, 50).call) == 0);
    CHECK(analyze::time_in_call(MadeCall("read", INT64_MIN, INT64_MAX).call) == INT64_MAX);
}
