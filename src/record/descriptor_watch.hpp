// Which descriptor numbers of one file table the events already explain, and which carry DNS.
//
// This is not the meaning of descriptors (resolve computes that from the events); it is only what the recorder
// must know to look up the unexplained ones in /proc, and to read DNS answers before they are gone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "slowtrace/dns.hpp"

namespace slowtrace::record {

class DescriptorWatch {
   public:
    bool known(int fd) const { return get(fd) & known_bit; }
    bool dns(int fd) const { return get(fd) & dns_bit; }
    bool stream(int fd) const { return get(fd) & stream_bit; }

    void opened(int fd, bool stream_socket = false);
    void marked_dns(int fd);
    void duplicated(int from, int to);
    void closed(int fd);
    void closed_range(unsigned first, unsigned last);
    // After exec or unshare: only what is still open stays explained.
    void keep_only(const std::vector<int>& open);

    // Where calls that open and close are not seen, the /proc link tells whether a number still means the same.
    bool still_is(int fd, const std::string& target) const {
        const auto known = targets_.find(fd);
        return known != targets_.end() && known->second == target;
    }
    void remember(int fd, const std::string& target) { targets_[fd] = target; }

    // The half-read messages of DNS over TCP on `fd`, one direction each.
    wire::DnsStream& stream_in(int fd) { return streams_[fd].in; }
    wire::DnsStream& stream_out(int fd) { return streams_[fd].out; }

   private:
    static constexpr std::uint8_t known_bit = 1, dns_bit = 2, stream_bit = 4;
    // Numbers beyond this are never remembered: a program may use any number, memory must not follow it.
    static constexpr int highest = 1 << 20;
    struct Streams {
        wire::DnsStream in, out;
    };
    std::uint8_t get(int fd) const {
        return fd >= 0 && static_cast<std::size_t>(fd) < bits_.size() ? bits_[static_cast<std::size_t>(fd)] : 0;
    }
    void set(int fd, std::uint8_t bits);

    std::vector<std::uint8_t> bits_;
    std::map<int, Streams> streams_;
    std::map<int, std::string> targets_;
};

}  // namespace slowtrace::record
