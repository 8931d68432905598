// Who listens on a port of this machine: from the port to the socket's inode (/proc/PID/net/{tcp,udp}), from the inode
// to a process that holds it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "record/net_table.hpp"
#include "record/socket_holders.hpp"

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
    // ip:port from the network namespace of `tid`. Nothing where none is visible, or none was found in the time there
    // is (SocketHolders). What was found is kept for a second and as long as it is still true, which costs one
    // readlink(2) to see; what was not, for a second.
    std::optional<LocalProcess> find(pid_t tid, int type, const std::string& ip, std::uint32_t port,
                                     std::int64_t now_ns);
    // What traced processes were seen to open.
    SocketHolders& holders() { return holders_; }

   private:
    struct Answer {
        std::optional<LocalProcess> process;
        int fd = 0;                    // of that process
        std::string target;            // "socket:[7]"
        std::int64_t searched_ns = 0;  // when, 0: never
    };
    Answer search(pid_t tid, const std::string& space, int type, const std::string& ip, std::uint32_t port,
                  std::int64_t now_ns);
    static bool still_holds(const Answer& answer);

    SocketHolders holders_;
    // By network namespace, type, address and port.
    std::map<std::tuple<std::string, int, std::string, std::uint32_t>, Answer> answers_;
};

}  // namespace slowtrace::record
