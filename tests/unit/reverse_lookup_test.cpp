// Reverse lookups against a name server of the test's own, on loopback.
#include "cli/reverse_lookup.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include "catch.hpp"
#include "slowtrace/dns.hpp"
#include "slowtrace/unique_fd.hpp"

namespace slowtrace::cli {
namespace {

using std::chrono::milliseconds;

// Answers PTR questions as `answer` says: the labels of the name, nothing to stay silent.
class NameServer {
   public:
    using Labels = std::vector<std::string>;
    using Answer = std::function<std::optional<Labels>(const std::string& question)>;

    explicit NameServer(Answer answer)
        : answer_(std::move(answer)),
          socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
          stop_(::eventfd(0, EFD_CLOEXEC)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    NameServer(const NameServer&) = delete;
    NameServer& operator=(const NameServer&) = delete;
    ~NameServer() {
        ::eventfd_write(stop_.get(), 1);
        thread_.join();
    }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    int questions() const { return questions_; }

   private:
    void serve() {
        std::vector<std::uint8_t> packet(512);
        while (true) {
            pollfd ready[] = {{socket_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
            ::poll(ready, 2, -1);
            if (ready[1].revents != 0) return;
            sockaddr_in from{};
            socklen_t size = sizeof from;
            const ssize_t count =
                ::recvfrom(socket_.get(), packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
            if (count > 0) reply({packet.begin(), packet.begin() + count}, from);
        }
    }

    void reply(std::vector<std::uint8_t> packet, const sockaddr_in& to) {
        const auto query = wire::parse_dns(packet);
        if (!query || query->questions_size() != 1 || query->questions(0).type() != 12) return;
        ++questions_;
        const std::optional<Labels> labels = answer_(query->questions(0).name());
        if (!labels) return;
        std::vector<std::uint8_t> name;
        for (const std::string& label : *labels) {
            name.push_back(static_cast<std::uint8_t>(label.size()));
            name.insert(name.end(), label.begin(), label.end());
        }
        name.push_back(0);
        packet[2] |= 0x80;
        packet[7] = 1;
        packet[11] = 0;  // whatever followed the question is left out
        packet.resize(12 + query->questions(0).name().size() + 2 + 4);
        packet.insert(packet.end(), {0xc0, 0x0c, 0, 12, 0, 1, 0, 0, 0, 60, 0, static_cast<std::uint8_t>(name.size())});
        packet.insert(packet.end(), name.begin(), name.end());
        ::sendto(socket_.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }

    Answer answer_;
    UniqueFd socket_, stop_;
    std::uint16_t port_ = 0;
    std::atomic<int> questions_ = 0;
    std::thread thread_;
};

std::string v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c), static_cast<char>(d)};
}

const std::string v6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + '\7';

TEST_CASE("addresses get the names their server gives", "[reverse_lookup]") {
    NameServer server([](const std::string& question) -> std::optional<NameServer::Labels> {
        if (question == "7.100.51.198.in-addr.arpa") return NameServer::Labels{"cdn", "example", "net"};
        if (question.starts_with("7.0.0.0.") && question.ends_with("8.b.d.0.1.0.0.2.ip6.arpa"))
            return NameServer::Labels{"six", "example", "org"};
        return std::nullopt;
    });
    const auto names = reverse_lookup({v4(198, 51, 100, 7), v6, v4(198, 51, 100, 7), "odd size"}, milliseconds(10'000),
                                      server.address());
    REQUIRE(names.size() == 2);
    REQUIRE(names.at(v4(198, 51, 100, 7)) == "cdn.example.net");
    REQUIRE(names.at(v6) == "six.example.org");
    REQUIRE(server.questions() == 2);
}

TEST_CASE("more addresses than go at once are all asked for", "[reverse_lookup]") {
    NameServer server([](const std::string& question) {
        return NameServer::Labels{"host-" + question.substr(0, question.find('.')), "test"};
    });
    std::vector<std::string> addresses;
    for (int i = 0; i < 200; ++i) addresses.push_back(v4(192, 0, 2, static_cast<std::uint8_t>(i)));
    const auto names = reverse_lookup(addresses, milliseconds(20'000), server.address());
    REQUIRE(names.size() == 200);
    REQUIRE(names.at(v4(192, 0, 2, 130)) == "host-130.test");
}

TEST_CASE("a silent server costs no more than the limit, answers come through", "[reverse_lookup]") {
    NameServer server([](const std::string& question) -> std::optional<NameServer::Labels> {
        if (question.starts_with("1.")) return NameServer::Labels{"one", "test"};
        return std::nullopt;
    });
    const auto start = std::chrono::steady_clock::now();
    const auto names = reverse_lookup({v4(192, 0, 2, 1), v4(192, 0, 2, 2)}, milliseconds(300), server.address());
    const auto took = std::chrono::steady_clock::now() - start;
    REQUIRE(names.size() == 1);
    REQUIRE(took >= milliseconds(300));
    REQUIRE(took < milliseconds(3'000));
}

TEST_CASE("names no host can have are dropped", "[reverse_lookup]") {
    NameServer server([](const std::string& question) {
        const std::string odd[] = {"\x1b[31m", "a b",         "<b>", std::string("a\0b", 3),
                                   "quote\"",  "caf\xc3\xa9", "a/b", "*"};
        return NameServer::Labels{odd[std::stoul(question) % 8], "test"};
    });
    std::vector<std::string> addresses;
    for (int i = 0; i < 8; ++i) addresses.push_back(v4(192, 0, 2, static_cast<std::uint8_t>(i)));
    REQUIRE(reverse_lookup(addresses, milliseconds(500), server.address()).empty());
    REQUIRE(server.questions() >= 8);
}

TEST_CASE("nothing to ask, or nobody, is no failure", "[reverse_lookup]") {
    REQUIRE(reverse_lookup({}, milliseconds(100)).empty());
    REQUIRE(reverse_lookup({v4(192, 0, 2, 1)}, milliseconds(100), "not a server list").empty());
    REQUIRE(reverse_lookup({v4(192, 0, 2, 1)}, milliseconds(0), "127.0.0.1:9").empty());
}

}  // namespace
}  // namespace slowtrace::cli
