// One epoll's interest list (epoll(7)): keyed by descriptor number and open file, found by the program's cookie.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

struct TrackedFile;

struct Interest {
    std::weak_ptr<TrackedFile> file;
    std::uint64_t file_id = 0;
    int number = -1;
    std::uint32_t events = 0;
    std::uint64_t cookie = 0;
    bool armed = true;  // EPOLLONESHOT: until reported
};

class EpollInterest {
   public:
    using Key = std::pair<std::uint64_t, int>;  // open file id, descriptor number

    bool watches(std::uint64_t file_id) const;
    // Adds, or replaces and re-arms.
    void set(Interest interest);
    void remove(std::uint64_t file_id, int number);
    void remove_file(std::uint64_t file_id);
    void clear();
    const std::map<Key, Interest>& all() const { return entries_; }
    // The first armed entry with this cookie that asked for one of these events, else the first with the
    // cookie, else nullptr. Programs may give several descriptors the same cookie: a few are looked at.
    Interest* find(std::uint64_t cookie, std::uint32_t events);

   private:
    void erase(std::map<Key, Interest>::iterator entry);

    std::map<Key, Interest> entries_;
    std::set<std::tuple<std::uint64_t, std::uint64_t, int>> by_cookie_;
};

}  // namespace slowtrace::resolve
