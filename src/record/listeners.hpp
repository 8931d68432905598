// Who listens on a port of this machine: from the port to the socket's inode (/proc/PID/net/tcp), from the inode to a
// process that holds it (/proc/PID/fd).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "record/net_table.hpp"

namespace slowtrace::record {

struct Listener {
    pid_t pid = 0;
    std::uint32_t user = 0;
};

// Whether a connection to `ip` (4 or 16 octets, network order) arrives at this listening socket: the same address,
// or any address; "::" takes IPv4 too (ipv6(7), IPV6_V6ONLY aside).
bool listens_for(const NetTableRow& row, const std::string& ip);

class Listeners {
   public:
    // The process that holds the socket listening for a connection to ip:port made from the network namespace of
    // `tid`; of several, the one with the lowest number. Nothing where none is found or visible. What was found is
    // kept as long as it is still true, which costs one readlink(2) to see; what was not, for a second.
    std::optional<Listener> find(pid_t tid, const std::string& ip, std::uint32_t port, std::int64_t now_ns);

   private:
    struct Holder {
        Listener listener;
        int fd = 0;
        std::string target;            // "socket:[7]"
        std::int64_t searched_ns = 0;  // when, where none was found
        bool found = false;
    };
    static Holder search(pid_t tid, const std::string& space, const std::string& ip, std::uint32_t port);
    static bool still_holds(const Holder& holder);

    std::map<std::pair<std::string, std::uint32_t>, Holder> holders_;  // by network namespace and port
};

}  // namespace slowtrace::record
