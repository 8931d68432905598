// A byte of flags per descriptor number; taps only where there are any.
#include "record/descriptor_watch.hpp"

#include <algorithm>

namespace slowtrace::record {

void DescriptorWatch::set(int fd, int bits) {
    if (fd < 0 || fd >= highest) return;
    if (static_cast<std::size_t>(fd) >= bits_.size()) {
        if (bits == 0) return;
        bits_.resize(static_cast<std::size_t>(fd) + 1);
    }
    bits_[static_cast<std::size_t>(fd)] = static_cast<std::uint8_t>(bits);
}

void DescriptorWatch::opened(int fd, SocketKind kind) {
    drop_tap(fd);
    const bool tappable = kind == SocketKind::stream || kind == SocketKind::datagram;
    set(fd, known_bit | (tappable ? tappable_bit : 0) | static_cast<int>(kind) << kind_shift);
}

void DescriptorWatch::duplicated(int from, int to) {
    if (from == to) return;
    drop_tap(to);
    const auto tap = this->tap(from);
    set(to, (get(from) & ~tapped_bit) | known_bit);
    if (tap) set_tap(to, tap);
}

void DescriptorWatch::closed(int fd) {
    drop_tap(fd);
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
    std::erase_if(taps_, [this](const auto& entry) { return !tapped(entry.first); });
}

std::vector<int> DescriptorWatch::connections(unsigned first, unsigned last, std::size_t limit) const {
    std::vector<int> found;
    for (std::size_t fd = first; fd < bits_.size() && fd <= last && found.size() < limit; ++fd)
        if (bits_[fd] & connection_bit) found.push_back(static_cast<int>(fd));
    return found;
}

std::shared_ptr<SocketTap> DescriptorWatch::tap(int fd) const {
    if (!tapped(fd)) return nullptr;
    const auto found = taps_.find(fd);
    return found == taps_.end() ? nullptr : found->second;
}

void DescriptorWatch::set_tap(int fd, std::shared_ptr<SocketTap> tap) {
    if (fd < 0 || fd >= highest) return;
    taps_[fd] = std::move(tap);
    set(fd, (get(fd) | tapped_bit) & ~tappable_bit);
}

void DescriptorWatch::drop_tap(int fd) {
    if (!tapped(fd)) return;
    taps_.erase(fd);
    set(fd, get(fd) & ~tapped_bit);
}

}  // namespace slowtrace::record
