// Processes and threads: births, exec, deaths in any order, reused pids, who waited for whom.
#include "resolve_probe.hpp"

using namespace slowtrace::resolve;

TEST_CASE("a fork is its parent's program until it runs its own", "[resolve]") {
    ProbeWithRoot probe;
    std::string name;
    probe.on_call = [&](const ResolvedCall& call) { name = call.process.name(); };
    probe.play("exec { thread: 1 time_ns: 3 path: \"/usr/bin/python3.11\" argv: \"/usr/bin/pip\" argv: \"install\" }");
    probe.play(child(2, 2, 200) + "2 getpid() = 200");
    CHECK(name == "pip");
    probe.play("exec { thread: 2 time_ns: 9 path: \"/usr/bin/gcc\" argv: \"\" }\n2 getpid() = 200");
    CHECK(name == "gcc");
    CHECK(probe.told("executed") == Lines{"pip", "gcc"});
    CHECK(Process{}.name() == "?");
}

TEST_CASE("a process has ended when its last thread has, whatever is told first", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(second_thread);
    SECTION("threads first") {
        probe.play(
            "death { thread: 1 time_ns: 50 }\ndeath { thread: 2 time_ns: 60 }\nprocess_exit { process: 1 time_ns: 70 "
            "status: 256 }");
    }
    SECTION("process first") {
        probe.play("process_exit { process: 1 time_ns: 70 status: 256 }\ndeath { thread: 2 time_ns: 60 }");
        CHECK(probe.told("process-ended").empty());
        probe.play("death { thread: 1 time_ns: 50 }");
    }
    SECTION("a death was never told") {
        probe.play("process_exit { process: 1 time_ns: 70 status: 256 }\ndeath { thread: 2 time_ns: 60 }").finish();
    }
    CHECK(probe.told("process-ended") == Lines{"P1 at 70 status 256"});
    CHECK(probe.told("thread-ended").size() == 2);
}

TEST_CASE("what the recording let go ends with it, without a status", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(child(2, 2, 200) + "death { thread: 2 time_ns: 40 cause: DETACHED }\nend { time_ns: 50 }").finish();
    CHECK(probe.told("process-ended") == Lines{"P1 at 50 status none", "P2 at 40 status none"});
    CHECK(probe.all.back() == "end 50");
}

TEST_CASE("a run cut short ends at the last time seen", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 getpid() = 100 @500-700").finish();
    CHECK(probe.all.back() == "end 700");
    CHECK(probe.told("thread-ended") == Lines{"T1"});
}

TEST_CASE("exec by a thread that is not the leader", "[resolve]") {
    ProbeWithRoot probe;
    bool main = false;
    int tid = 0;
    probe.on_call = [&](const ResolvedCall& call) {
        main = call.thread.main;
        tid = call.thread.tid;
    };
    probe.play(second_thread + "1 openat(-100 0 0) = 3" + path(1, "/x") + "\n2 getpid() = 100");
    CHECK_FALSE(main);
    probe.play("exec { thread: 2 time_ns: 90 path: \"/bin/true\" former_tid: 101 }");
    probe.play("1 read(3 0 9) = 0 @80-91 ending: EXECED\ndeath { thread: 1 time_ns: 91 cause: EXEC_BY_OTHER_THREAD }");
    CHECK(probe.told("call").back() == "read 3=/x");
    CHECK(probe.at(3, 2) == "3=/x");
    CHECK(main);
    CHECK(tid == 100);
    CHECK(probe.told("process-ended").empty());
}

TEST_CASE("wait4, waitid and vfork name the child", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(child(2, 2, 200, "kind: VFORK clone_flags: 0x4111"));
    auto last = [&] { return probe.told("call").back(); };
    probe.play("1 vfork() = 200 @4-20");
    CHECK(last() == "vfork child P2");
    probe.play("1 wait4(-1 0 1) = 0");
    CHECK(last() == "wait4");
    probe.play("1 waitid(0 0 0 5) = 0");  // WNOHANG: nobody yet
    CHECK(last() == "waitid");
    probe.play("death { thread: 2 time_ns: 50 }\nprocess_exit { process: 2 time_ns: 50 }");
    probe.play("1 waitid(0 0 0 16777220) = 0 @60-70");  // WNOWAIT: stays waitable
    CHECK(last() == "waitid child P2");
    probe.play("1 waitid(1 200 0 4) = 0");
    CHECK(last() == "waitid child P2");
    probe.play("1 waitid(0 0 0 4) = 0");
    CHECK(last() == "waitid");
    probe.play("1 wait4(200 0 0) = 200");
    CHECK(last() == "wait4 child P2");
}

TEST_CASE("waitid on a pidfd, posix_spawn's clone", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(child(2, 2, 200, "kind: CLONE clone_flags: 0x4111"));
    probe.play("1 clone(16657 0 0 0 0) = 200 @4-20");
    CHECK(probe.told("call").back() == "clone child P2");
    probe.play("1 pidfd_open(200 0) = 3\n1 waitid(3 3 0 4) = 0");
    CHECK(probe.told("call").back() == "waitid 3=anon_inode:[pidfd] child P2");
}

TEST_CASE("a vfork in a PID namespace names its child though the number is another", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(child(2, 2, 200, "kind: VFORK clone_flags: 0x4111") + "1 vfork() = 3 @4-20");
    CHECK(probe.told("call").back() == "vfork child P2");
}

TEST_CASE("a pid used twice means the process of its time", "[resolve]") {
    ProbeWithRoot probe;
    auto born = [&](int id, int parent, int time_ns) {
        std::string number = std::to_string(id);
        probe.play("birth { thread: " + number + " process: " + number +
                   " tid: 200 pid: 200 kind: FORK has_parent: true "
                   "parent_thread: " +
                   std::to_string(parent) + " time_ns: " + std::to_string(time_ns) + " }");
    };
    born(2, 1, 10);
    probe.play("death { thread: 2 time_ns: 20 }\nprocess_exit { process: 2 time_ns: 20 }");
    born(3, 1, 50);
    probe.play("1 wait4(-1 0 0) = 200 @15-30");
    CHECK(probe.told("call").back() == "wait4 child P2");
    probe.play("1 wait4(-1 0 0) = 200 @60-70");
    CHECK(probe.told("call").back() == "wait4 child P3");
}

TEST_CASE("renames, signals, stops, escapes and losses are passed on", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(
        "name { thread: 1 name: \"worker\" }\nname { thread: 1 name: \"worker\" }\nsignal { thread: 1 number: 15 }\n"
        "stop { thread: 1 from_ns: 5 to_ns: 9 }\nescape { thread: 1 pid: 9 }\nloss { events: 3 }\nsignal { thread: 8 "
        "}");
    CHECK(probe.told("renamed") == Lines{"worker"});
    CHECK(probe.told("signal") == Lines{"T1"});
    CHECK(probe.told("stop") == Lines{"T1"});
    CHECK(probe.told("escape") == Lines{"T1"});
    CHECK(probe.told("loss") == Lines{"3"});
}

TEST_CASE("an adopted child copies its parent's descriptors, an attached thread shares its process'", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("1 openat(-100 0 0) = 3" + path(1, "/x"));
    probe.play("birth { thread: 2 process: 2 tid: 200 pid: 200 kind: ADOPTED has_parent: true parent_thread: 1 }");
    probe.play("birth { thread: 3 process: 1 tid: 300 pid: 100 kind: ATTACHED }");
    probe.play("1 close(3) = 0");
    CHECK(probe.at(3, 2) == "3=/x");
    CHECK(probe.at(3, 3) == "3=closed");
}
