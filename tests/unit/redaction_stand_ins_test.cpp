// Stand-ins: of the same kind, the same for the same, and public words as they are.
#include "trace/redaction_stand_ins.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "redaction_probe.hpp"

using namespace slowtrace;
using slowtrace::test::octets_of;
using slowtrace::test::shown;
using trace::StandIns;

namespace {

std::string shown_for(StandIns& stand_ins, const char* address) {
    return shown(stand_ins.address(octets_of(address)));
}

}  // namespace

TEST_CASE("host names become host names", "[redaction]") {
    StandIns stand_ins("key");
    const std::string host = stand_ins.host("pypi.example.com");
    CHECK(host.size() == 18);
    CHECK(host.starts_with("h-"));
    CHECK(host.ends_with(".example"));
    CHECK(
        std::all_of(host.begin(), host.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.'; }));
    CHECK(stand_ins.host("PyPI.Example.COM.") == host);
    CHECK(stand_ins.host("com") != host);
    CHECK(stand_ins.host("a.b.c.d.e.example.com").size() == host.size());
    CHECK(stand_ins.host("").empty());
    CHECK(stand_ins.host("localhost") == "localhost");
    CHECK(stand_ins.host("x.localhost").starts_with("h-"));
    CHECK(stand_ins.host("192.0.2.1") == shown_for(stand_ins, "192.0.2.1"));
    CHECK(stand_ins.host("127.0.0.1") == "127.0.0.1");
    CHECK(stand_ins.host("2001:db8::1") == shown_for(stand_ins, "2001:db8::1"));
    CHECK(stand_ins.host("[2001:db8::1]") == "[" + shown_for(stand_ins, "2001:db8::1") + "]");
    CHECK(stand_ins.host("fe80::1%secret").starts_with("h-"));
}

TEST_CASE("addresses stay of their kind and leave their network", "[redaction]") {
    StandIns stand_ins("key");
    for (const char* kept : {"0.0.0.0", "127.0.0.1", "127.0.0.53", "255.255.255.255", "224.0.0.251", "169.254.169.254",
                             "::", "::1", "ff02::1", "ff02::fb", "ff02::1:2", "::ffff:127.0.0.1"}) {
        INFO(kept);
        CHECK(shown_for(stand_ins, kept) == kept);
    }
    std::set<std::string> seen;
    for (const char* address : {"192.0.2.1", "192.0.2.2", "10.0.0.1", "198.51.100.7", "203.0.113.9"}) {
        const std::string octets = stand_ins.address(octets_of(address));
        INFO(address << " → " << shown(octets));
        CHECK(static_cast<unsigned char>(octets[0]) >= 240);
        CHECK(shown(octets) != "255.255.255.255");
        CHECK(seen.insert(octets).second);
        CHECK(shown_for(stand_ins, (std::string("::ffff:") + address).c_str()) == "::ffff:" + shown(octets));
    }
    CHECK(shown_for(stand_ins, "169.254.1.2").starts_with("169.254."));
    CHECK(shown_for(stand_ins, "169.254.1.2") != "169.254.1.2");
    CHECK(shown_for(stand_ins, "239.1.2.3").starts_with("239."));
    CHECK(shown_for(stand_ins, "239.1.2.3") != "239.1.2.3");
    for (const char* address : {"2606:4700::1111", "2001:db8::1", "fd00::1", "64:ff9b::c000:201"}) {
        CHECK(shown_for(stand_ins, address).starts_with("2001:db8:"));
        CHECK(shown_for(stand_ins, address) != address);
    }
    CHECK(shown_for(stand_ins, "fe80::1:2:3:4").starts_with("fe80::"));
    CHECK(shown_for(stand_ins, "fe80::1:2:3:4") != "fe80::1:2:3:4");
    CHECK(shown_for(stand_ins, "ff02::1:ff12:3456").starts_with("ff02:"));
    CHECK(shown_for(stand_ins, "ff02::1:ff12:3456").find("3456") == std::string::npos);
    CHECK(stand_ins.address("").empty());
    CHECK(stand_ins.address("12345").empty());
}

TEST_CASE("paths keep their shape, the system's own names, and what the kernel says", "[redaction]") {
    StandIns stand_ins("key");
    for (const char* kept : {"/",
                             ".",
                             "..",
                             "",
                             "/etc/hosts",
                             "/etc/resolv.conf",
                             "/usr/lib/x86_64-linux-gnu/libc.so.6",
                             "/dev/null",
                             "/dev/pts/3",
                             "/dev/tty1",
                             "/proc/self/status",
                             "/proc/4242/task/4243/stat",
                             "/proc/self/fd/5",
                             "pipe:[7]",
                             "socket:[8]",
                             "net:[4026531840]",
                             "anon_inode:[eventfd]",
                             "anon_inode:inotify",
                             "/memfd:",
                             "/usr/bin/python3.11",
                             "/lib/x86_64-linux-gnu/libstdc++.so.6.0.30",
                             "../lib64",
                             "/usr//lib/",
                             "/run/systemd/resolve/io.systemd.Resolve",
                             "/var/run/nscd/socket",
                             "/run/dbus/system_bus_socket",
                             "/tmp (deleted)",
                             "libc-2.31.so",
                             "[",
                             "/dev/shm",
                             "Thread-12"}) {
        INFO(kept);
        CHECK(stand_ins.path(kept) == kept);
    }
    const std::string x = stand_ins.path("x"), y = stand_ins.path("y");
    CHECK(x.size() == 10);
    CHECK(x.starts_with("n-"));
    CHECK(stand_ins.path("/home/x/y") == "/home/" + x + "/" + y);
    CHECK(stand_ins.path("../y/./x") == "../" + y + "/./" + x);
    CHECK(stand_ins.path("/x/y (deleted)") == "/" + x + "/" + y + " (deleted)");
    CHECK(stand_ins.path("/memfd:x (deleted)") == "/memfd:" + x + " (deleted)");
    CHECK(stand_ins.path("/dev/shm/x") == "/dev/shm/" + x);
    for (const char* replaced : {"4711", "/home/4711", "task/4711", "/data", "pipe:[x]", "pipe:[]", "anon_inode:[x]",
                                 "secret:[7]", "libc.so.secret", "python-1234567", "node20240512", "hosts.txt"}) {
        INFO(replaced);
        CHECK(stand_ins.path(replaced) != replaced);
    }
}

TEST_CASE("more names than are remembered are still replaced alike", "[redaction]") {
    StandIns stand_ins("key");
    const std::string first = stand_ins.argument("first");
    std::set<std::string> seen;
    for (int i = 0; i < 70'000; ++i) seen.insert(stand_ins.argument("argument " + std::to_string(i)));
    CHECK(seen.size() >= 69'998);  // 40 bits: a pair alike is rare, two are not to be had
    CHECK(stand_ins.argument("first") == first);
    CHECK(stand_ins.argument(std::string(5'000, 'x')).size() == 10);
}
