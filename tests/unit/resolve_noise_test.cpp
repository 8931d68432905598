// Whatever comes in, what goes out stays consistent: thousands of random events, a handful of numbers.
#include <map>
#include <random>
#include <set>

#include "resolve_probe.hpp"

using namespace slowtrace;
using namespace slowtrace::resolve;

namespace {

// Checks the promises of ResolvedSink as they are told.
struct Auditor : ResolvedSink {
    std::set<std::uint64_t> open, closed;
    std::set<std::uint32_t> processes, threads;
    void process_started(const Process& process) override { CHECK(processes.insert(index(process.id)).second); }
    void process_ended(const Process& process) override { CHECK(processes.erase(index(process.id)) == 1); }
    void thread_started(const Thread& thread) override { CHECK(threads.insert(index(thread.id)).second); }
    void thread_ended(const Thread& thread) override { CHECK(threads.erase(index(thread.id)) == 1); }
    void connection_opened(const Connection& connection, std::int64_t) override {
        CHECK(open.insert(connection.id).second);
        CHECK_FALSE(connection.peer.display().empty());
    }
    void connection_closed(const Connection& connection, std::int64_t) override {
        CHECK(open.erase(connection.id) == 1);
        CHECK(closed.insert(connection.id).second);
        CHECK(connection.state == ConnectionState::closed);
        CHECK(connection.claims.size() <= 64);
        const bool told = reach.count(connection.id) != 0;
        // A call that ends after the close, but began before, may have moved more since.
        if (told) CHECK(octets[connection.id] == connection.bytes_sent + connection.bytes_received);
        reach.erase(connection.id);
        octets.erase(connection.id);
    }
    std::map<std::uint64_t, std::int64_t> reach;
    std::map<std::uint64_t, std::uint64_t> octets;
    void phase(const Connection& connection, const PhaseStretch& stretch) override {
        CHECK(open.count(connection.id) == 1);
        CHECK(stretch.from_ns <= stretch.to_ns);
        const auto [known, first] = reach.try_emplace(connection.id, stretch.from_ns);
        CHECK(known->second == stretch.from_ns);
        known->second = stretch.to_ns;
        octets[connection.id] += stretch.bytes_sent + stretch.bytes_received;
    }
    void connect_attempt(const ConnectAttempt& attempt) override { REQUIRE(attempt.connection != nullptr); }
    void call(const ResolvedCall& call) override {
        for (const auto& one : call.descriptors) touch(one);
        for (const auto& one : call.watched) touch(one);
    }
    static void touch(const ResolvedDescriptor& one) {
        if (one.file != nullptr) CHECK(ResolveProbe::text(one).size() > 1);
    }
};

class Noise {
   public:
    explicit Noise(unsigned seed) : random_(seed) {}

    model::Event event() {
        model::Event event;
        switch (below(24)) {
            case 0:
                birth(*event.mutable_birth());
                break;
            case 1:
                event.mutable_death()->set_thread(thread());
                event.mutable_death()->set_time_ns(time());
                break;
            case 2:
                event.mutable_exec()->set_thread(thread());
                break;
            case 3:
                binding(*event.mutable_binding());
                break;
            case 4:
                dns(*event.mutable_dns());
                break;
            case 6:
            case 7:
                stream(*event.mutable_stream());
                break;
            case 8:
                peer(event);
                break;
            case 5:
                event.mutable_process_exit()->set_process(below(12));
                break;
            default:
                call(*event.mutable_syscall());
        }
        return event;
    }

   private:
    std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
    std::uint32_t thread() { return below(16); }
    int fd() { return below(50) == 0 ? static_cast<int>(random_()) : static_cast<int>(below(10)) - 1; }
    std::int64_t time() { return below(100) == 0 ? static_cast<std::int64_t>(random_()) << 32 : now_ += below(20); }

    void birth(model::ThreadBirth& birth) {
        birth.set_thread(thread());
        birth.set_process(below(12));
        birth.set_pid(static_cast<int>(below(8)));
        birth.set_has_parent(below(4) != 0);
        birth.set_parent_thread(thread());
        birth.set_clone_flags(below(2) == 0 ? 0x400 : below(2) == 0 ? 0x10f00 : 17);
        birth.set_time_ns(time());
    }
    void binding(model::DescriptorBinding& binding) {
        static const char* const targets[] = {"/x", "pipe:[7]", "socket:[8]", "socket:[9]", "anon_inode:[eventpoll]",
                                              ""};
        binding.set_thread(thread());
        binding.set_fd(fd());
        binding.set_target(targets[below(6)]);
        binding.set_flags(below(4));
        if (below(2) == 0) return;
        address(*binding.mutable_socket()->mutable_peer());
        address(*binding.mutable_socket()->mutable_local());
        binding.mutable_socket()->set_family(static_cast<int>(below(4)));
        binding.mutable_socket()->set_type(static_cast<int>(below(4)));
        binding.mutable_socket()->set_listening(below(2) == 0);
    }
    void address(model::SocketAddress& address) {
        address.set_family(below(2) == 0 ? 1 : 2);
        address.set_ip(std::string(below(5), '\x7f'));
        address.set_port(below(2) == 0 ? 53 : 80);
        address.set_path(below(2) == 0 ? "/run/s" : "");
    }
    void dns(model::DnsMessage& message) {
        message.set_thread(thread());
        message.set_fd(fd());
        message.set_response(below(2) == 0);
        message.set_time_ns(time());
        message.set_carrier(static_cast<model::DnsMessage::Carrier>(below(4)));
        if (below(2) == 0) address(*message.mutable_server());
        if (below(4) != 0) message.add_questions()->set_name(below(2) == 0 ? "a.test" : "b.test");
        for (std::uint32_t i = below(4); i > 0; --i) {
            auto& answer = *message.add_answers();
            answer.set_name(below(2) == 0 ? "a.test" : "b.test");
            answer.set_type(below(2) == 0 ? 5 : 1);
            answer.set_target(below(2) == 0 ? "a.test" : "b.test");
            answer.set_ip("\x7f\x7f\x7f\x7f");
        }
    }
    void stream(model::StreamFact& fact) {
        fact.set_thread(thread());
        fact.set_fd(fd());
        fact.set_sent(below(2) == 0);
        if (below(4) == 0) address(*fact.mutable_peer());
        switch (below(4)) {
            case 0:
                fact.mutable_name()->set_source(static_cast<model::NameClaim::Source>(below(8)));
                fact.mutable_name()->set_name("n" + std::to_string(below(200)) + ".test");
                fact.mutable_name()->set_port(below(2) * 70000);
                break;
            case 1:
                fact.mutable_proxy()->set_granted(true);
                break;
            case 2:
                fact.mutable_request()->set_version(below(2) == 0 ? 20 : 11);
                break;
            default:
                fact.mutable_tls()->set_type(20 + below(4));
                fact.mutable_tls()->set_length(below(10) == 0 ? 0xffffffff : below(100));
                fact.mutable_tls()->set_handshake_type(below(3));
                fact.mutable_tls()->set_version(0x0303 + below(2));
        }
    }
    void peer(model::Event& event) {
        if (below(2) == 0) {
            event.mutable_tcp()->set_thread(thread());
            event.mutable_tcp()->set_fd(fd());
            return;
        }
        event.mutable_peer_process()->set_thread(thread());
        event.mutable_peer_process()->set_fd(fd());
        event.mutable_peer_process()->set_pid(static_cast<int>(below(8)));
        event.mutable_peer_process()->set_listener(below(2) == 0);
    }
    void call(model::Syscall& call) {
        static const char* const names[] = {
            "openat",     "close",    "dup2",     "socket",     "connect",     "accept4",       "bind",
            "listen",     "sendmsg",  "recvmsg",  "socketpair", "pipe2",       "epoll_create1", "epoll_ctl",
            "epoll_wait", "poll",     "select",   "getsockopt", "fcntl",       "close_range",   "unshare",
            "wait4",      "waitid",   "clone3",   "pidfd_open", "pidfd_getfd", "read",          "write",
            "sendto",     "recvfrom", "sendmmsg", "splice",     "getsockname"};
        const model::SyscallRow& row = *model::find_syscall(names[below(std::size(names))]);
        call.set_thread(thread());
        call.set_abi(model::X86_64);
        call.set_number(static_cast<std::uint32_t>(row.x86_64));
        for (int i = 0; i < 6; ++i) call.add_arguments(static_cast<std::uint64_t>(fd()));
        call.set_entry_ns(time());
        call.set_exit_ns(time());
        static const std::int64_t errors[] = {-4, -9, -11, -104, -106, -110, -111, -114, -115};
        call.set_result(below(3) == 0 ? errors[below(std::size(errors))] : fd());
        if (below(20) == 0) call.set_ending(model::Syscall::DIED);
        for (int i = 0; i < 5; ++i)
            if (row.arguments[static_cast<std::size_t>(i)].shape != model::Shape::none) capture(call, i);
    }
    void capture(model::Syscall& call, int argument) {
        model::Captured& captured = *call.add_captured();
        captured.set_argument(static_cast<std::uint32_t>(argument));
        switch (below(8)) {
            case 0:
                captured.mutable_pair()->set_first(fd());
                captured.mutable_pair()->set_second(fd());
                break;
            case 1:
                captured.mutable_poll()->add_members()->set_fd(fd());
                captured.mutable_poll()->mutable_members(0)->set_ready(below(32));
                break;
            case 2:
                captured.mutable_epoll()->add_members()->set_events(below(2) == 0 ? 5 : 1u << 30 | 1);
                captured.mutable_epoll()->mutable_members(0)->set_data(below(3));
                break;
            case 3:
                captured.mutable_messages()->add_messages()->add_passed_descriptors(fd());
                break;
            case 4:
                captured.mutable_descriptors()->add_wanted(fd());
                captured.mutable_descriptors()->add_ready(fd());
                break;
            case 5:
                captured.set_number(below(2) == 0 ? 0 : 111);
                break;
            default:
                address(*captured.mutable_address());
        }
    }

    std::mt19937 random_;
    std::int64_t now_ = 0;
};

}  // namespace

TEST_CASE("random events: every promise to the sink is kept", "[resolve]") {
    for (unsigned seed = 1; seed <= 120; ++seed) {
        CAPTURE(seed);
        Auditor auditor;
        {
            Resolver resolver(auditor);
            Noise noise(seed);
            for (int i = 0; i < 3000; ++i) resolver.event(noise.event());
            resolver.finish();
        }
        CHECK(auditor.open.empty());
        CHECK(auditor.threads.empty());
        CHECK(auditor.processes.empty());
    }
}
