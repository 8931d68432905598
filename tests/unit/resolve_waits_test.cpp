// What poll, select and epoll waited for, and what was ready.
#include "resolve_probe.hpp"

using namespace slowtrace::resolve;

namespace {

// An epoll 3 watching the eventfd 4 for EPOLLIN with cookie 44.
struct EpollProbe : ProbeWithRoot {
    EpollProbe() { play("1 epoll_create1(0) = 3\n1 eventfd2(0 0) = 4\n1 epoll_ctl(3 1 4 0) = 0" + event(3, 1, 44)); }
    // What a wait on `epoll` says it waited for, as number wanted:ready.
    std::string wait(const std::string& more = "", int epoll = 3, int result = 0, int thread = 1) {
        std::string text;
        on_call = [&](const ResolvedCall& call) {
            for (const auto& one : call.watched)
                text += (text.empty() ? "" : " ") + std::to_string(one.number) + '/' + std::to_string(one.wanted) +
                        ':' + std::to_string(one.ready);
        };
        play(std::to_string(thread) + " epoll_wait(" + std::to_string(epoll) + " 0 9 -1) = " + std::to_string(result) +
             more);
        on_call = nullptr;
        return text;
    }
};

constexpr unsigned one_shot = 1u << 30;

}  // namespace

TEST_CASE("poll tells its members, with what they meant", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 openat(-100 0 0) = 3" + path(1, "/fifo"));
    probe.play(
        "1 poll(0 3 -1) = 1 captured { argument: 0 poll { members { fd: 3 wanted: 1 ready: 1 } "
        "members { fd: -1 wanted: 1 } members { fd: 9 wanted: 4 } } }");
    CHECK(probe.told("call").back() == "poll ?3=/fifo 1:1 ?9=closed 4:0");
    probe.play("1 ppoll(0 1 0 0) = -4" + polled(3, 1, 1));
    CHECK(probe.told("call").back() == "ppoll ?3=/fifo 1:0");
}

TEST_CASE("a poll member means what it meant when the poll began", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(second_thread + "1 openat(-100 0 0) = 5 @10-20" + path(1, "/old") + "\n1 close(5) = 0 @40-50");
    probe.play("1 openat(-100 0 0) = 5 @60-70" + path(1, "/new") + "\n2 poll(0 1 -1) = 0 @30-90" + polled(5, 1, 0));
    CHECK(probe.told("call").back() == "poll ?5=/old 1:0");
}

TEST_CASE("select's three sets are one list, as POLL bits", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 openat(-100 0 0) = 3" + path(1, "/a") + "\n1 openat(-100 0 0) = 4" + path(1, "/b"));
    probe.play(
        "1 select(5 1 1 1 0) = 1 captured { argument: 1 descriptors { wanted: 4 wanted: 3 ready: 3 } } "
        "captured { argument: 2 descriptors { wanted: 4 } } captured { argument: 3 descriptors { wanted: 3 } }");
    CHECK(probe.told("call").back() == "select ?3=/a 3:1 ?4=/b 5:0");
}

TEST_CASE("epoll waits for its interest list; readiness is found by the cookie", "[resolve]") {
    EpollProbe probe;
    CHECK(probe.wait() == "4/1:0");
    probe.play("1 eventfd2(0 0) = 5\n1 epoll_ctl(3 1 5 0) = 0" + event(3, 5, 55));
    CHECK(probe.wait(event(1, 4, 55), 3, 1) == "5/5:4 4/1:0");
    CHECK(probe.wait(event(1, 1, 999), 3, 1) == "4/1:0 5/5:0");
    probe.play("1 epoll_ctl(3 3 5 0) = 0" + event(3, 1, 44));
    CHECK(probe.wait() == "4/1:0 5/1:0");
    probe.play("1 epoll_ctl(3 2 4 0) = 0\n1 epoll_ctl(3 2 5 0) = -2");
    CHECK(probe.wait() == "5/1:0");
}

TEST_CASE("two descriptors with one cookie are told apart by what they asked for", "[resolve]") {
    EpollProbe probe;
    probe.play("1 eventfd2(0 0) = 5\n1 epoll_ctl(3 1 5 0) = 0" + event(3, 4, 44));
    CHECK(probe.wait(event(1, 4, 44), 3, 1) == "5/4:4 4/1:0");
    CHECK(probe.wait(event(1, 1, 44), 3, 1) == "4/1:1 5/4:0");
}

TEST_CASE("EPOLLONESHOT is waited for once, until re-armed", "[resolve]") {
    EpollProbe probe;
    probe.play("1 epoll_ctl(3 3 4 0) = 0" + event(3, one_shot | 1, 44));
    CHECK(probe.wait(event(1, 1, 44), 3, 1) == "4/1073741825:1");
    CHECK(probe.wait() == "");
    probe.play("1 epoll_ctl(3 3 4 0) = 0" + event(3, one_shot | 1, 44));
    CHECK(probe.wait() == "4/1073741825:0");
}

TEST_CASE("the interest goes with the open file's last descriptor, not with the first", "[resolve]") {
    EpollProbe probe;
    probe.play("1 dup(4) = 7\n1 close(4) = 0");
    CHECK(probe.wait() == "4/1:0");
    probe.play(child(2, 2, 200) + "1 close(7) = 0");
    CHECK(probe.wait() == "4/1:0");
    probe.play("death { thread: 2 time_ns: 900 }");
    CHECK(probe.wait() == "");
    probe.play("1 eventfd2(0 0) = 4");
    CHECK(probe.wait() == "");
}

TEST_CASE("an epoll and its list survive dup and fork", "[resolve]") {
    EpollProbe probe;
    probe.play("1 dup(3) = 8\n" + child(2, 2, 200));
    CHECK(probe.wait("", 8) == "4/1:0");
    CHECK(probe.wait("", 3, 0, 2) == "4/1:0");
    probe.play("2 epoll_ctl(3 2 4 0) = 0");
    CHECK(probe.wait() == "");
}

TEST_CASE("an epoll inside an epoll is told with what it waits for, to a bound", "[resolve]") {
    EpollProbe probe;
    probe.play("1 epoll_create1(0) = 6\n1 epoll_ctl(6 1 3 0) = 0" + event(3, 1, 33));
    CHECK(probe.wait(event(1, 1, 33), 6, 1) == "3/1:1 4/1:0");
    probe.play("1 epoll_ctl(3 1 6 0) = 0" + event(3, 1, 66));  // the kernel forbids it: ELOOP
    CHECK(probe.wait("", 6).size() < 200);
    probe.play("1 poll(0 1 -1) = 0" + polled(6, 1, 0));
    CHECK(probe.told("call").back().find("?4=") != std::string::npos);
}

TEST_CASE("a huge interest list is told in part", "[resolve]") {
    EpollProbe probe;
    for (int fd = 10; fd < 3010; ++fd)
        probe.play("1 eventfd2(0 0) = " + std::to_string(fd) + "\n1 epoll_ctl(3 1 " + std::to_string(fd) + " 0) = 0" +
                   event(3, 1, 44));
    std::size_t watched = 0;
    probe.on_call = [&](const ResolvedCall& call) { watched = call.watched.size(); };
    probe.play("1 epoll_wait(3 0 9 -1) = 0");
    CHECK(watched >= 1000);
    CHECK(watched < 3000);
}

TEST_CASE("a connect that epoll waited for ends as poll's would", "[resolve]") {
    EpollProbe probe;
    probe.play("1 socket(2 2049 0) = 5\n1 connect(5 0 16) = -115 @500-510" + address(1, ip4(host9, 80)) +
               "\n1 epoll_ctl(3 1 5 0) = 0 @520-521" + event(3, 4, 55));
    SECTION("in vain") {
        probe.play("1 epoll_wait(3 0 9 100) = 0 @530-800\n1 close(5) = 0 @810-811");
        CHECK(probe.told("attempt") == Lines{"192.0.2.9:80 timed_out 500-800"});
    }
    SECTION("refused, and closed without asking") {
        probe.play("1 epoll_wait(3 0 9 100) = 1 @530-800" + event(1, 28, 55) + "\n1 close(5) = 0 @810-811");
        CHECK(probe.told("attempt") == Lines{"192.0.2.9:80 failed 500-800"});
    }
    SECTION("connected, then used") {
        probe.play("1 epoll_wait(3 0 9 100) = 1 @530-800" + event(1, 4, 55) + "\n1 write(5 0 9) = 9 @810-811");
        CHECK(probe.told("attempt") == Lines{"192.0.2.9:80 connected 500-800"});
    }
}
