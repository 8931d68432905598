// From a socket's inode to a process that holds it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace slowtrace::record {

// The answers come from an index, which is filled with what traced processes were seen to open and, where that does
// not do, by looking through /proc/PID/fd of all processes. The program stands still meanwhile, so that is done at most
// once a second and ends after a few milliseconds, whether everything has been seen or not.
class SocketHolders {
   public:
    struct Holder {
        pid_t pid = 0;
        int fd = 0;
    };

    // `fd` of the traced process `pid` is the socket `target` ("socket:[7]").
    void note(pid_t pid, int fd, const std::string& target);
    // A traced process that will be looked at before others.
    void note(pid_t pid);

    // Who holds the socket now, among the processes of the network namespace `space` (the link /proc/PID/ns/net).
    // Nothing: nobody visible, or not found in the time there is.
    std::optional<Holder> find(std::uint64_t inode, const std::string& space, std::int64_t now_ns);

   private:
    class Search;
    void look_around(const std::string& space);

    std::unordered_map<std::uint64_t, Holder> index_;  // by inode; perhaps no longer true
    std::set<pid_t> traced_;
    std::optional<std::int64_t> searched_ns_;
    pid_t go_on_at_ = 0;  // the last search ended before this process
};

}  // namespace slowtrace::record
