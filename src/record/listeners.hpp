// Who listens on a port of this machine: from the port to the socket's inode (/proc/PID/net/{tcp,udp}), from the inode
// to a process that holds it (/proc/PID/fd).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "record/net_table.hpp"

namespace slowtrace::record {

struct LocalProcess {
    pid_t pid = 0;
    std::uint32_t user = 0;
    std::string name;  // comm
};

// Whether what is sent to `ip` (4 or 16 octets, network order) arrives at this socket: the same address, or
// any address; "::" takes IPv4 too (ipv6(7), IPV6_V6ONLY aside).
bool listens_for(const NetTableRow& row, const std::string& ip);

class Listeners {
   public:
    // The process that holds the socket which takes connections (`type` is SOCK_STREAM) or datagrams (SOCK_DGRAM) to
    // ip:port from the network namespace of `tid`; of several, the one with the lowest number. Nothing where none is
    // found or visible. What was found is kept as long as it is still true, which costs one readlink(2) to see; what
    // was not, and names, for a second.
    std::optional<LocalProcess> find(pid_t tid, int type, const std::string& ip, std::uint32_t port,
                                     std::int64_t now_ns);

   private:
    struct Holder {
        LocalProcess process;
        int fd = 0;
        std::string target;            // "socket:[7]"
        std::int64_t searched_ns = 0;  // when, 0: never; its name is as old
        bool found = false;
    };
    static Holder search(pid_t tid, const std::string& space, int type, const std::string& ip, std::uint32_t port);
    static bool still_holds(const Holder& holder);

    std::map<std::tuple<std::string, int, std::uint32_t>, Holder> holders_;  // by network namespace, type and port
};

}  // namespace slowtrace::record
