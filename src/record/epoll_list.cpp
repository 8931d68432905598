// "tfd:        5 events:       19 data:                5  pos:0 ino:61af sdev:7", one line a member.
#include "record/epoll_list.hpp"

#include <cstdio>
#include <sstream>

#include "record/proc.hpp"

namespace slowtrace::record {

std::vector<model::DescriptorBinding::Interest> read_epoll_list(pid_t tid, int epoll, std::size_t limit) {
    constexpr std::size_t line_bytes = 128;
    const auto text =
        read_file("/proc/" + std::to_string(tid) + "/fdinfo/" + std::to_string(epoll), (limit + 4) * line_bytes);
    std::vector<model::DescriptorBinding::Interest> list;
    std::istringstream lines(text.value_or(""));
    for (std::string line; std::getline(lines, line) && list.size() < limit;) {
        int fd = 0;
        unsigned events = 0;
        unsigned long long data = 0;
        if (std::sscanf(line.c_str(), "tfd: %d events: %x data: %llx", &fd, &events, &data) != 3) continue;
        auto& interest = list.emplace_back();
        interest.set_fd(fd);
        interest.set_events(events);
        interest.set_data(data);
    }
    return list;
}

}  // namespace slowtrace::record
