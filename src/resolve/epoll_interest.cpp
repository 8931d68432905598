// One epoll's interest list (epoll(7)): keyed by descriptor number and open file, found by the program's cookie.
#include "resolve/epoll_interest.hpp"

#include <sys/epoll.h>

#include <limits>

namespace slowtrace::resolve {

namespace {
constexpr int lowest = std::numeric_limits<int>::min();
}

bool EpollInterest::watches(std::uint64_t file_id) const {
    auto entry = entries_.lower_bound({file_id, lowest});
    return entry != entries_.end() && entry->first.first == file_id;
}

void EpollInterest::set(Interest interest) {
    Key key{interest.file_id, interest.number};
    if (auto old = entries_.find(key); old != entries_.end()) erase(old);
    by_cookie_.emplace(interest.cookie, key.first, key.second);
    entries_.emplace(key, std::move(interest));
}

void EpollInterest::remove(std::uint64_t file_id, int number) {
    if (auto entry = entries_.find({file_id, number}); entry != entries_.end()) erase(entry);
}

void EpollInterest::remove_file(std::uint64_t file_id) {
    auto entry = entries_.lower_bound({file_id, lowest});
    while (entry != entries_.end() && entry->first.first == file_id) erase(entry++);
}

void EpollInterest::clear() {
    entries_.clear();
    by_cookie_.clear();
}

void EpollInterest::erase(std::map<Key, Interest>::iterator entry) {
    by_cookie_.erase({entry->second.cookie, entry->first.first, entry->first.second});
    entries_.erase(entry);
}

Interest* EpollInterest::find(std::uint64_t cookie, std::uint32_t events) {
    constexpr int most_looked_at = 64;
    Interest* first = nullptr;
    auto at = by_cookie_.lower_bound({cookie, 0, lowest});
    for (int looked = 0; at != by_cookie_.end() && std::get<0>(*at) == cookie && looked < most_looked_at;
         ++at, ++looked) {
        Interest& entry = entries_.find({std::get<1>(*at), std::get<2>(*at)})->second;
        if (entry.armed && (events & (entry.events | EPOLLERR | EPOLLHUP)) != 0) return &entry;
        if (first == nullptr) first = &entry;
    }
    return first;
}

}  // namespace slowtrace::resolve
