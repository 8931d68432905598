// Which calls a tracer's stop would disturb, and what the kernel tells of blocked threads and epolls from outside.
#include "record/blocked_call.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <thread>

#include "catch.hpp"
#include "record/descriptor_copy.hpp"
#include "record/epoll_list.hpp"
#include "slowtrace/unique_fd.hpp"

using namespace slowtrace;
using namespace slowtrace::record;

namespace {

SyscallStop call(const char* name, std::uint64_t first = 0, std::uint64_t second = 0, std::uint64_t third = 0,
                 std::uint64_t fourth = 0) {
    SyscallStop stop;
    stop.audit_architecture = AUDIT_ARCH_X86_64;
    stop.number = static_cast<std::uint64_t>(model::number_in(*model::find_syscall(name), model::X86_64));
    stop.arguments[0] = first;
    stop.arguments[1] = second;
    stop.arguments[2] = third;
    stop.arguments[3] = fourth;
    return stop;
}

Disturbance disturbance(const SyscallStop& stop, bool just_began = false) {
    return disturbance_of(stop, getpid(), gettid(), just_began);
}

}  // namespace

TEST_CASE("most calls come through a stop unchanged", "[attach]") {
    for (const char* name : {"poll", "ppoll", "select", "nanosleep", "futex", "wait4", "pause", "flock", "msgrcv"})
        CHECK(disturbance(call(name, 99)) == Disturbance::none);
    SyscallStop unknown = call("poll");
    unknown.number = 99'999;
    CHECK(disturbance(unknown) == Disturbance::none);
}

TEST_CASE("a time limit that a stop would end is left alone until the call has just begun", "[attach]") {
    const auto ms = std::uint64_t{500};
    for (const SyscallStop& limited : {call("epoll_wait", 3, 0, 1, ms), call("semtimedop", 0, 0, 1, 4096),
                                       call("rt_sigtimedwait", 0, 0, 4096), call("io_uring_enter", 3)}) {
        CHECK(disturbance(limited) == Disturbance::lasting);
        CHECK(disturbance(limited, true) == Disturbance::restorable);
    }
    CHECK(disturbance(call("epoll_wait", 3, 0, 1, UINT64_MAX)) == Disturbance::restorable);
    CHECK(disturbance(call("epoll_pwait2", 3, 0, 1, 0)) == Disturbance::restorable);
    CHECK(disturbance(call("rt_sigtimedwait")) == Disturbance::restorable);
    CHECK(disturbance(call("semop")) == Disturbance::restorable);
}

TEST_CASE("EINTR cannot be made good where the kernel prepares the restart before it stops", "[attach]") {
    SyscallStop wait = call("epoll_wait");
    wait.audit_architecture = AUDIT_ARCH_AARCH64;
    wait.number = static_cast<std::uint64_t>(model::number_in(*model::find_syscall("epoll_pwait"), model::AARCH64));
    wait.arguments[3] = UINT64_MAX;
    CHECK(disturbance(wait) == Disturbance::lasting);
    CHECK(disturbance(wait, true) == Disturbance::lasting);
}

TEST_CASE("a call that may have moved a part is left alone", "[attach]") {
    for (const char* name : {"write", "writev", "sendto", "sendmsg", "sendfile", "splice", "recvmmsg"}) {
        CHECK(disturbance(call(name, 99), true) == Disturbance::lasting);
        CHECK(moves_octets(call(name, 99)));
    }
    CHECK(disturbance(call("recvfrom", 99, 0, 9, MSG_WAITALL), true) == Disturbance::lasting);
    CHECK(disturbance(call("recvmsg", 99, 0, MSG_WAITALL), true) == Disturbance::lasting);
    CHECK_FALSE(moves_octets(call("recvfrom", 99)));
}

TEST_CASE("a socket's own time limit is asked for", "[attach]") {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const UniqueFd one(ends[0]), other(ends[1]);
    const auto fd = static_cast<std::uint64_t>(one.get());
    CHECK(disturbance(call("recvfrom", fd)) == Disturbance::none);
    const timeval limit{1, 0};
    REQUIRE(setsockopt(one.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    CHECK(disturbance(call("recvfrom", fd)) == Disturbance::lasting);
    CHECK(disturbance(call("recvfrom", fd), true) == Disturbance::restorable);
    CHECK(disturbance(call("connect", fd)) == Disturbance::none);
}

TEST_CASE("a time limit that cannot be written back is left alone", "[attach]") {
    static const timeval in_constants{1, 0};
    timeval on_stack{1, 0};
    const auto select_with = [](const timeval& limit) {
        SyscallStop stop = call("select");
        stop.arguments[4] = reinterpret_cast<std::uintptr_t>(&limit);
        return stop;
    };
    CHECK(disturbance(select_with(on_stack)) == Disturbance::none);
    CHECK(disturbance(select_with(in_constants)) == Disturbance::lasting);
    CHECK(disturbance(select_with(in_constants), true) == Disturbance::restorable);
}

TEST_CASE("calls that look alike are told apart by what they have done", "[attach]") {
    const UniqueFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
    const SyscallStop writing = call("write", static_cast<std::uint64_t>(null.get()), 4096, 1);
    const Progress before = progress_of(writing, getpid(), gettid());
    CHECK_FALSE(has_returned_between(writing, before, progress_of(writing, getpid(), gettid())));
    REQUIRE(write(null.get(), "x", 1) == 1);
    const Progress after = progress_of(writing, getpid(), gettid());
    CHECK(has_returned_between(writing, before, after));
    // One sendto(2) accounts for as many octets as it was given.
    const SyscallStop sending = call("sendto", 3, 4096, 100);
    CHECK_FALSE(has_returned_between(sending, {0, 50}, {0, 150}));
    CHECK(has_returned_between(sending, {0, 50}, {0, 151}));
}

TEST_CASE("a thread with a descriptor table of its own is asked itself", "[attach]") {
    int ends[2], others[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE(pipe2(others, O_CLOEXEC) == 0);
    const UniqueFd one(ends[0]), two(ends[1]), three(others[0]), four(others[1]);
    bool shared_before = false, shared_after = true, same_file = false;
    // The main thread's own number is asked of it while it waits for this one.
    std::thread([&] {
        shared_before = share_descriptors(getpid(), gettid());
        REQUIRE(unshare(CLONE_FILES) == 0);
        REQUIRE(dup2(three.get(), one.get()) == one.get());
        shared_after = share_descriptors(getpid(), gettid());
        const UniqueFd copy = copy_descriptor(getpid(), gettid(), one.get());
        struct stat expected, found;
        same_file = copy && fstat(three.get(), &expected) == 0 && fstat(copy.get(), &found) == 0 &&
                    expected.st_ino == found.st_ino;
    }).join();
    CHECK(shared_before);
    CHECK_FALSE(shared_after);
    CHECK(same_file);
}

TEST_CASE("two looks at a thread are told apart by all that a call is", "[attach]") {
    const SyscallStop first = call("read", 3, 4096, 10);
    SyscallStop second = first;
    CHECK(same_call(first, second));
    second.stack_pointer += 16;
    CHECK_FALSE(same_call(first, second));
    second = first;
    second.arguments[5] = 1;
    CHECK_FALSE(same_call(first, second));
}

TEST_CASE("our own program's architecture and state are told", "[attach]") {
    CHECK(audit_architecture_of(getpid()) != 0);
    CHECK(audit_architecture_of(999'999'999) == 0);
    // Whoever looks at itself is in the very call that looks.
    const auto looking = read_blocked_call(gettid(), audit_architecture_of(getpid()));
    REQUIRE(looking);
    CHECK(looking->number == SYS_read);
    CHECK(looking->stack_pointer != 0);
    CHECK_FALSE(read_blocked_call(999'999'999, AUDIT_ARCH_X86_64));
    CHECK(time_on_cpu_ns(gettid()) > 0);
}

TEST_CASE("an epoll's interest list is read from outside", "[attach]") {
    const UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC)), watched(eventfd(0, EFD_CLOEXEC));
    epoll_event event{EPOLLIN | EPOLLET, {}};
    event.data.u64 = 0x1234567890;
    REQUIRE(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, watched.get(), &event) == 0);
    const auto list = read_epoll_list(getpid(), epoll.get(), 8);
    REQUIRE(list.size() == 1);
    CHECK(list[0].fd() == watched.get());
    CHECK((list[0].events() & (EPOLLIN | EPOLLET)) == (EPOLLIN | EPOLLET));
    CHECK(list[0].data() == 0x1234567890);
    CHECK(read_epoll_list(getpid(), watched.get(), 8).empty());
    CHECK(read_epoll_list(getpid(), epoll.get(), 0).empty());
}
