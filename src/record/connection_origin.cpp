// Reads /proc/sys/net/ipv4/ip_local_port_range, once.
#include "record/connection_origin.hpp"

#include <cstdio>

#include "record/proc.hpp"

namespace slowtrace::record {

namespace {

struct PortRange {
    unsigned first = 32768, last = 60999;  // the kernel's own default
};

PortRange read_range() {
    PortRange range, read;
    const auto text = read_file("/proc/sys/net/ipv4/ip_local_port_range", 64);
    if (text && std::sscanf(text->c_str(), "%u %u", &read.first, &read.last) == 2) range = read;
    return range;
}

bool is_ephemeral(std::uint32_t port) {
    static const PortRange range = read_range();
    return port >= range.first && port <= range.last;
}

}  // namespace

bool seems_accepted(const model::Socket& socket) {
    return is_ephemeral(socket.peer().port()) && !is_ephemeral(socket.local().port());
}

}  // namespace slowtrace::record
