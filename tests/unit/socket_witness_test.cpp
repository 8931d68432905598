// The kernel's word on sockets: asked about sockets of this very process, which needs no tracing.
#include "record/socket_witness.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "catch.hpp"
#include "record/descriptor_copy.hpp"
#include "record/descriptor_effects.hpp"
#include "record/tcp_report.hpp"
#include "slowtrace/unique_fd.hpp"

using namespace slowtrace;
using namespace slowtrace::record;
using model::Call;

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

std::string ip(const char* text) {
    std::string octets(std::strchr(text, ':') ? 16 : 4, '\0');
    REQUIRE(inet_pton(octets.size() == 16 ? AF_INET6 : AF_INET, text, octets.data()) == 1);
    return octets;
}

// A listener on a free port of 127.0.0.1 and, by connected(), connections to it.
struct Loopback {
    Loopback() : listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
        REQUIRE(listen(listener.get(), 4) == 0);
        REQUIRE(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    }
    UniqueFd connected() {
        UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        return client;
    }
    std::uint32_t port() const { return ntohs(address.sin_port); }
    sockaddr_in address{};
    UniqueFd listener;
};

bool may_copy(int fd) {
    if (copy_descriptor(getpid(), getpid(), fd)) return true;
    WARN("pidfd_getfd(2) is not permitted here: nothing to ask through");
    return false;
}

class Events : public EventSink {
   public:
    void event(const model::Event& event) override { events.push_back(event); }
    void syscall(const model::Syscall&) override {}
    std::vector<model::Event> events;
};

struct Bench {
    Bench() {
        tracee.pid = tracee.tid = getpid();
        tracee.thread = ThreadId{2};
        tracee.descriptors = std::make_shared<DescriptorWatch>();
    }
    void call(Call call, std::initializer_list<std::uint64_t> arguments) {
        tracee.open = OpenCall{};
        for (const model::SyscallRow& row : model::all_syscalls())
            if (row.call == call) tracee.open.row = &row;
        for (const std::uint64_t argument : arguments) tracee.open.call.add_arguments(argument);
        while (tracee.open.call.arguments_size() < 6) tracee.open.call.add_arguments(0);
    }
    void end(std::int64_t result) {
        tracee.open.call.set_exit_ns(5);
        tracee.open.call.set_result(result);
        apply_descriptor_effects(tracee, tracee.open);
        witness.after(tracee, tracee.open);
    }
    void opened_stream(int fd) {
        tracee.descriptors->opened(fd, SocketKind::stream);
        tracee.descriptors->marked_connection(fd);
    }
    // The descriptors reported as closing before this call.
    std::vector<int> reported(Call name, std::initializer_list<std::uint64_t> arguments) {
        sink.events.clear();
        call(name, arguments);
        witness.before(tracee);
        std::vector<int> found;
        for (const model::Event& event : sink.events) {
            CHECK(event.tcp().closing());
            CHECK(event.tcp().thread() == 2);
            CHECK(event.tcp().time_ns() > 0);
            found.push_back(event.tcp().fd());
        }
        return found;
    }
    Tracee tracee;
    Events sink;
    SocketWitness witness{sink};
};

}  // namespace

TEST_CASE("a line of /proc/net/tcp says who listens where", "[witness]") {
    const NetTable &tcp = net_tables()[0], &tcp6 = net_tables()[1], &udp = net_tables()[2];
    CHECK_FALSE(parse_net_row("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when", tcp));
    const auto listener = parse_net_row(
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000 100 0",
        tcp);
    REQUIRE(listener);
    CHECK(listener->listening);
    CHECK(listener->local.ip() == ip("127.0.0.1"));
    CHECK(listener->local.port() == 8080);
    CHECK(listener->user == 1000);
    CHECK(listener->inode == 4711);
    CHECK_FALSE(listener->connecting);
    const auto hanging = parse_net_row(
        "   2: 020200C0:D431 097100CB:0050 02 00000001:00000000 01:00000064 00000001     0        0 4713 2", tcp);
    REQUIRE(hanging);
    CHECK(hanging->connecting);
    CHECK(hanging->remote.ip() == ip("203.0.113.9"));
    const auto six = parse_net_row(
        "   1: 00000000000000000000000001000000:0016 0000000000000000FFFF00000100007F:9C40 01 00000000:00000000 "
        "02:00000000 00000000     0        0 4712 2",
        tcp6);
    REQUIRE(six);
    CHECK_FALSE(six->listening);
    CHECK(six->local.ip() == ip("::1"));
    CHECK(six->remote.ip() == ip("::ffff:127.0.0.1"));
    CHECK(six->remote.port() == 40000);
    const auto datagram = parse_net_row(
        " 1202: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 91 2 0000 0", udp);
    REQUIRE(datagram);
    CHECK(datagram->inode == 91);
    CHECK(datagram->user == 101);
    for (const char* broken : {"", "0:", "0: 0100007F", "0: 0100007F:1F90 00000000:0000 0A",
                               "0: 01:1 02:2 0A 0 0 0 0 0 0", "0: 0100007F:XXXX 00000000:0000 0A 0:0 0:0 0 0 0 1"})
        CHECK_FALSE(parse_net_row(broken, tcp));
}

TEST_CASE("a listener takes its own address, any address, and IPv4 within IPv6", "[witness]") {
    const auto takes = [](const char* local, const char* to) {
        NetTableRow row;
        row.local.set_ip(ip(local));
        return listens_for(row, ip(to));
    };
    CHECK(takes("127.0.0.1", "127.0.0.1"));
    CHECK_FALSE(takes("127.0.0.1", "127.0.0.2"));
    CHECK(takes("0.0.0.0", "127.0.0.2"));
    CHECK(takes("0.0.0.0", "::ffff:127.0.0.1"));
    CHECK_FALSE(takes("0.0.0.0", "::1"));
    CHECK(takes("::", "::1"));
    CHECK(takes("::", "127.0.0.1"));
    CHECK(takes("::ffff:127.0.0.1", "127.0.0.1"));
    CHECK_FALSE(takes("::1", "127.0.0.1"));
}

TEST_CASE("loopback addresses are told from others", "[witness]") {
    for (const char* here : {"127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.53"}) CHECK(is_loopback(ip(here)));
    for (const char* away : {"126.0.0.1", "192.0.2.1", "::", "2001:db8::1", "::ffff:192.0.2.1"})
        CHECK_FALSE(is_loopback(ip(away)));
    CHECK_FALSE(is_loopback(""));
}

TEST_CASE("the holder of a listening socket is found, and forgotten when it closes", "[witness]") {
    auto loopback = std::make_unique<Loopback>();
    const std::uint32_t port = loopback->port();
    Listeners listeners;
    const auto found = listeners.find(getpid(), SOCK_STREAM, ip("127.0.0.1"), port, second_ns);
    REQUIRE(found);
    CHECK(found->pid == getpid());
    CHECK(found->user == getuid());
    CHECK_FALSE(listeners.find(getpid(), SOCK_DGRAM, ip("127.0.0.1"), port, second_ns));
    loopback.reset();
    CHECK_FALSE(listeners.find(getpid(), SOCK_STREAM, ip("127.0.0.1"), port, second_ns + 1));
}

TEST_CASE("the holder of a datagram socket is found, unless that is connected elsewhere", "[witness]") {
    UniqueFd server(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    socklen_t length = sizeof address;
    REQUIRE(bind(server.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(getsockname(server.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    const std::uint32_t port = ntohs(address.sin_port);
    const auto found = Listeners().find(getpid(), SOCK_DGRAM, ip("127.0.0.1"), port, second_ns);
    REQUIRE(found);
    CHECK(found->pid == getpid());
    CHECK_FALSE(Listeners().find(getpid(), SOCK_STREAM, ip("127.0.0.1"), port, second_ns));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(server.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    CHECK_FALSE(Listeners().find(getpid(), SOCK_DGRAM, ip("127.0.0.1"), port, second_ns));
}

TEST_CASE("what was not found is not searched for again at once", "[witness]") {
    auto loopback = std::make_unique<Loopback>();
    const sockaddr_in address = loopback->address;
    const std::uint32_t port = loopback->port();
    loopback.reset();
    Listeners listeners;
    CHECK_FALSE(listeners.find(getpid(), SOCK_STREAM, ip("127.0.0.1"), port, second_ns));
    UniqueFd again(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(bind(again.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(again.get(), 1) == 0);
    CHECK_FALSE(listeners.find(getpid(), SOCK_STREAM, ip("127.0.0.1"), port, second_ns + 1));
    CHECK(listeners.find(getpid(), SOCK_STREAM, ip("127.0.0.1"), port, 2 * second_ns + 1));
}

TEST_CASE("the kernel tells how a TCP connection fares", "[witness]") {
    Loopback loopback;
    if (!may_copy(loopback.listener.get())) return;
    const UniqueFd client = loopback.connected();
    const UniqueFd server(accept(loopback.listener.get(), nullptr, nullptr));
    REQUIRE(write(client.get(), "hello", 5) == 5);
    char received[8];
    REQUIRE(read(server.get(), received, sizeof received) == 5);
    const auto report = ask_tcp(getpid(), getpid(), client.get());
    REQUIRE(report);
    CHECK(report->fd() == client.get());
    CHECK(report->state() == 1);  // TCP_ESTABLISHED
    CHECK(report->rtt_ns() > 0);
    CHECK(report->min_rtt_ns() <= report->rtt_ns());
    CHECK(report->bytes_acked() == 5 + 1);  // and the SYN
    CHECK(report->bytes_received() == 0);
    CHECK(report->not_sent() == 0);
    const auto other = ask_tcp(getpid(), getpid(), server.get());
    REQUIRE(other);
    CHECK(other->bytes_received() == 5);
    CHECK_FALSE(ask_tcp(getpid(), getpid(), 1 << 19));
    const UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
    CHECK_FALSE(ask_tcp(getpid(), getpid(), file.get()));
}

TEST_CASE("every way to close a connection reports it first", "[witness]") {
    Loopback loopback;
    if (!may_copy(loopback.listener.get())) return;
    const UniqueFd one = loopback.connected(), two = loopback.connected();
    const auto first = static_cast<std::uint64_t>(one.get()), second = static_cast<std::uint64_t>(two.get());
    Bench bench;
    CHECK(bench.reported(Call::close, {first}).empty());  // not known to be a connection
    bench.opened_stream(one.get());
    bench.opened_stream(two.get());
    CHECK(bench.reported(Call::close, {first}) == std::vector<int>{one.get()});
    CHECK(bench.reported(Call::dup2, {second, first}) == std::vector<int>{one.get()});
    CHECK(bench.reported(Call::dup3, {second, first, 0}) == std::vector<int>{one.get()});
    CHECK(bench.reported(Call::dup2, {first, first}).empty());
    CHECK(bench.reported(Call::dup2, {999, first}).empty());  // which fails
    CHECK(bench.reported(Call::close_range, {first, UINT32_MAX, 0}) == std::vector<int>{one.get(), two.get()});
    CHECK(bench.reported(Call::close_range, {first, UINT32_MAX, 4}).empty());  // CLOSE_RANGE_CLOEXEC
    CHECK(bench.reported(Call::shutdown, {first, 2}).empty());
    bench.witness.table_ends(bench.tracee, 9);
    REQUIRE(bench.sink.events.size() == 2);
    CHECK(bench.sink.events[0].tcp().time_ns() == 9);
}

TEST_CASE("a local connection names the process at its other end", "[witness]") {
    Bench bench;
    Loopback loopback;
    const UniqueFd client = loopback.connected();
    bench.call(Call::socket, {AF_INET, SOCK_STREAM, 0});
    bench.end(client.get());
    bench.call(Call::connect, {static_cast<std::uint64_t>(client.get())});
    auto& captured = *bench.tracee.open.call.add_captured();
    captured.set_argument(1);
    captured.mutable_address()->set_family(AF_INET);
    captured.mutable_address()->set_ip(ip("127.0.0.1"));
    captured.mutable_address()->set_port(loopback.port());
    bench.end(-EINPROGRESS);
    REQUIRE(bench.sink.events.size() == 1);
    const model::PeerProcess& listener = bench.sink.events[0].peer_process();
    CHECK(listener.pid() == getpid());
    CHECK(listener.uid() == getuid());
    CHECK(listener.listener());
    CHECK(listener.fd() == client.get());
    CHECK_FALSE(listener.name().empty());

    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    const UniqueFd near(pair[0]), far(pair[1]);
    if (!may_copy(near.get())) return;
    bench.sink.events.clear();
    bench.tracee.descriptors->opened(near.get(), SocketKind::local);
    bench.call(Call::connect, {static_cast<std::uint64_t>(near.get())});
    bench.end(-EAGAIN);
    CHECK(bench.sink.events.empty());
    bench.end(0);
    REQUIRE(bench.sink.events.size() == 1);
    CHECK(bench.sink.events[0].peer_process().pid() == getpid());
    CHECK(bench.sink.events[0].peer_process().listener());
}
