// Happy Eyeballs: who was given up because another address of the same name was faster, and who has failed.
#include <poll.h>

#include "resolve_probe.hpp"

using namespace slowtrace::resolve;

namespace {

constexpr long ms = 1'000'000;
const std::string host6 = "\\040\\001\\015\\270\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\001";  // 2001:db8::1

std::string at_ms(int from, int to) {
    return " @" + std::to_string(from * ms) + "-" + std::to_string(to * ms) + " ";
}

// extra.example.org is 2001:db8::1, which is dead, and 192.0.2.9.
struct RacingProbe : ProbeWithRoot {
    std::map<std::string, bool> lost;  // by address

    explicit RacingProbe(bool named = true) {
        if (named)
            play(
                "dns { thread: 1 fd: 3 response: true questions { name: \"extra.example.org\" type: 255 } answers { "
                "name: \"extra.example.org\" type: 28 ip: \"" +
                host6 + "\" } answers { name: \"extra.example.org\" type: 1 ip: \"" + host9 + "\" } }");
    }
    void start(int fd, bool six, int at) {
        play("1 socket(" + std::string(six ? "10" : "2") + " 2049 0) = " + std::to_string(fd) + at_ms(at, at));
        play("1 connect(" + std::to_string(fd) + " 0 28) = -115" + at_ms(at, at) +
             address(1, six ? " family: 10 ip: \"" + host6 + "\" port: 443 " : ip4(host9, 443)));
    }
    void learn(int fd, int error, int at) {
        play("1 getsockopt(" + std::to_string(fd) + " 1 4) = 0" + at_ms(at, at) + number(3, error));
    }
    void close(int fd, int at) { play("1 close(" + std::to_string(fd) + ") = 0" + at_ms(at, at)); }
    void wait_in_vain(int fd, int from, int to) {
        play("1 poll(0 1 250) = 0" + at_ms(from, to) + polled(fd, POLLOUT, 0));
    }
    void connection_closed(const Connection& connection, std::int64_t time_ns) override {
        lost[connection.peer.address] = connection.lost_race;
        ResolveProbe::connection_closed(connection, time_ns);
    }
    // The outcome of each attempt, in the order told.
    Lines outcomes() const {
        Lines words;
        for (const std::string& line : told("attempt")) words.push_back(line.substr(line.find(' ') + 1));
        for (std::string& word : words) word.erase(word.find(' '));
        return words;
    }
};

}  // namespace

TEST_CASE("closed right after another address of the name has won: lost the race", "[resolve][races]") {
    RacingProbe probe(GENERATE(true, false));
    probe.start(4, true, 10);
    probe.wait_in_vain(4, 10, 260);
    probe.start(5, false, 260);
    probe.learn(5, 0, 280);
    probe.close(4, 281);
    probe.close(5, 900);
    CHECK(probe.outcomes() == Lines{"connected", "lost_race"});
    CHECK(probe.lost == std::map<std::string, bool>{{"2001:db8::1", true}, {"192.0.2.9", false}});
}

TEST_CASE("both connected, one closed unused", "[resolve][races]") {
    RacingProbe probe;
    probe.start(4, true, 10);
    probe.start(5, false, 12);
    probe.learn(5, 0, 30);
    probe.learn(4, 0, 31);
    probe.close(4, 32);
    probe.play("1 sendto(5 0 9 0) = 100" + at_ms(33, 33));
    probe.close(5, 900);
    CHECK(probe.lost == std::map<std::string, bool>{{"2001:db8::1", true}, {"192.0.2.9", false}});
}

TEST_CASE("one at a time: a short turn, then the next address", "[resolve][races]") {
    RacingProbe probe;
    probe.start(4, true, 10);
    probe.wait_in_vain(4, 10, 260);
    probe.close(4, 260);
    CHECK(probe.told("closed").empty());
    SECTION("which connects") {
        probe.start(5, false, 261);
        probe.learn(5, 0, 300);
        CHECK(probe.outcomes() == Lines{"lost_race", "connected"});
        CHECK(probe.lost.at("2001:db8::1"));
    }
    SECTION("which fails, too") {
        probe.start(5, false, 261);
        probe.learn(5, 111, 300);
        CHECK(probe.outcomes() == Lines{"timed_out", "refused"});
        CHECK_FALSE(probe.lost.at("2001:db8::1"));
    }
    SECTION("that never comes") {
        probe.play("1 fsync(0) = 0" + at_ms(900, 901));
        CHECK(probe.outcomes() == Lines{"timed_out"});
        CHECK(probe.told("closed").size() == 1);
    }
    SECTION("that comes too late") {
        probe.start(5, false, 500);
        probe.learn(5, 0, 510);
        CHECK(probe.outcomes() == Lines{"timed_out", "connected"});
    }
    SECTION("cut short by the end") {
        probe.start(5, false, 261);
        probe.finish();
        CHECK(probe.outcomes().size() == 2);
        CHECK(probe.told("closed").size() == 2);
        CHECK(probe.all.back().find("end") == 0);
    }
}

TEST_CASE("what failed for reasons of its own has lost no race", "[resolve][races]") {
    RacingProbe probe;
    SECTION("timed out after the usual time") {
        probe.start(4, true, 10);
        probe.wait_in_vain(4, 10, 15010);
        probe.close(4, 15010);
        probe.start(5, false, 15011);
        probe.learn(5, 0, 15030);
        CHECK(probe.outcomes() == Lines{"timed_out", "connected"});
    }
    SECTION("refused") {
        probe.start(4, true, 10);
        probe.learn(4, 111, 11);
        probe.close(4, 11);
        probe.start(5, false, 12);
        probe.learn(5, 0, 20);
        CHECK(probe.outcomes() == Lines{"refused", "connected"});
    }
    SECTION("another port is another service") {
        probe.start(4, true, 10);
        probe.play("1 socket(2 1 0) = 5" + at_ms(11, 11) + "\n1 connect(5 0 16) = 0" + at_ms(12, 13) +
                   address(1, ip4(host9, 80)));
        probe.close(4, 14);
        probe.finish();
        CHECK(probe.outcomes() == Lines{"connected", "abandoned"});
    }
    SECTION("long after the winner") {
        probe.start(4, true, 10);
        probe.start(5, false, 20);
        probe.learn(5, 0, 30);
        probe.wait_in_vain(4, 30, 10030);
        probe.close(4, 10030);
        CHECK(probe.outcomes() == Lines{"connected", "timed_out"});
    }
}
