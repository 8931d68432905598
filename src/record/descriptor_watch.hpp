// What the recorder must know of the descriptors of one file table: which the events already explain, which carry
// traffic worth reading, and which are TCP connections.
//
// This is not the meaning of descriptors (resolve computes that from the events); it is only what is needed to look
// up the unexplained ones in /proc, to read names on their way, and to ask the kernel before a connection is gone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "record/socket_tap.hpp"

namespace slowtrace::record {

class DescriptorWatch {
   public:
    bool known(int fd) const { return get(fd) & known_bit; }
    SocketKind kind(int fd) const { return static_cast<SocketKind>(get(fd) >> kind_shift); }

    void opened(int fd, SocketKind kind = SocketKind::none);
    void duplicated(int from, int to);
    void closed(int fd);
    void closed_range(unsigned first, unsigned last);
    // After exec or unshare: only what is still open stays explained.
    void keep_only(const std::vector<int>& open);

    // TCP sockets that were connected or accepted.
    void marked_connection(int fd) { set(fd, get(fd) | connection_bit); }
    bool connection(int fd) const { return get(fd) & connection_bit; }
    // Those from `first` to `last`, at most `limit` of them.
    std::vector<int> connections(unsigned first, unsigned last, std::size_t limit) const;

    // Who reads the traffic of a socket. Copies of the table (fork) share it; a settled one is dropped by each.
    bool tapped(int fd) const { return get(fd) & tapped_bit; }
    std::shared_ptr<SocketTap> tap(int fd) const;
    void set_tap(int fd, std::shared_ptr<SocketTap> tap);
    void drop_tap(int fd);
    // Whether a call on it may have to be read: it is tapped, or may still become so by a send that names its peer.
    bool may_tap(int fd) const { return get(fd) & (tapped_bit | tappable_bit); }
    void never_tap(int fd) { set(fd, get(fd) & ~tappable_bit); }

    // Where calls that open and close are not seen, the /proc link tells whether a number still means the same.
    bool still_is(int fd, const std::string& target) const {
        const auto known = targets_.find(fd);
        return known != targets_.end() && known->second == target;
    }
    void remember(int fd, const std::string& target) { targets_[fd] = target; }

   private:
    static constexpr int known_bit = 1, tapped_bit = 2, connection_bit = 4, tappable_bit = 8, kind_shift = 4;
    // Numbers beyond this are never remembered: a program may use any number, memory must not follow it.
    static constexpr int highest = 1 << 20;
    int get(int fd) const {
        return fd >= 0 && static_cast<std::size_t>(fd) < bits_.size() ? bits_[static_cast<std::size_t>(fd)] : 0;
    }
    void set(int fd, int bits);

    std::vector<std::uint8_t> bits_;
    std::unordered_map<int, std::shared_ptr<SocketTap>> taps_;
    std::map<int, std::string> targets_;
};

}  // namespace slowtrace::record
