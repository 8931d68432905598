// A byte of flags per descriptor number.
#include "record/descriptor_watch.hpp"

#include <algorithm>

namespace slowtrace::record {

void DescriptorWatch::set(int fd, std::uint8_t bits) {
    if (fd < 0 || fd >= highest) return;
    if (static_cast<std::size_t>(fd) >= bits_.size()) {
        if (bits == 0) return;
        bits_.resize(static_cast<std::size_t>(fd) + 1);
    }
    bits_[static_cast<std::size_t>(fd)] = bits;
}

void DescriptorWatch::opened(int fd, bool stream_socket) {
    streams_.erase(fd);
    set(fd, known_bit | (stream_socket ? stream_bit : 0));
}

void DescriptorWatch::marked_dns(int fd) {
    set(fd, get(fd) | dns_bit);
}

void DescriptorWatch::duplicated(int from, int to) {
    if (from != to) streams_.erase(to);
    set(to, get(from) | known_bit);
}

void DescriptorWatch::closed(int fd) {
    if (get(fd) & dns_bit) streams_.erase(fd);
    set(fd, 0);
}

void DescriptorWatch::closed_range(unsigned first, unsigned last) {
    for (std::size_t fd = first; fd < bits_.size() && fd <= last; ++fd) closed(static_cast<int>(fd));
}

void DescriptorWatch::keep_only(const std::vector<int>& open) {
    std::vector<std::uint8_t> kept(bits_.size());
    for (const int fd : open)
        if (fd >= 0 && static_cast<std::size_t>(fd) < bits_.size())
            kept[static_cast<std::size_t>(fd)] = bits_[static_cast<std::size_t>(fd)];
    bits_ = std::move(kept);
    std::erase_if(streams_, [this](const auto& entry) { return !dns(entry.first); });
}

}  // namespace slowtrace::record
