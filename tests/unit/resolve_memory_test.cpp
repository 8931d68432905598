// What is over is forgotten: tens of thousands of connections one after the other need no more than a few.
#include <malloc.h>

#include "resolve_probe.hpp"

using namespace slowtrace;
using namespace slowtrace::resolve;

namespace {

// Counts, and keeps nothing.
struct Counter : ResolvedSink {
    std::uint64_t opened = 0, closed = 0, stretches = 0, most_open = 0, requests = 0;
    void connection_opened(const Connection&, std::int64_t) override {
        most_open = std::max(most_open, ++opened - closed);
    }
    void connection_closed(const Connection& connection, std::int64_t) override {
        ++closed;
        requests += connection.requests;
    }
    void phase(const Connection&, const PhaseStretch&) override { ++stretches; }
};

// One thread that looks a name up, connects to it over TLS, asks once, and closes; again and again.
class Client {
   public:
    explicit Client(Resolver& resolver) : resolver_(resolver) {
        model::Event birth;
        birth.mutable_birth()->set_thread(1);
        birth.mutable_birth()->set_process(1);
        resolver.event(birth);
    }
    void once() {
        const std::string name = "n" + std::to_string(count_++) + ".example.org";
        dns(name, false);
        dns(name, true);
        call("socket", {2, 1, 0}, 4);
        call("connect", {4, 0, 16}, 0);
        model::Event hello = fact();
        hello.mutable_stream()->mutable_name()->set_source(model::NameClaim::TLS_SNI);
        hello.mutable_stream()->mutable_name()->set_name(name);
        resolver_.event(hello);
        record(true, 22, 1);
        call("sendto", {4, 0, 517}, 517);
        record(false, 22, 2);
        call("recvfrom", {4, 0, 5000}, 4000);
        record(true, 23, 0);
        call("sendto", {4, 0, 58}, 58);
        call("sendto", {4, 0, 200}, 200);
        call("recvfrom", {4, 0, 5000}, 5000);
        call("close", {4}, 0);
    }

   private:
    model::Event fact() const {
        model::Event event;
        event.mutable_stream()->set_thread(1);
        event.mutable_stream()->set_fd(4);
        event.mutable_stream()->set_time_ns(now_ns_ + 5);
        event.mutable_stream()->set_sent(true);
        return event;
    }
    void record(bool sent, std::uint32_t type, std::uint32_t handshake) {
        model::Event event = fact();
        event.mutable_stream()->set_sent(sent);
        event.mutable_stream()->mutable_tls()->set_type(type);
        event.mutable_stream()->mutable_tls()->set_length(53);
        event.mutable_stream()->mutable_tls()->set_handshake_type(handshake);
        event.mutable_stream()->mutable_tls()->set_version(0x0304);
        resolver_.event(event);
    }
    std::string ip() const { return {'\xc0', 0, 2, static_cast<char>(count_ % 20)}; }
    void dns(const std::string& name, bool response) {
        model::Event event;
        auto& message = *event.mutable_dns();
        message.set_thread(1);
        message.set_fd(3);
        message.set_time_ns(now_ns_ += 10);
        message.set_response(response);
        message.add_questions()->set_name(name);
        if (response) {
            message.add_answers()->set_name(name);
            message.mutable_answers(0)->set_type(1);
            message.mutable_answers(0)->set_ip(ip());
        } else {
            // A socket of its own for each, as getaddrinfo(3) does.
            call("socket", {2, 2, 0}, 3);
        }
        resolver_.event(event);
        if (response) call("close", {3}, 0);
    }
    void call(const char* name, std::initializer_list<std::uint64_t> arguments, std::int64_t result) {
        model::Syscall call;
        call.set_thread(1);
        call.set_abi(model::X86_64);
        call.set_number(static_cast<std::uint32_t>(model::find_syscall(name)->x86_64));
        for (const std::uint64_t argument : arguments) call.add_arguments(argument);
        while (call.arguments_size() < 6) call.add_arguments(0);
        call.set_entry_ns(now_ns_ += 10);
        call.set_exit_ns(now_ns_ += 10);
        call.set_result(result);
        if (std::string(name) == "connect") {
            auto& address = *call.add_captured();
            address.set_argument(1);
            address.mutable_address()->set_family(2);
            address.mutable_address()->set_ip(ip());
            address.mutable_address()->set_port(443);
        }
        resolver_.syscall(call);
    }

    Resolver& resolver_;
    std::uint64_t count_ = 0;
    std::int64_t now_ns_ = 0;
};

}  // namespace

TEST_CASE("fifty thousand connections in sequence need no more memory than a few thousand", "[resolve][memory]") {
    Counter counter;
    Resolver resolver(counter);
    Client client(resolver);
    // Until everything that keeps the last few is full.
    for (int i = 0; i < 10'000; ++i) client.once();
    const auto before = static_cast<std::int64_t>(mallinfo2().uordblks);
    for (int i = 0; i < 40'000; ++i) client.once();
    const auto after = static_cast<std::int64_t>(mallinfo2().uordblks);
    CHECK(after - before < 256 * 1024);
    resolver.finish();
    CHECK(counter.opened == 50'000);
    CHECK(counter.closed == 50'000);
    CHECK(counter.requests == 50'000);
    CHECK(counter.most_open == 1);
    CHECK(counter.stretches >= 4 * 50'000);
}
