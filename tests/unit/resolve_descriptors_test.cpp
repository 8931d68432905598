// What a descriptor means: opened, duplicated, closed, shared, copied, inherited, passed on.
#include <set>

#include "resolve_probe.hpp"

using namespace slowtrace::resolve;

TEST_CASE("open binds the result, by path", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 openat(-100 0 0) = 3" + path(1, "/etc/passwd"));
    CHECK(probe.told("call").back() == "openat ->3=/etc/passwd");
    probe.play("1 openat(-100 0 65536) = 4" + path(1, "/srv"));
    probe.play("1 openat(4 0 0) = 5" + path(1, "wheel"));
    CHECK(probe.told("call").back() == "openat 4=/srv ->5=/srv/wheel");
    probe.play("1 openat(-100 0 0) = -2" + path(1, "/missing"));
    CHECK(probe.told("call").back() == "openat");
    CHECK(probe.at(3) == "3=/etc/passwd");
}

TEST_CASE("each kind of new descriptor has its kind, and close-on-exec as asked", "[resolve]") {
    struct Row {
        const char* line;
        FileKind kind;
        bool survives_exec;
    };
    const auto row = GENERATE(
        Row{"1 eventfd2(0 0) = 3", FileKind::eventfd, true}, Row{"1 eventfd2(0 524288) = 3", FileKind::eventfd, false},
        Row{"1 timerfd_create(1 0) = 3", FileKind::timerfd, true},
        Row{"1 signalfd4(-1 0 8 524288) = 3", FileKind::signalfd, false},
        Row{"1 epoll_create1(524288) = 3", FileKind::epoll, false}, Row{"1 epoll_create(1) = 3", FileKind::epoll, true},
        Row{"1 inotify_init1(0) = 3", FileKind::inotify, true}, Row{"1 memfd_create(0 1) = 3", FileKind::memfd, false},
        Row{"1 pidfd_open(100 0) = 3", FileKind::pidfd, false},
        Row{"1 io_uring_setup(8 0) = 3", FileKind::io_uring, false}, Row{"1 userfaultfd(0) = 3", FileKind::other, true},
        Row{"1 perf_event_open(0 0 0 -1 8) = 3", FileKind::other, false},
        Row{"1 socket(2 524289 0) = 3", FileKind::socket, false},
        Row{"1 open(0 0) = 3 captured { argument: 0 path: \"/dev/pts/1\" }", FileKind::terminal, true},
        Row{"1 creat(0 0) = 3 captured { argument: 0 path: \"/tmp/x\" }", FileKind::regular, true},
        Row{"1 openat(-100 0 65536) = 3 captured { argument: 1 path: \"/\" }", FileKind::directory, true},
        Row{"1 openat2(-100 0 0 24) = 3 captured { argument: 1 path: \"/dev/null\" } "
            "captured { argument: 2 open_how { flags: 524288 } }",
            FileKind::device, false});
    CAPTURE(row.line);
    ProbeWithRoot probe;
    FileKind kind = FileKind::unknown;
    probe.on_call = [&](const ResolvedCall& call) {
        REQUIRE_FALSE(call.descriptors.empty());
        if (call.descriptors.back().file) kind = call.descriptors.back().file->kind;
    };
    probe.play(row.line);
    CHECK(kind == row.kind);
    probe.play("exec { thread: 1 time_ns: 50 path: \"/bin/true\" }");
    CHECK((probe.at(3) != "3=closed") == row.survives_exec);
}

TEST_CASE("a pidfd knows its process", "[resolve]") {
    ProbeWithRoot probe;
    std::vector<int> pids;
    probe.on_call = [&](const ResolvedCall& call) {
        for (const auto& one : call.descriptors) pids.push_back(one.file->subject_pid);
    };
    probe.play("1 pidfd_open(77 0) = 3");
    probe.play(child(2, 2, 200));
    probe.play("1 clone3(0 88) = 200 captured { argument: 0 clone { flags: 0x1000 pidfd: 4 has_pidfd: true } }");
    CHECK(pids == std::vector<int>{77, 200});
}

TEST_CASE("dup, dup2, dup3 and F_DUPFD name the same open file", "[resolve]") {
    ProbeWithRoot probe;
    std::vector<std::uint64_t> results;
    probe.on_call = [&](const ResolvedCall& call) {
        for (const auto& one : call.descriptors)
            if (one.argument == -1) results.push_back(one.file->id);
    };
    probe.play("1 openat(-100 0 0) = 3" + path(1, "/a") +
               "\n1 dup(3) = 4\n1 dup2(3 9) = 9\n1 dup3(3 10 524288) = 10\n" +
               "1 fcntl(3 0 20) = 20\n1 fcntl(3 1030 30) = 30\n1 dup2(3 3) = 3\n1 dup2(3 40) = -9");
    CHECK(results.size() == 6);
    CHECK(std::set<std::uint64_t>(results.begin(), results.end()).size() == 1);
    CHECK(probe.at(40) == "40=closed");
    probe.play("exec { thread: 1 time_ns: 500 }");
    CHECK(probe.at(9) == "9=/a");
    CHECK(probe.at(10) == "10=closed");
    CHECK(probe.at(20) == "20=/a");
    CHECK(probe.at(30) == "30=closed");
}

TEST_CASE("close: failed with EINTR or EIO it has closed all the same, with EBADF it has not", "[resolve]") {
    ProbeWithRoot probe;
    for (int fd : {3, 4, 5})
        probe.play("1 openat(-100 0 0) = " + std::to_string(fd) + path(1, "/" + std::to_string(fd)));
    probe.play("1 close(3) = -4\n1 close(4) = -5\n1 close(5) = -9");
    CHECK(probe.at(3) == "3=closed");
    CHECK(probe.at(4) == "4=closed");
    CHECK(probe.at(5) == "5=/5");
}

TEST_CASE("a call means the descriptor as it was when the call began", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(second_thread);
    probe.play("1 openat(-100 0 0) = 5 @10-20" + path(1, "/old"));
    probe.play("1 close(5) = 0 @40-50");
    probe.play("1 openat(-100 0 0) = 5 @60-70" + path(1, "/new"));
    probe.play("2 read(5 0 9) = 9 @30-90");
    CHECK(probe.told("call").back() == "read 5=/old");
    probe.play("2 read(5 0 9) = 9 @80-90");
    CHECK(probe.told("call").back() == "read 5=/new");
}

TEST_CASE("a slow close does not close what took its number", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(second_thread);
    probe.play("1 openat(-100 0 0) = 5 @10-20" + path(1, "/old"));
    probe.play("2 openat(-100 0 0) = 5 @35-40" + path(1, "/new"));
    probe.play("1 close(5) = 0 @30-90");
    CHECK(probe.told("call").back() == "close 5=/old");
    CHECK(probe.at(5) == "5=/new");
}

TEST_CASE("close_range closes, marks, and unshares", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(second_thread);
    for (int fd : {3, 4, 5})
        probe.play("1 openat(-100 0 0) = " + std::to_string(fd) + path(1, "/" + std::to_string(fd)));
    probe.play("1 close_range(4 4294967295 4) = 0");
    CHECK(probe.at(4) == "4=/4");
    probe.play("2 close_range(5 4294967295 2) = 0");
    CHECK(probe.at(5, 2) == "5=closed");
    CHECK(probe.at(5, 1) == "5=/5");
    probe.play("1 close_range(3 3 0) = 0");
    CHECK(probe.at(3) == "3=closed");
    probe.play("exec { thread: 1 time_ns: 900 }");
    CHECK(probe.at(4) == "4=closed");
}

TEST_CASE("FD_CLOEXEC is set and cleared by fcntl and ioctl", "[resolve]") {
    ProbeWithRoot probe;
    for (int fd : {3, 4, 5, 6})
        probe.play("1 openat(-100 0 524288) = " + std::to_string(fd) + path(1, "/" + std::to_string(fd)));
    probe.play("1 fcntl(3 2 0) = 0\n1 ioctl(4 21584 0) = 0\n1 fcntl(5 2 0) = 0\n1 fcntl(5 2 1) = 0");
    probe.play("1 ioctl(6 21584 0) = 0\n1 ioctl(6 21585 0) = 0\nexec { thread: 1 time_ns: 900 }");
    CHECK(probe.at(3) == "3=/3");
    CHECK(probe.at(4) == "4=/4");
    CHECK(probe.at(5) == "5=closed");
    CHECK(probe.at(6) == "6=closed");
}

TEST_CASE("O_NONBLOCK belongs to the open file, whoever sets it", "[resolve]") {
    ProbeWithRoot probe;
    bool nonblocking = false;
    probe.on_call = [&](const ResolvedCall& call) {
        if (call.subject() && call.subject()->number == 4) nonblocking = call.subject()->file->nonblocking;
    };
    probe.play("1 socket(2 1 0) = 3\n1 dup(3) = 4\n1 fcntl(3 4 2048) = 0\n1 fsync(4) = 0");
    CHECK(nonblocking);
    probe.play("1 fcntl(3 4 0) = 0\n1 fsync(4) = 0");
    CHECK_FALSE(nonblocking);
    probe.play("1 ioctl(3 21537 0) = 0" + number(2, 1) + "\n1 fsync(4) = 0");
    CHECK(nonblocking);
    probe.play("1 ioctl(3 21537 0) = 0" + number(2, 0) + "\n1 fsync(4) = 0");
    CHECK_FALSE(nonblocking);
}

TEST_CASE("fork copies the table, CLONE_FILES shares it, unshare parts it", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 openat(-100 0 0) = 3" + path(1, "/before"));
    probe.play(child(2, 2, 200));
    probe.play(child(3, 3, 300, "kind: CLONE clone_flags: 0x400"));
    probe.play("1 openat(-100 0 0) = 4" + path(1, "/after") + "\n1 close(3) = 0");
    CHECK(probe.at(3, 2) == "3=/before");
    CHECK(probe.at(4, 2) == "4=closed");
    CHECK(probe.at(3, 3) == "3=closed");
    CHECK(probe.at(4, 3) == "4=/after");
    probe.play("3 unshare(1024) = 0\n1 close(4) = 0");
    CHECK(probe.at(4, 3) == "4=/after");
    CHECK(probe.at(4, 1) == "4=closed");
}

TEST_CASE("exec leaves a shared table alone", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 openat(-100 0 524288) = 3" + path(1, "/x"));
    probe.play(child(2, 2, 200, "kind: CLONE clone_flags: 0x400"));
    probe.play("exec { thread: 2 time_ns: 90 path: \"/bin/true\" }");
    CHECK(probe.at(3, 2) == "3=closed");
    CHECK(probe.at(3, 1) == "3=/x");
}

TEST_CASE("the two ends of a pipe know each other, also across processes that inherited them", "[resolve]") {
    ProbeWithRoot probe;
    std::map<int, std::pair<std::uint64_t, std::uint64_t>> files;
    probe.on_call = [&](const ResolvedCall& call) {
        for (const auto& one : call.descriptors)
            if (one.file) files[one.number] = {one.file->id, one.file->pair.value_or(999)};
    };
    probe.play("1 pipe2(0 0) = 0" + pair(3, 4));
    CHECK(files[3].second == files[4].first);
    CHECK(files[4].second == files[3].first);
    probe.play("birth { thread: 2 process: 2 tid: 200 pid: 200 time_ns: 2 }");
    probe.play("binding { thread: 1 time_ns: 500 fd: 0 target: \"pipe:[7]\" flags: 0 }\n1 read(0 0 9) = 9");
    probe.play("binding { thread: 2 time_ns: 520 fd: 1 target: \"pipe:[7]\" flags: 1 }\n2 write(1 0 9) = 9");
    CHECK(files[1].second == files[0].first);
    std::uint64_t reader = files[0].first;
    probe.play("binding { thread: 2 time_ns: 530 fd: 6 target: \"pipe:[7]\" flags: 0 }\n2 read(6 0 9) = 9");
    CHECK(files[6].first == reader);
}

TEST_CASE("an inherited descriptor is known to the call that needed it, though that began earlier", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("binding { thread: 1 time_ns: 90 fd: 1 target: \"/dev/pts/0\" flags: 2 }");
    probe.play("1 write(1 0 5) = 5 @50-80");
    CHECK(probe.told("call").back() == "write 1=/dev/pts/0");
    probe.play(
        "binding { thread: 1 time_ns: 95 fd: 7 target: \"socket:[8]\" socket { family: 2 type: 1 connected: true "
        "local { family: 2 ip: \"\\300\\000\\002\\001\" port: 1000 } peer {" +
        ip4(host9, 80) + "} } }");
    CHECK(probe.told("opened") == Lines{"192.0.2.9:80 at 95"});
    CHECK(probe.at(7) == "7=socket 192.0.2.9:80");
}

TEST_CASE("a binding that contradicts what was known wins", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 openat(-100 0 0) = 3" + path(1, "/first"));
    probe.play("binding { thread: 1 time_ns: 90 fd: 3 target: \"/second\" }");
    CHECK(probe.at(3) == "3=/second");
    probe.play("1 openat(-100 0 0) = 4" + path(1, "relative"));
    probe.play("binding { thread: 1 time_ns: 99 fd: 4 target: \"/home/relative\" }");
    CHECK(probe.at(4) == "4=/home/relative");
}

TEST_CASE("SCM_RIGHTS: what is received is what was sent", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 socketpair(1 1 0) = 0" + pair(3, 4) + "\n1 openat(-100 0 0) = 5" + path(1, "/passed"));
    SECTION("in order") {
        probe.play("1 sendmsg(3 0 0) = 1" + passing(5) + "\n1 close(5) = 0\n1 recvmsg(4 0 1073741824) = 1" +
                   passing(9));
        CHECK(probe.at(9) == "9=/passed");
        probe.play("exec { thread: 1 time_ns: 900 }");
        CHECK(probe.at(9) == "9=closed");
    }
    SECTION("received before the sending was told") {
        probe.play("1 recvmsg(4 0 0) = 1" + passing(9));
        CHECK(probe.at(9) == "9=unknown");
        probe.play("1 sendmsg(3 0 0) = 1" + passing(5));
        CHECK(probe.at(9) == "9=/passed");
    }
    SECTION("peeked, then received") {
        probe.play("1 sendmsg(3 0 0) = 1" + passing(5));
        probe.play("1 recvmsg(4 0 2) = 1" + passing(8) + "\n1 recvmsg(4 0 0) = 1" + passing(9));
        CHECK(probe.at(8) == "8=/passed");
        CHECK(probe.at(9) == "9=/passed");
    }
    SECTION("from outside: unknown until the recorder looks") {
        probe.play("1 close(3) = 0\n1 recvmsg(4 0 0) = 1" + passing(9));
        CHECK(probe.at(9) == "9=unknown");
        probe.play("binding { thread: 1 time_ns: 900 fd: 9 target: \"/outside\" }");
        CHECK(probe.at(9) == "9=/outside");
    }
}

TEST_CASE("SCM_RIGHTS through a UNIX connection, sent before it was accepted", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 socket(1 1 0) = 3\n1 bind(3 0 0) = 0" + address(1, unix_path("/run/s")) + "\n1 listen(3 5) = 0");
    probe.play("1 socket(1 1 0) = 4\n1 connect(4 0 0) = 0" + address(1, unix_path("/run/s")));
    probe.play("1 openat(-100 0 0) = 5" + path(1, "/passed") + "\n1 sendmsg(4 0 0) = 1" + passing(5) +
               "\n1 close(4) = 0");
    probe.play("1 accept4(3 0 0 0) = 6 captured { argument: 1 address { family: 1 } }\n1 recvmsg(6 0 0) = 1" +
               passing(9));
    CHECK(probe.at(9) == "9=/passed");
}

TEST_CASE("pidfd_getfd takes another process' descriptor", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(child(2, 2, 200));
    probe.play("2 openat(-100 0 0) = 5" + path(1, "/theirs") + "\n1 pidfd_open(200 0) = 3\n1 pidfd_getfd(3 5 0) = 8");
    CHECK(probe.at(8) == "8=/theirs");
}

TEST_CASE("nonsense does no harm", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("99 read(3 0 0) = 0\ndeath { thread: 77 }\nprocess_exit { process: 66 }\nexec { thread: 55 }");
    probe.play("1 read(-1 0 0) = -9\n1 dup2(2147483647 2147483646) = 2147483646\n1 close(2147483646) = 0");
    probe.play("1 dup(3) = -5000\n1 socket(2 1 0) = -2147483648\n1 epoll_ctl(2147483647 1 -7 0) = 0" + event(3, 1, 1));
    probe.play("1 epoll_wait(2147483647 0 9 -1) = 1" + event(1, 1, 1));
    probe.play("binding { thread: 1 fd: -4 target: \"/x\" }\nbinding { thread: 1 fd: 4 }\ndns { thread: 1 fd: 9 }");
    probe.play("birth { thread: 1 process: 9 }\nbirth { thread: 5 process: 5 has_parent: true parent_thread: 5 }");
    probe.play("1 sendmsg(4 0 0) = 1" + passing(-3) + "\n1 recvmsg(4 0 0) = 1" + passing(-3));
    probe.play("1 socketpair(1 1 0) = 0" + pair(8, 9) + "\n1 sendmsg(8 0 0) = 1" + passing(9));
    probe.play("1 close(8) = 0\n1 close(9) = 0\ndeath { thread: 1 time_ns: 900 }\n1 read(4 0 0) = 0\n");
    probe.finish();
    CHECK(probe.told("end").size() == 1);
}
