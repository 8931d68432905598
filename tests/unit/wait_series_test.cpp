// Which waits go on with the one before.
#include "model/wait_series.hpp"

#include <cerrno>

#include "catch.hpp"

using namespace slowtrace;

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

struct MadeWait {
    model::Syscall call;
    const model::SyscallRow* row;

    MadeWait(const char* name, int first, std::int64_t from_s, std::int64_t to_s, std::int64_t result)
        : row(model::find_syscall(name)) {
        REQUIRE(row);
        call.add_arguments(static_cast<std::uint64_t>(first));
        for (int i = 1; i < 6; ++i) call.add_arguments(0);
        call.set_entry_ns(from_s * second_ns);
        call.set_exit_ns(to_s * second_ns);
        call.set_result(result);
    }
    MadeWait& asking(std::initializer_list<int> fds) {
        auto& poll = *call.add_captured()->mutable_poll();
        for (const int fd : fds) poll.add_members()->set_fd(fd);
        return *this;
    }
};

struct Series {
    model::WaitSeries waits;
    Series& ended(const MadeWait& wait) {
        waits.ended(*wait.row, wait.call);
        return *this;
    }
    std::int64_t since_s(const MadeWait& wait) const { return waits.since_ns(*wait.row, wait.call) / second_ns; }
};

MadeWait poll(std::initializer_list<int> fds, std::int64_t from_s, std::int64_t to_s, int ready = 0) {
    return MadeWait("poll", 0, from_s, to_s, ready).asking(fds);
}

}  // namespace

TEST_CASE("the same wait again goes on since the first", "[live]") {
    Series series;
    CHECK(series.since_s(poll({3, 4}, 1, 2)) == 1);
    series.ended(poll({3, 4}, 1, 2)).ended(poll({3, 4}, 3, 4));
    CHECK(series.since_s(poll({3, 4}, 5, 6)) == 1);
    CHECK(series.waits.until_ns() == 4 * second_ns);
    CHECK(series.since_s(poll({3}, 5, 6)) == 5);
    CHECK(series.since_s(MadeWait("ppoll", 0, 5, 6, 0).asking({3, 4})) == 5);
    SECTION("a look in between changes nothing") {
        series.ended(poll({3}, 4, 4)).ended(MadeWait("getsockopt", 3, 4, 4, 0)).ended(MadeWait("read", 9, 4, 4, 100));
        CHECK(series.since_s(poll({3, 4}, 5, 6)) == 1);
    }
    SECTION("what was not there does not either") {
        series.ended(MadeWait("recvfrom", 3, 4, 4, -EAGAIN));
        CHECK(series.since_s(poll({3, 4}, 5, 6)) == 1);
    }
    SECTION("something arrives") {
        series.ended(MadeWait("recvfrom", 3, 4, 4, 100));
        CHECK(series.since_s(poll({3, 4}, 5, 6)) == 5);
    }
    SECTION("something is ready") {
        series.ended(poll({3, 4}, 4, 5, 1));
        CHECK(series.since_s(poll({3, 4}, 5, 6)) == 5);
    }
    SECTION("a descriptor gets another meaning") {
        series.ended(MadeWait("close", 4, 4, 4, 0));
        CHECK(series.since_s(poll({3, 4}, 5, 6)) == 5);
    }
    SECTION("another wait is in vain") {
        series.ended(poll({5}, 4, 5));
        CHECK(series.since_s(poll({3, 4}, 5, 6)) == 5);
        CHECK(series.since_s(poll({5}, 5, 6)) == 4);
    }
}

TEST_CASE("a receive with a time limit and an epoll list are waits as well", "[live]") {
    Series receiving;
    receiving.ended(MadeWait("recvfrom", 3, 1, 2, -EAGAIN));
    CHECK(receiving.since_s(MadeWait("recvfrom", 3, 2, 3, 0)) == 1);
    CHECK(receiving.since_s(MadeWait("recvfrom", 4, 2, 3, 0)) == 2);
    Series listed;
    listed.ended(MadeWait("epoll_wait", 5, 1, 2, 0));
    CHECK(listed.since_s(MadeWait("epoll_wait", 5, 2, 3, 0)) == 1);
    listed.ended(MadeWait("epoll_wait", 5, 2, 3, 1));
    CHECK(listed.since_s(MadeWait("epoll_wait", 5, 3, 4, 0)) == 3);
}

TEST_CASE("sleeps wait for nobody and are no series", "[live]") {
    Series series;
    series.ended(MadeWait("nanosleep", 0, 1, 2, 0)).ended(MadeWait("poll", 0, 2, 3, 0));
    CHECK(series.since_s(MadeWait("nanosleep", 0, 3, 4, 0)) == 3);
    CHECK(series.since_s(MadeWait("poll", 0, 3, 4, 0)) == 3);
    CHECK(series.waits.since_ns() == 0);
}
