// The text of /proc/PID/net/{tcp,tcp6,udp,udp6} (Documentation/networking/proc_net_tcp.rst).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/trace.pb.h"

namespace slowtrace::record {

struct NetTable {
    const char* file;
    int family, type, protocol;
};
std::span<const NetTable> net_tables();

struct NetTableRow {
    model::SocketAddress local, remote;  // port 0 at the far end: not connected
    bool listening = false;
    bool connecting = false;  // in SYN_SENT: `remote` has not answered yet
    std::uint32_t user = 0;
    std::uint64_t inode = 0;
};
// Nothing for the heading and for what does not parse.
std::optional<NetTableRow> parse_net_row(std::string_view line, const NetTable& table);

}  // namespace slowtrace::record
