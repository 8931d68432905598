// Moments through the Resolver into the lines people read: what is told, in which words, and what is not.
#include "render/live_lines.hpp"

#include <google/protobuf/text_format.h>

#include "resolve_probe.hpp"

using namespace slowtrace;

namespace {

struct LiveProbe {
    std::string said;
    render::LiveLines lines{[this](const std::string& text) { said += text; }};
    resolve::Resolver resolver{lines};

    LiveProbe() {
        event("run { start_ns: 1 }");
        event(R"(birth { thread: 1 process: 1 tid: 100 pid: 100 kind: ROOT time_ns: 1 name: "pip" })");
        event(R"(exec { thread: 1 time_ns: 2 path: "/bin/pip" argv: "pip" })");
        event(
            R"(binding { thread: 1 time_ns: 3 fd: 3 target: "socket:[9]" socket { family: 2 type: 1 protocol: 6 } })");
    }
    LiveProbe& event(const std::string& text) {
        model::Event event;
        REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &event));
        resolver.event(event);
        return *this;
    }
    // A wait for descriptor 3 by poll (number 7), since 10 ms.
    LiveProbe& poll_moment(const std::string& more, std::int64_t now_ms) {
        return event("moment { thread: 1 time_ns: " + std::to_string(now_ms * 1'000'000) + " " + more +
                     " call { thread: 1 abi: X86_64 number: 7 arguments: [0, 1, 60000, 0, 0, 0] entry_ns: 10000000 "
                     "exit_ns: " +
                     std::to_string(now_ms * 1'000'000) +
                     " ending: IN_PROGRESS captured { argument: 0 poll { members { fd: 3 wanted: 4 } } } } "
                     "sockets { fd: 3 state: 2 } }");
    }
};

const std::string connecting =
    "syscall { thread: 1 abi: X86_64 number: 42 arguments: [3, 0, 16, 0, 0, 0] entry_ns: 5000 exit_ns: 6000 "
    "result: -115 captured { argument: 1 address { family: 2 ip: \"\\313\\000\\161\\011\" port: 80 } } }";

}  // namespace

TEST_CASE("a long wait is told with its endpoint and state, and its end once", "[live]") {
    LiveProbe probe;
    probe.event(connecting).poll_moment("reason: LONG_WAIT", 1010);
    CHECK(probe.said == "slowtrace: pip[100] connecting to 203.0.113.9:80 for 1.000s so far: poll, SYN_SENT\n");
    probe.said.clear();
    probe.event(
        "syscall { thread: 1 abi: X86_64 number: 7 arguments: [0, 1, 60000, 0, 0, 0] entry_ns: 10000000 "
        "exit_ns: 15010000000 captured { argument: 0 poll { members { fd: 3 wanted: 4 } } } }");
    CHECK(probe.said.empty());  // perhaps it goes on
    probe.event(
        "syscall { thread: 1 abi: X86_64 number: 3 arguments: [3, 0, 0, 0, 0, 0] entry_ns: 15020000000 "
        "exit_ns: 15020001000 }");
    CHECK(probe.said == "slowtrace: pip[100] connecting to 203.0.113.9:80 took 15.0s: timed out\n");
    probe.said.clear();
    probe.event(
        "syscall { thread: 1 abi: X86_64 number: 7 arguments: [0, 1, 60000, 0, 0, 0] entry_ns: 16000000000 "
        "exit_ns: 17010000000 captured { argument: 0 poll { members { fd: 3 wanted: 4 } } } }");
    CHECK(probe.said.empty());
}

TEST_CASE("a wait in slices lasts from the first to the last of them", "[live]") {
    const auto slice = [](std::int64_t from_ms, std::int64_t to_ms, int ready) {
        return "syscall { thread: 1 abi: X86_64 number: 7 arguments: [0, 1, 1000, 0, 0, 0] entry_ns: " +
               std::to_string(from_ms * 1'000'000) + " exit_ns: " + std::to_string(to_ms * 1'000'000) +
               " result: " + std::to_string(ready) +
               " captured { argument: 0 poll { members { fd: 3 wanted: 4 ready: " + std::to_string(4 * ready) +
               " } } } }";
    };
    const std::string looks_again =
        "syscall { thread: 1 abi: X86_64 number: 7 arguments: [0, 1, 0, 0, 0, 0] entry_ns: 1001000000 exit_ns: "
        "1001001000 captured { argument: 0 poll { members { fd: 3 wanted: 1 } } } }";
    const std::string expected_start =
        "slowtrace: pip[100] connecting to 203.0.113.9:80 for 2.000s so far: poll, "
        "SYN_SENT\n";
    LiveProbe probe;
    probe.event(connecting).event(slice(10, 1000, 0)).event(looks_again).event(slice(1002, 2000, 0));
    CHECK(probe.said.empty());
    const std::string third =
        "moment { thread: 1 time_ns: 2010000000 call { thread: 1 abi: X86_64 number: 7 arguments: [0, 1, 1000, 0, 0, "
        "0] entry_ns: 2001000000 exit_ns: 2010000000 ending: IN_PROGRESS captured { argument: 0 poll { members { fd: 3 "
        "wanted: 4 } } } } sockets { fd: 3 state: 2 } }";
    probe.event(third);
    CHECK(probe.said == expected_start);
    probe.said.clear();
    probe.event(slice(2001, 3000, 0));
    CHECK(probe.said.empty());
    SECTION("it connects") {
        probe.event(slice(3001, 3010, 1));
        CHECK(probe.said == "slowtrace: pip[100] connecting to 203.0.113.9:80 took 3.000s\n");
    }
    SECTION("the program gives up") {
        probe.event(
            "syscall { thread: 1 abi: X86_64 number: 3 arguments: [3, 0, 0, 0, 0, 0] entry_ns: 3300000000 exit_ns: "
            "3300001000 }");
        CHECK(probe.said == "slowtrace: pip[100] connecting to 203.0.113.9:80 took 2.990s: timed out\n");
    }
    SECTION("the program ends") {
        probe.event("death { thread: 1 time_ns: 3400000000 }");
        CHECK(probe.said == "slowtrace: pip[100] connecting to 203.0.113.9:80 took 2.990s: timed out\n");
    }
    SECTION("the recording ends") {
        probe.event(
            "syscall { thread: 1 abi: X86_64 number: 7 arguments: [0, 1, 1000, 0, 0, 0] entry_ns: 3001000000 exit_ns: "
            "3110000000 ending: DETACHED captured { argument: 0 poll { members { fd: 3 wanted: 4 } } } }");
        CHECK(probe.said ==
              "slowtrace: pip[100] connecting to 203.0.113.9:80 took 3.100s, and lasts when the recording ends\n");
    }
}

TEST_CASE("a moment leaves no trace in what follows", "[live]") {
    LiveProbe probe;
    probe.event(connecting).poll_moment("reason: LONG_WAIT", 1010).poll_moment("reason: LONG_WAIT", 2010);
    probe.said.clear();
    probe.poll_moment("reason: LONG_WAIT", 3010);
    CHECK(probe.said == "slowtrace: pip[100] connecting to 203.0.113.9:80 for 3.000s so far: poll, SYN_SENT\n");
}

TEST_CASE("a connect that blocks has its peer from its own arguments", "[live]") {
    LiveProbe probe;
    probe.event(
        "moment { thread: 1 time_ns: 1010000000 call { thread: 1 abi: X86_64 number: 42 arguments: [3, 0, 16, 0, 0, 0] "
        "entry_ns: 10000000 exit_ns: 1010000000 ending: IN_PROGRESS captured { argument: 1 address { family: 2 ip: "
        "\"\\313\\000\\161\\011\" port: 80 } } } sockets { fd: 3 state: 2 } }");
    CHECK(probe.said == "slowtrace: pip[100] connecting to 203.0.113.9:80 for 1.000s so far: connect, SYN_SENT\n");
}

TEST_CASE("a parent's wait for a traced child is not told, for an untraced one it is", "[live]") {
    const std::string waiting =
        "moment { thread: 1 time_ns: 1010000000 call { thread: 1 abi: X86_64 number: 61 arguments: [0, 0, 0, 0, 0, 0] "
        "entry_ns: 10000000 exit_ns: 1010000000 ending: IN_PROGRESS } }";
    LiveProbe probe;
    probe.event(waiting);
    CHECK(probe.said.find("waiting for child process for 1.000s so far: wait4") != std::string::npos);
    probe.said.clear();
    probe.event(
        "birth { thread: 2 process: 2 tid: 101 pid: 101 kind: FORK has_parent: true parent_thread: 1 time_ns: 4 }");
    probe.event(waiting);
    CHECK(probe.said.empty());
}

TEST_CASE("the answer to SIGUSR1 is one piece, complete with its last thread", "[live]") {
    LiveProbe probe;
    probe.event(connecting);
    probe.event(
        "birth { thread: 2 process: 1 tid: 101 pid: 100 kind: CLONE has_parent: true parent_thread: 1 time_ns: 4 "
        "clone_flags: 67072 name: \"worker\" }");
    probe.poll_moment("reason: ASKED", 1010);
    CHECK(probe.said.empty());
    probe.event("moment { thread: 2 time_ns: 1010000000 reason: ASKED state: \"R\" last: true }");
    CHECK(probe.said ==
          "slowtrace: 2 threads after 1.010s\n"
          "  pip[100]         1.000s  connecting to 203.0.113.9:80: poll, SYN_SENT\n"
          "  pip/worker[101]          running its own code\n");
}

TEST_CASE("an epoll list made before the recording is known from the binding", "[live]") {
    LiveProbe probe;
    probe.event(connecting);
    probe.event(
        "binding { thread: 1 time_ns: 7 fd: 4 target: \"anon_inode:[eventpoll]\" interests { fd: 3 events: 4 } }");
    probe.event(
        "moment { thread: 1 time_ns: 1010000000 call { thread: 1 abi: X86_64 number: 232 arguments: [4, 0, 1, 60000, "
        "0, 0] "
        "entry_ns: 10000000 exit_ns: 1010000000 ending: IN_PROGRESS } sockets { fd: 3 state: 2 } }");
    CHECK(probe.said == "slowtrace: pip[100] connecting to 203.0.113.9:80 for 1.000s so far: epoll_wait, SYN_SENT\n");
}
