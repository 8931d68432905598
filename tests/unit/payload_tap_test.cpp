// What passes on sockets, from finished calls to an interpreter: layouts of every ABI, partial results, flags, and
// which descriptors are read at all.
#include "record/payload_tap.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "catch.hpp"
#include "record/descriptor_effects.hpp"
#include "saved_memory.hpp"

using namespace slowtrace;
using namespace slowtrace::record;
using model::Call;
using test::SavedMemory;
using wire::Flow;

namespace {

struct Fed {
    Flow flow;
    std::string octets;
    std::uint64_t size;
    bool operator==(const Fed&) const = default;
};
// What the interpreters of one test were fed, in order, and what they want next.
std::vector<Fed> fed;
std::size_t wanted_octets = 0;
std::size_t settled_after = 0;  // transfers
std::vector<std::string> made;  // "kind port" of each interpreter

class Listening : public wire::Interpreter {
   public:
    std::size_t wanted(Flow) const override { return wanted_octets; }
    void feed(Flow flow, std::span<const std::uint8_t> octets, std::uint64_t size,
              std::vector<model::Event>& facts) override {
        ++transfers_;
        fed.push_back({flow, {octets.begin(), octets.end()}, size});
        facts.emplace_back().mutable_stream()->set_sent(flow == Flow::sent);
    }
    bool settled() const override { return transfers_ >= settled_after; }

   private:
    std::size_t transfers_ = 0;
};

std::unique_ptr<wire::Interpreter> listening(SocketKind kind, const model::SocketAddress& peer) {
    made.push_back(std::to_string(static_cast<int>(kind)) + " " + std::to_string(peer.port()));
    return std::make_unique<Listening>();
}

class Events : public EventSink {
   public:
    void event(const model::Event& event) override { events.push_back(event); }
    void syscall(const model::Syscall&) override {}
    std::vector<model::Event> events;
};

constexpr int fd = 5;

const Architecture* architecture_of(model::Abi abi) {
    for (const Architecture& one : x86_64_architectures())
        if (one.abi == abi) return &one;
    return nullptr;
}

model::SocketAddress address(std::uint32_t port, const std::string& ip = {192 - 256, 0, 2, 1}) {
    model::SocketAddress result;
    result.set_family(AF_INET);
    result.set_ip(ip);
    result.set_port(port);
    return result;
}

struct Bench {
    Bench() {
        fed.clear();
        made.clear();
        wanted_octets = 65536;
        settled_after = SIZE_MAX;
        tracee.thread = ThreadId{3};
        tracee.descriptors = std::make_shared<DescriptorWatch>();
    }

    // A call that has just ended, through the effects and the tap as the recorder does it.
    void end(Call call, std::initializer_list<std::uint64_t> arguments, std::int64_t result,
             const std::vector<model::Captured>& captured = {}) {
        OpenCall open;
        open.architecture = architecture_of(abi);
        open.row = nullptr;
        for (const model::SyscallRow& row : model::all_syscalls())
            if (row.call == call) open.row = &row;
        REQUIRE(open.row != nullptr);
        for (const std::uint64_t argument : arguments) open.call.add_arguments(argument);
        while (open.call.arguments_size() < 6) open.call.add_arguments(0);
        open.call.set_exit_ns(77);
        open.call.set_result(result);
        for (const model::Captured& one : captured) *open.call.add_captured() = one;
        apply_descriptor_effects(tracee, open);
        tap.after(tracee, memory, open);
    }
    void connect(const model::SocketAddress& peer, std::int64_t result = 0) {
        model::Captured captured;
        captured.set_argument(1);
        *captured.mutable_address() = peer;
        end(Call::connect, {fd, 0, 16}, result, {captured});
    }
    void connected_stream() {
        end(Call::socket, {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0}, fd);
        connect(address(443));
    }

    model::Abi abi = model::X86_64;
    SavedMemory memory;
    Tracee tracee;
    Events sink;
    PayloadTap tap{sink, listening};
};

model::Captured named(int argument, const model::SocketAddress& peer) {
    model::Captured captured;
    captured.set_argument(static_cast<std::uint32_t>(argument));
    *captured.mutable_address() = peer;
    return captured;
}

}  // namespace

TEST_CASE("a connected stream is read as it is written and read", "[tap]") {
    Bench bench;
    bench.connected_stream();
    const auto text = bench.memory.text("hello, world");
    bench.end(Call::write, {fd, text, 12}, 12);
    bench.end(Call::read, {fd, text, 100}, 5);
    bench.end(Call::sendto, {fd, text + 7, 5}, 5);
    bench.end(Call::recvfrom, {fd, text, 12}, 7);
    CHECK(fed == std::vector<Fed>{{Flow::sent, "hello, world", 12},
                                  {Flow::received, "hello", 5},
                                  {Flow::sent, "world", 5},
                                  {Flow::received, "hello, ", 7}});
    CHECK(made == std::vector<std::string>{"1 443"});
    REQUIRE(bench.sink.events.size() == 4);
    CHECK(bench.sink.events[0].stream().thread() == 3);
    CHECK(bench.sink.events[0].stream().time_ns() == 77);
    CHECK(bench.sink.events[0].stream().fd() == fd);
    CHECK_FALSE(bench.sink.events[0].stream().has_peer());
}

TEST_CASE("no more is read than is wanted, and nothing once settled", "[tap]") {
    Bench bench;
    bench.connected_stream();
    const auto text = bench.memory.text("hello, world");
    wanted_octets = 3;
    settled_after = 3;
    bench.end(Call::write, {fd, text, 12}, 12);
    CHECK(bench.memory.reads == 1);
    wanted_octets = 0;
    bench.end(Call::write, {fd, text, 12}, 12);
    CHECK(bench.memory.reads == 1);
    CHECK(bench.tracee.descriptors->tapped(fd));
    bench.end(Call::read, {fd, text, 12}, 12);
    CHECK(fed == std::vector<Fed>{{Flow::sent, "hel", 12}, {Flow::sent, "", 12}, {Flow::received, "", 12}});
    CHECK_FALSE(bench.tracee.descriptors->tapped(fd));
    CHECK_FALSE(bench.tracee.descriptors->may_tap(fd));
    wanted_octets = 100;
    bench.end(Call::write, {fd, text, 12}, 12);
    CHECK(fed.size() == 3);
}

TEST_CASE("vectors and messages are gathered in every layout", "[tap]") {
    Bench bench;
    bench.abi = GENERATE(model::X86_64, model::X32, model::I386);
    CAPTURE(bench.abi);
    bench.connected_stream();
    const auto one = bench.memory.text("one"), two = bench.memory.text("two"), three = bench.memory.text("three");
    const auto lay = [&](auto word) {
        using Word = decltype(word);
        const auto narrow = [](std::uint64_t value) { return static_cast<Word>(value); };
        const auto vectors =
            bench.memory.words<Word>({narrow(one), 3, narrow(two), 3, narrow(one), 0, narrow(three), 5});
        const auto header = bench.memory.words<Word>({0, 0, narrow(vectors), 4, 0, 0, 0});
        return std::pair(vectors, header);
    };
    const auto [vectors, header] =
        architecture_of(bench.abi)->pointer_bytes == 8 ? lay(std::uint64_t{}) : lay(std::uint32_t{});
    bench.end(Call::writev, {fd, vectors, 4}, 11);
    bench.end(Call::readv, {fd, vectors, 4}, 5);
    bench.end(Call::sendmsg, {fd, header, 0}, 8);
    bench.end(Call::recvmsg, {fd, header, 0}, 1);
    bench.end(Call::pwritev2, {fd, vectors, 2, UINT64_MAX, UINT64_MAX, 0}, 6);
    wanted_octets = 4;
    bench.end(Call::writev, {fd, vectors, 4}, 11);
    CHECK(fed == std::vector<Fed>{{Flow::sent, "onetwothree", 11},
                                  {Flow::received, "onetw", 5},
                                  {Flow::sent, "onetwoth", 8},
                                  {Flow::received, "o", 1},
                                  {Flow::sent, "onetwo", 6},
                                  {Flow::sent, "onet", 11}});
}

TEST_CASE("each message of sendmmsg and recvmmsg is one transfer with its own peer", "[tap]") {
    Bench bench;
    bench.end(Call::socket, {AF_INET, SOCK_DGRAM, 0}, fd);
    const auto one = bench.memory.text("first"), two = bench.memory.text("second");
    const auto vectors = bench.memory.words<std::uint64_t>({one, 5, two, 6});
    const auto headers =
        bench.memory.words<std::uint64_t>({0, 0, vectors, 1, 0, 0, 0, 5, 0, 0, vectors + 16, 1, 0, 0, 0, 6});
    model::Captured captured;
    captured.set_argument(1);
    for (const std::uint32_t port : {1001u, 1002u}) {
        auto& message = *captured.mutable_messages()->add_messages();
        *message.mutable_address() = address(port);
        message.set_bytes(port == 1001 ? 5 : 6);
    }
    bench.end(Call::sendmmsg, {fd, headers, 2, 0}, 2, {captured});
    CHECK(fed == std::vector<Fed>{{Flow::sent, "first", 5}, {Flow::sent, "second", 6}});
    CHECK(made == std::vector<std::string>{"2 1001", "2 1002"});
    REQUIRE(bench.sink.events.size() == 2);
    CHECK(bench.sink.events[0].stream().peer().port() == 1001);
    CHECK(bench.sink.events[1].stream().peer().port() == 1002);
    // One of two answered, in a buffer for both.
    bench.end(Call::recvmmsg, {fd, headers, 2, 0}, 1, {captured});
    CHECK(fed.size() == 3);
    CHECK(fed.back() == Fed{Flow::received, "first", 5});
    CHECK(made.size() == 2);
}

TEST_CASE("octets looked at, urgent, failed or thrown away are not the stream", "[tap]") {
    Bench bench;
    bench.connected_stream();
    const auto text = bench.memory.text("hello");
    bench.end(Call::recvfrom, {fd, text, 5, MSG_PEEK}, 5);
    bench.end(Call::recvmsg, {fd, text, MSG_ERRQUEUE}, 5);
    bench.end(Call::sendto, {fd, text, 1, MSG_OOB}, 1);
    bench.end(Call::write, {fd, text, 5}, -EPIPE);
    bench.end(Call::read, {fd, text, 5}, 0);
    CHECK(fed.empty());
    bench.end(Call::recvfrom, {fd, text, 5, MSG_TRUNC}, 5);
    CHECK(fed == std::vector<Fed>{{Flow::received, "", 5}});
}

TEST_CASE("what never passes through memory is counted", "[tap]") {
    Bench bench;
    bench.connected_stream();
    bench.end(Call::sendfile, {fd, 9, 0, 4096}, 4000);
    bench.end(Call::splice, {fd, 0, 9, 0, 4096, 0}, 300);
    bench.end(Call::splice, {9, 0, fd, 0, 4096, 0}, 200);
    bench.end(Call::write, {fd, 0xdead0000, 50}, 50);  // gone before it could be read
    CHECK(fed == std::vector<Fed>{
                     {Flow::sent, "", 4000}, {Flow::received, "", 300}, {Flow::sent, "", 200}, {Flow::sent, "", 50}});
}

TEST_CASE("a datagram longer than its buffer is read as far as it was kept", "[tap]") {
    Bench bench;
    bench.end(Call::socket, {AF_INET, SOCK_DGRAM, 0}, fd);
    bench.connect(address(53));
    const auto text = bench.memory.text("12345678");
    bench.end(Call::recvfrom, {fd, text, 3, MSG_TRUNC}, 8);
    CHECK(fed == std::vector<Fed>{{Flow::received, "123", 8}});
}

TEST_CASE("only sockets the program connected, or sent from first, are read", "[tap]") {
    Bench bench;
    const auto text = bench.memory.text("hello");
    bench.end(Call::openat, {0, 0, 0}, fd);
    bench.end(Call::write, {fd, text, 5}, 5);
    bench.end(Call::socket, {AF_INET, SOCK_STREAM, 0}, fd);
    bench.end(Call::write, {fd, text, 5}, 5);
    bench.end(Call::accept4, {fd, 0, 0}, 6);
    bench.end(Call::read, {6, text, 5}, 5);
    CHECK_FALSE(bench.tracee.descriptors->may_tap(6));
    CHECK(bench.tracee.descriptors->connection(6));
    // A server's datagrams.
    bench.end(Call::socket, {AF_INET, SOCK_DGRAM, 0}, 7);
    bench.end(Call::recvfrom, {7, text, 5}, 5, {named(4, address(40000))});
    bench.end(Call::sendto, {7, text, 5}, 5, {named(4, address(40000))});
    // Asking, not talking.
    bench.end(Call::socket, {AF_NETLINK, SOCK_RAW, 0}, 8);
    bench.end(Call::sendto, {8, text, 5}, 5, {named(4, address(0))});
    CHECK(fed.empty());
    CHECK(made.empty());
}

TEST_CASE("a connect under way is read, a failed or dissolved one is not", "[tap]") {
    Bench bench;
    const auto text = bench.memory.text("hello");
    bench.end(Call::socket, {AF_INET, SOCK_STREAM, 0}, fd);
    bench.connect(address(80), -EINPROGRESS);
    bench.connect(address(80), -EALREADY);
    bench.connect(address(80), 0);
    bench.connect(address(80), -EISCONN);
    bench.end(Call::write, {fd, text, 5}, 5);
    CHECK(made.size() == 1);
    CHECK(fed.size() == 1);
    CHECK(bench.tracee.descriptors->connection(fd));
    bench.end(Call::socket, {AF_INET, SOCK_STREAM, 0}, fd);
    bench.connect(address(80), -EINTR);  // goes on without its caller
    CHECK(bench.tracee.descriptors->tapped(fd));
    CHECK(bench.tracee.descriptors->connection(fd));
    model::SocketAddress nobody;
    bench.connect(nobody, 0);
    CHECK_FALSE(bench.tracee.descriptors->tapped(fd));
    CHECK_FALSE(bench.tracee.descriptors->connection(fd));
    bench.connect(address(81), -ECONNREFUSED);
    CHECK_FALSE(bench.tracee.descriptors->tapped(fd));
    CHECK(made.size() == 2);
}

TEST_CASE("TCP Fast Open names its peer in the send", "[tap]") {
    Bench bench;
    const auto text = bench.memory.text("hello");
    bench.end(Call::socket, {AF_INET, SOCK_STREAM, 0}, fd);
    bench.end(Call::sendto, {fd, text, 5, MSG_FASTOPEN}, 5, {named(4, address(443))});
    CHECK(fed == std::vector<Fed>{{Flow::sent, "hello", 5}});
    // Without a cookie the kernel only begins to connect.
    bench.end(Call::socket, {AF_INET, SOCK_STREAM, 0}, fd);
    bench.end(Call::sendto, {fd, text, 5, MSG_FASTOPEN}, -EINPROGRESS, {named(4, address(443))});
    CHECK(fed.size() == 1);
    bench.end(Call::write, {fd, text, 5}, 5);
    CHECK(fed.size() == 2);
    CHECK(made.size() == 2);
}

TEST_CASE("duplicates and copies of the table share what was read; closing forgets", "[tap]") {
    Bench bench;
    const auto text = bench.memory.text("hello");
    bench.connected_stream();
    bench.end(Call::dup, {fd}, 9);
    settled_after = 3;
    Tracee child;
    child.descriptors = std::make_shared<DescriptorWatch>(*bench.tracee.descriptors);
    bench.end(Call::write, {9, text, 5}, 5);
    bench.end(Call::close, {fd}, 0);
    bench.end(Call::write, {fd, text, 5}, 5);
    CHECK(fed.size() == 1);
    bench.end(Call::write, {9, text, 5}, 5);
    std::swap(bench.tracee.descriptors, child.descriptors);
    bench.end(Call::write, {fd, text, 5}, 5);
    CHECK(fed.size() == 3);
    CHECK(made.size() == 1);
    CHECK_FALSE(bench.tracee.descriptors->tapped(fd));
    std::swap(bench.tracee.descriptors, child.descriptors);
    bench.end(Call::dup2, {1, 9}, 9);
    CHECK_FALSE(bench.tracee.descriptors->tapped(9));
}

TEST_CASE("an unconnected datagram socket keeps its peers apart, and only the latest", "[tap]") {
    Bench bench;
    const auto text = bench.memory.text("hello");
    bench.end(Call::socket, {AF_INET, SOCK_DGRAM, 0}, fd);
    bench.end(Call::sendto, {fd, text, 5}, 5, {named(4, address(1))});
    bench.end(Call::recvfrom, {fd, text, 5}, 5);  // who sent it is not said, but there is one only
    CHECK(fed.size() == 2);
    bench.end(Call::sendto, {fd, text, 5}, 5, {named(4, address(2))});
    bench.end(Call::recvfrom, {fd, text, 5}, 5);
    bench.end(Call::recvfrom, {fd, text, 5}, 5, {named(4, address(3))});  // never asked
    CHECK(fed.size() == 3);
    for (std::uint32_t port = 1; port <= 17; ++port)
        bench.end(Call::sendto, {fd, text, 5}, 5, {named(4, address(port))});
    CHECK(made.size() == 17);
    bench.end(Call::sendto, {fd, text, 5}, 5, {named(4, address(1))});
    CHECK(made.size() == 18);
}

TEST_CASE("sockets found open are read by who their peer is", "[tap]") {
    Bench bench;
    model::DescriptorBinding binding;
    binding.set_fd(fd);
    model::Socket& socket = *binding.mutable_socket();
    *socket.mutable_peer() = address(443);
    *socket.mutable_local() = address(40001);
    const auto look_up = [&] {
        bench.tracee.descriptors->opened(fd, SocketKind::stream);
        bench.tap.looked_up(*bench.tracee.descriptors, binding);
        return bench.tracee.descriptors->tapped(fd);
    };
    CHECK_FALSE(look_up());
    socket.set_connected(true);
    CHECK(look_up());
    std::swap(*socket.mutable_peer(), *socket.mutable_local());
    CHECK_FALSE(look_up());  // accepted
    PayloadTap off(bench.sink, nullptr);
    std::swap(*socket.mutable_peer(), *socket.mutable_local());
    bench.tracee.descriptors->opened(fd, SocketKind::stream);
    off.looked_up(*bench.tracee.descriptors, binding);
    CHECK_FALSE(bench.tracee.descriptors->tapped(fd));
}
