// A search is bounded in links, which is what it costs, and in CPU time, should a link cost more than usual. The
// descriptors of a process are listed lowest first, and what a server listens on is among its first.
#include "record/socket_holders.hpp"

#include <dirent.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "record/proc.hpp"

namespace slowtrace::record {

namespace {

constexpr std::int64_t search_again_ns = 1'000'000'000;
constexpr std::int64_t search_cpu_ns = 8'000'000;
constexpr int search_links = 6000, process_links = 400;
constexpr std::size_t index_limit = 16 * 1024, traced_limit = 64;

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

std::string proc_path(pid_t pid, const std::string& name) {
    return "/proc/" + std::to_string(pid) + "/" + name;
}

// "socket:[7]"
std::optional<std::uint64_t> inode_of(std::string_view target) {
    constexpr std::string_view prefix = "socket:[";
    if (!target.starts_with(prefix) || !target.ends_with(']')) return std::nullopt;
    target.remove_prefix(prefix.size());
    target.remove_suffix(1);
    std::uint64_t inode = 0;
    const auto parsed = std::from_chars(target.data(), target.data() + target.size(), inode);
    if (parsed.ec != std::errc{} || parsed.ptr != target.data() + target.size()) return std::nullopt;
    return inode;
}

bool holds(const SocketHolders::Holder& holder, std::uint64_t inode) {
    const auto target = read_link(proc_path(holder.pid, "fd/" + std::to_string(holder.fd)));
    return target && inode_of(*target) == inode;
}

std::int64_t cpu_time_ns() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::vector<pid_t> all_processes() {
    std::vector<pid_t> pids;
    const Directory directory(opendir("/proc"), closedir);
    if (!directory) return pids;
    while (const dirent* entry = readdir(directory.get()))
        if (const pid_t pid = std::atoi(entry->d_name)) pids.push_back(pid);
    std::ranges::sort(pids);
    return pids;
}

}  // namespace

class SocketHolders::Search {
   public:
    Search(SocketHolders& holders, const std::string& space) : holders_(holders), space_(space) {}
    bool may_go_on() const { return links_left_ > 0 && cpu_time_ns() - began_ns_ < search_cpu_ns; }
    void look_at(pid_t pid) {
        --links_left_;
        if (read_link(proc_path(pid, "ns/net")) != space_) return;
        const Directory directory(opendir(proc_path(pid, "fd").c_str()), closedir);
        if (!directory) return;
        constexpr int links_between_clocks = 64;
        for (int links = 0; links < process_links; ++links) {
            const dirent* entry = readdir(directory.get());
            if (!entry || (links % links_between_clocks == 0 && !may_go_on())) return;
            char target[64];  // those of sockets are short
            const ssize_t length = readlinkat(dirfd(directory.get()), entry->d_name, target, sizeof target);
            --links_left_;
            if (length <= 0) continue;
            if (const auto inode = inode_of({target, static_cast<std::size_t>(length)}))
                holders_.index_.emplace(*inode, Holder{pid, std::atoi(entry->d_name)});
        }
    }

   private:
    SocketHolders& holders_;
    const std::string& space_;
    int links_left_ = search_links;
    std::int64_t began_ns_ = cpu_time_ns();
};

void SocketHolders::note(pid_t pid, int fd, const std::string& target) {
    note(pid);
    if (index_.size() >= index_limit) index_.clear();
    if (const auto inode = inode_of(target)) index_[*inode] = {pid, fd};
}

void SocketHolders::note(pid_t pid) {
    if (traced_.size() >= traced_limit && !traced_.contains(pid)) traced_.clear();
    traced_.insert(pid);
}

std::optional<SocketHolders::Holder> SocketHolders::find(std::uint64_t inode, const std::string& space,
                                                         std::int64_t now_ns) {
    const auto known = [&]() -> std::optional<Holder> {
        const auto found = index_.find(inode);
        if (found == index_.end()) return std::nullopt;
        if (holds(found->second, inode)) return found->second;
        index_.erase(found);
        return std::nullopt;
    };
    if (const auto holder = known()) return holder;
    if (searched_ns_ && now_ns - *searched_ns_ < search_again_ns) return std::nullopt;
    searched_ns_ = now_ns;
    look_around(space);
    return known();
}

void SocketHolders::look_around(const std::string& space) {
    if (index_.size() >= index_limit) index_.clear();
    Search search(*this, space);
    for (const pid_t pid : traced_)
        if (search.may_go_on()) search.look_at(pid);
    // Where the last search had to end, this one goes on: in the end all are seen.
    std::vector<pid_t> pids = all_processes();
    std::ranges::rotate(pids, std::ranges::lower_bound(pids, go_on_at_));
    for (const pid_t pid : pids) {
        go_on_at_ = pid;
        if (!search.may_go_on()) return;
        search.look_at(pid);
    }
    go_on_at_ = 0;
}

}  // namespace slowtrace::record
