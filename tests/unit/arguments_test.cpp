// Calls in words, from calls written down as fixtures are.
#include "render/arguments.hpp"

#include <google/protobuf/text_format.h>

#include "catch.hpp"

using namespace slowtrace;
using namespace slowtrace::model;

namespace {

std::string describe(int, int fd) {
    if (fd == 3) return "3<extra.example.org:80>";
    return {};
}

struct Sample {
    const char* name;
    std::vector<std::uint64_t> arguments;
    std::int64_t result;
    const char* captured;  // text form, the rest of a Syscall message
    const char* text;      // "call = result"
    Abi abi = X86_64;
};

Syscall build(const Sample& sample) {
    Syscall call;
    if (sample.captured[0] != '\0') REQUIRE(google::protobuf::TextFormat::ParseFromString(sample.captured, &call));
    const SyscallRow* row = find_syscall(sample.name);
    REQUIRE(row != nullptr);
    REQUIRE(number_in(*row, sample.abi) >= 0);
    call.set_abi(sample.abi);
    call.set_number(static_cast<std::uint32_t>(number_in(*row, sample.abi)));
    for (std::size_t i = 0; i < 6; ++i) call.add_arguments(i < sample.arguments.size() ? sample.arguments[i] : 0);
    call.set_result(sample.result);
    return call;
}

std::string line(const Syscall& call) {
    const SyscallRow& row = syscall_row(call.abi(), call.number());
    return render::call_text(call, row, describe) + " = " + render::result_text(call, row, describe);
}

void check(std::initializer_list<Sample> samples) {
    for (const Sample& sample : samples) CHECK(line(build(sample)) == sample.text);
}

constexpr auto minus = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };

}  // namespace

TEST_CASE("files") {
    check({
        {"openat",
         {minus(-100), 1, 02000000, 0666},
         3,
         R"(captured {argument: 1 path: "/etc/hosts"})",
         R"(openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 3<extra.example.org:80>)"},
        {"openat",
         {0xffffff9c, 1, 01101, 0644},
         -13,
         R"(captured {argument: 1 path: "a\"\n\342\200\256\377"})",
         R"(openat(AT_FDCWD, "a\"\n\u202e\xff", O_WRONLY|O_CREAT|O_TRUNC, 0644) = -1 EACCES)"},
        {"openat", {5, 1, 0200000}, 4, "", "openat(5, 0x1, O_RDONLY|O_DIRECTORY) = 4"},
        {"openat", {5, 1, 040000}, 4, "", "openat(5, 0x1, O_RDONLY|O_DIRECTORY) = 4", AARCH64},
        {"open",
         {1, 020200000, 0600},
         4,
         R"(captured {argument: 0 path: "/tm" truncated: true})",
         R"(open("/tm"..., O_RDONLY|O_TMPFILE, 0600) = 4)"},
        {"openat2",
         {minus(-100), 1, 2, 24},
         4,
         R"(captured {argument: 1 path: "x"} captured {argument: 2 open_how {flags: 0x80000 resolve: 16}})",
         R"(openat2(AT_FDCWD, "x", {flags=O_RDONLY|O_CLOEXEC, resolve=RESOLVE_IN_ROOT}, 24) = 4)"},
        {"read", {3, 0x1000, 512}, 17, "", "read(3<extra.example.org:80>, [17 bytes], 512) = 17"},
        {"read", {3, 0x1000, 512}, -11, "", "read(3<extra.example.org:80>, 0x1000, 512) = -1 EAGAIN"},
        {"write", {1, 0x1000, 1}, 1, "", "write(1, [1 byte], 1) = 1"},
        {"writev", {1, 0x1000, 3}, 90, "", "writev(1, [3 buffers], 3) = 90"},
        {"lseek", {4, minus(-8), 2}, 100, "", "lseek(4, -8, SEEK_END) = 100"},
        {"access", {1, 0}, -2, R"(captured {argument: 0 path: "/x"})", R"(access("/x", F_OK) = -1 ENOENT)"},
        {"access", {1, 6}, 0, R"(captured {argument: 0 path: "/x"})", R"(access("/x", R_OK|W_OK) = 0)"},
        {"fcntl", {4, 1}, 1, "", "fcntl(4, F_GETFD) = 1 (FD_CLOEXEC)"},
        {"fcntl", {4, 3}, 0x8802, "", "fcntl(4, F_GETFL) = 0x8802 (O_RDWR|O_NONBLOCK|O_LARGEFILE)"},
        {"fcntl", {4, 4, 04000}, 0, "", "fcntl(4, F_SETFL, O_RDONLY|O_NONBLOCK) = 0"},
        {"fcntl", {4, 1030, 3}, 3, "", "fcntl(4, F_DUPFD_CLOEXEC, 3) = 3<extra.example.org:80>"},
        {"fcntl",
         {4, 7, 0x1000},
         0,
         "captured {argument: 2 file_lock {type: 1 start: 10 length: 5}}",
         "fcntl(4, F_SETLKW, {F_WRLCK, start=10, len=5}) = 0"},
        {"ioctl", {0, 0x5401, 0x1000}, -25, "", "ioctl(0, TCGETS, 0x1000) = -1 ENOTTY"},
        {"ioctl", {4, 0x541b, 0x1000}, 0, "captured {argument: 2 number: 42}", "ioctl(4, FIONREAD, [42]) = 0"},
        {"pipe2",
         {0x1000, 02000000},
         0,
         "captured {argument: 0 pair {first: 3 second: 4}}",
         "pipe2([3<extra.example.org:80>, 4], O_CLOEXEC) = 0"},
        {"mount",
         {1, 2, 3, 4096},
         -1,
         R"(captured {argument: 0 path: "/a"} captured {argument: 1 path: "/b"})",
         R"(mount("/a", "/b", 0x3, MS_BIND, NULL) = -1 EPERM)"},
        {"preadv2", {4, 0x1000, 1, 64, 0, 8}, 5, "", "preadv2(4, [1 buffer], 1, 64, RWF_NOWAIT) = 5"},
    });
}

TEST_CASE("64-bit numbers take two registers in i386") {
    check({
        {"pread64", {4, 0x1000, 16, 5, 1}, 16, "", "pread64(4, [16 bytes], 16, 4294967301) = 16", I386},
        {"preadv2", {4, 0x1000, 1, 64, 1, 8}, 5, "", "preadv2(4, [1 buffer], 1, 4294967360, RWF_NOWAIT) = 5", I386},
        {"preadv2", {4, 0x1000, 1, 64, 8}, 5, "", "preadv2(4, [1 buffer], 1, 64, RWF_NOWAIT) = 5", X32},
        {"fallocate", {4, 1, 0, 1, 7, 0}, 0, "", "fallocate(4, FALLOC_FL_KEEP_SIZE, 4294967296, 7) = 0", I386},
        {"lseek", {4, 0xfffffff8, 1}, 0, "", "lseek(4, -8, SEEK_CUR) = 0", I386},
        {"mmap2",
         {0, 4096, 1, 2, 0xffffffff, 0},
         static_cast<std::int64_t>(0xfffffffff7d00000),
         "",
         "mmap2(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0) = 0xf7d00000",
         I386},
    });
}

TEST_CASE("sockets") {
    check({
        {"socket",
         {2, 02004001, 6},
         3,
         "",
         "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_TCP) = 3<extra.example.org:80>"},
        {"socket", {16, 3, 0}, 4, "", "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 4"},
        {"socket", {1, 1, 0}, 4, "", "socket(AF_UNIX, SOCK_STREAM, 0) = 4"},
        {"connect",
         {3, 0x1000, 16},
         -115,
         R"(captured {argument: 1 address {family: 2 ip: "\313\000q\t" port: 80}})",
         "connect(3<extra.example.org:80>, {AF_INET, 203.0.113.9:80}, 16) = -1 EINPROGRESS"},
        {"connect",
         {4, 0x1000, 28},
         0,
         R"(captured {argument: 1 address {family: 10 ip: "\040\001\r\270\0\0\0\0\0\0\0\0\0\0\0\001" port: 443 scope: 2}})",
         "connect(4, {AF_INET6, [2001:db8::1%2]:443}, 28) = 0"},
        {"bind",
         {4, 0x1000, 9},
         0,
         R"(captured {argument: 1 address {family: 1 path: "a\"b\033" abstract: true}})",
         R"(bind(4, {AF_UNIX, @"a\"b\x1b"}, 9) = 0)"},
        {"bind",
         {4, 0x1000, 9},
         0,
         R"(captured {argument: 1 address {family: 2 ip: "abc" port: 1}})",
         "bind(4, {AF_INET}, 9) = 0"},
        {"accept4", {4, 0, 0, 02000000}, 5, "", "accept4(4, NULL, NULL, SOCK_CLOEXEC) = 5"},
        {"sendto",
         {3, 0x1000, 40, 0x4000, 0, 0},
         40,
         "",
         "sendto(3<extra.example.org:80>, [40 bytes], 40, MSG_NOSIGNAL, NULL, 0) = 40"},
        {"getsockopt",
         {4, 1, 4, 0x1000, 0x2000},
         0,
         "captured {argument: 3 number: 110}",
         "getsockopt(4, SOL_SOCKET, SO_ERROR, [ETIMEDOUT], 0x2000) = 0"},
        {"getsockopt",
         {4, 1, 4, 0x1000, 0x2000},
         0,
         "captured {argument: 3 number: 0}",
         "getsockopt(4, SOL_SOCKET, SO_ERROR, [0], 0x2000) = 0"},
        {"setsockopt", {4, 6, 1, 0x1000, 4}, 0, "", "setsockopt(4, IPPROTO_TCP, TCP_NODELAY, [4 bytes], 4) = 0"},
        {"recvmsg",
         {4, 0x1000, 0x40000000},
         12,
         "captured {argument: 1 messages {messages {bytes: 2048 passed_descriptors: 3}}}",
         "recvmsg(4, {2,048 bytes, descriptors=[3<extra.example.org:80>]}, MSG_CMSG_CLOEXEC) = 12"},
        {"shutdown", {4, 1}, 0, "", "shutdown(4, SHUT_WR) = 0"},
    });
}

TEST_CASE("waiting for readiness") {
    check({
        {"poll",
         {0x1000, 1, 15000},
         1,
         "captured {argument: 0 poll {members {fd: 3 wanted: 1 ready: 1}}}",
         "poll([{fd=3<extra.example.org:80>, events=POLLIN}], 1, 15.0s) = "
         "1 ([{fd=3<extra.example.org:80>, revents=POLLIN}])"},
        {"poll",
         {0x1000, 1, 0xffffffff},
         0,
         "captured {argument: 0 poll {members {fd: 5 wanted: 5}}}",
         "poll([{fd=5, events=POLLIN|POLLOUT}], 1, forever) = 0 (Timeout)"},
        {"poll", {0, 0, 0}, 0, "", "poll(NULL, 0, 0) = 0 (Timeout)"},
        {"select",
         {6, 1, 2, 0, 3},
         2,
         "captured {argument: 1 descriptors {wanted: 3 wanted: 5 ready: 5}}"
         "captured {argument: 2 descriptors {wanted: 4 ready: 4}} captured {argument: 4 duration_ns: 1500000000}",
         "select(6, [3<extra.example.org:80>, 5], [4], NULL, 1.500s) = 2 (in [5], out [4])"},
        {"epoll_ctl",
         {4, 1, 3, 0x1000},
         0,
         "captured {argument: 3 epoll {members {events: 0x80000001 data: 7}}}",
         "epoll_ctl(4, EPOLL_CTL_ADD, 3<extra.example.org:80>, {events=EPOLLIN|EPOLLET, data=7}) = 0"},
        {"epoll_wait",
         {4, 0x1000, 10, 178},
         1,
         "captured {argument: 1 epoll {members {events: 1 data: 7}}}",
         "epoll_wait(4, [{events=EPOLLIN, data=7}], 10, 178ms) = 1"},
        {"futex",
         {0x1000, 128, 2, 0x2000, 0x3000, 4},
         -110,
         "captured {argument: 3 duration_ns: 42000}",
         "futex(0x1000, FUTEX_WAIT|FUTEX_PRIVATE_FLAG, 2, 42µs) = -1 ETIMEDOUT"},
        {"futex", {0x1000, 129, 1, 0x2000, 0x3000, 4}, 1, "", "futex(0x1000, FUTEX_WAKE|FUTEX_PRIVATE_FLAG, 1) = 1"},
        {"futex",
         {0x1000, 137, 1, 0x2000, 0, 0xffffffff},
         0,
         "captured {argument: 3 duration_ns: 12000000345}",
         "futex(0x1000, FUTEX_WAIT_BITSET|FUTEX_PRIVATE_FLAG, 1, at 12.000000345s, 0xffffffff) = 0"},
        {"futex",
         {0x1000, 132, 1, 7, 0x3000, 4},
         1,
         "",
         "futex(0x1000, FUTEX_CMP_REQUEUE|FUTEX_PRIVATE_FLAG, 1, 7, 0x3000, 0x4) = 1"},
        {"clock_nanosleep",
         {1, 0, 0x1000, 0},
         -516,
         "captured {argument: 2 duration_ns: 2000000000}",
         "clock_nanosleep(CLOCK_MONOTONIC, 0, 2.000s, NULL) = ? ERESTART_RESTARTBLOCK"},
        {"clock_nanosleep",
         {1, 1, 0x1000, 0},
         0,
         "captured {argument: 2 duration_ns: 2000000000}",
         "clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, at 2.000000000s, NULL) = 0"},
    });
}

TEST_CASE("processes, memory and signals") {
    check({
        {"clone",
         {0x1200011, 0, 1, 2, 3},
         77,
         "",
         "clone(CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, NULL, 0x1, 0x2, 0x3) = 77"},
        {"clone", {17, 0, 1, 2, 3}, 77, "", "clone(SIGCHLD, NULL, 0x1, 0x3, 0x2) = 77", AARCH64},
        {"clone3",
         {0x1000, 88},
         77,
         "captured {argument: 0 clone {flags: 0x4100 exit_signal: 17}}",
         "clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD}, 88) = 77"},
        {"execve",
         {1, 2, 3},
         0,
         R"(captured {argument: 0 path: "/bin/sh"} captured {argument: 1 strings {values: "sh" values: "-c"} truncated: true})",
         R"(execve("/bin/sh", ["sh", "-c", ...], 0x3) = 0)"},
        {"wait4",
         {minus(-1), 0x1000, 1, 0},
         77,
         "captured {argument: 1 number: 256}",
         "wait4(-1, [exited 1], WNOHANG, NULL) = 77"},
        {"wait4",
         {minus(-1), 0x1000, 0, 0},
         77,
         "captured {argument: 1 number: 9}",
         "wait4(-1, [killed by SIGKILL], 0, NULL) = 77"},
        {"exit_group", {1}, 0, "ending: DIED", "exit_group(1) = ?"},
        {"read", {3, 1, 2}, 0, "ending: DIED", "read(3<extra.example.org:80>, 0x1, 2) = ? (killed)"},
        {"getpid", {9, 9, 9}, 5, "", "getpid() = 5"},
        {"kill", {minus(-7), 15}, 0, "", "kill(-7, SIGTERM) = 0"},
        {"kill", {7, 0}, -3, "", "kill(7, 0) = -1 ESRCH"},
        {"tgkill", {7, 8, 35}, 0, "", "tgkill(7, 8, SIGRT_3) = 0"},
        {"mmap",
         {0, 4096, 3, 0x22, 0xffffffff, 0},
         0x7f0000000000,
         "",
         "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000"},
        {"mprotect", {0x1000, 4096, 0}, 0, "", "mprotect(0x1000, 4096, PROT_NONE) = 0"},
        {"mremap", {0x1000, 1, 2, 1, 5}, 0x2000, "", "mremap(0x1000, 1, 2, MREMAP_MAYMOVE) = 0x2000"},
        {"rt_sigprocmask", {2, 0x1000, 0, 8}, 0, "", "rt_sigprocmask(SIG_SETMASK, 0x1000, NULL, 8) = 0"},
        {"unshare", {0x60000000}, -1, "", "unshare(CLONE_NEWPID|CLONE_NEWNET) = -1 EPERM"},
        {"getrusage", {minus(-1), 1}, 0, "", "getrusage(RUSAGE_CHILDREN, 0x1) = 0"},
        {"madvise", {0x1000, 4096, 4}, 0, "", "madvise(0x1000, 4096, MADV_DONTNEED) = 0"},
        {"prctl", {15, 0x1000}, 0, "", "prctl(PR_SET_NAME, 0x1000, 0, 0, 0) = 0"},
        {"getrandom", {0x1000, 8, 1}, 8, "", "getrandom([8 bytes], 8, GRND_NONBLOCK) = 8"},
    });
    CHECK(render::wait_status_text(0x137f) == "stopped by SIGSTOP");
    CHECK(render::wait_status_text(0xffff) == "continued");
    CHECK(render::wait_status_text(0x8b) == "killed by SIGSEGV (core dumped)");
}

TEST_CASE("a call without a row is shown by its registers") {
    Syscall call;
    call.set_abi(X86_64);
    call.set_number(467);
    call.set_result(-38);
    call.add_arguments(1);  // five are missing
    CHECK(line(call) == "syscall_467(0x1, 0, 0, 0, 0, 0) = -1 ENOSYS");
}

TEST_CASE("arguments carry their manual page's names") {
    const Sample sample = {"openat", {minus(-100), 1, 0, 0666}, 3, R"(captured {argument: 1 path: "x"})", ""};
    const Syscall call = build(sample);
    const auto texts = render::argument_texts(call, syscall_row(X86_64, call.number()), {});
    REQUIRE(texts.size() == 3);
    CHECK(texts[0].name == "dirfd");
    CHECK(texts[1].name == "pathname");
    CHECK(texts[1].text == "\"x\"");
    CHECK(texts[2].name == "flags");
    CHECK(texts[2].text == "O_RDONLY");
}

TEST_CASE("the descriptor callback learns which argument is meant") {
    std::vector<int> places;
    const auto remember = [&](int argument, int) {
        places.push_back(argument);
        return std::string();
    };
    const Syscall call = build({"dup2", {5, 6}, 6, "", ""});
    const SyscallRow& row = syscall_row(X86_64, call.number());
    CHECK(render::call_text(call, row, remember) == "dup2(5, 6)");
    CHECK(render::result_text(call, row, remember) == "6");
    CHECK(places == std::vector<int>{0, 1, -1});
}

TEST_CASE("whatever a trace claims, every call becomes one line of text") {
    const std::string captured[] = {"path: 'x'",
                                    "address {family: -5 ip: 'x' path: '\\n'}",
                                    "poll {members {}}",
                                    "descriptors {wanted: -1 ready: -1}",
                                    "epoll {}",
                                    "duration_ns: -9223372036854775808",
                                    "pair {first: -1}",
                                    "number: -9223372036854775808",
                                    "messages {}",
                                    "strings {values: '\\377'}",
                                    "file_lock {type: 9}",
                                    "clone {flags: 0xffffffffffffffff exit_signal: -1}",
                                    "open_how {flags: 0xffffffffffffffff}"};
    for (const SyscallRow& row : all_syscalls())
        for (const std::string& value : captured) {
            std::string text;
            for (int i = 0; i < 6; ++i) text += "captured {argument: " + std::to_string(i) + " " + value + "}";
            for (const Abi abi : {X86_64, I386, X32, AARCH64}) {
                if (number_in(row, abi) < 0) continue;
                Syscall call;
                REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &call));
                for (int i = 0; i < 6; ++i) call.add_arguments(i % 2 == 0 ? ~std::uint64_t{0} : 0);
                call.set_abi(abi);
                call.set_number(static_cast<std::uint32_t>(number_in(row, abi)));
                call.set_result(5);
                const std::string shown = line(call);
                CHECK(shown.find('\n') == std::string::npos);
                CHECK_FALSE(shown.empty());
            }
        }
}
