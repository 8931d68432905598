// What the kernel says of a tracee's TCP socket (tcp(7), TCP_INFO; struct tcp_info in linux/tcp.h).
#pragma once

#include <sys/types.h>

#include <optional>

#include "model/trace.pb.h"

namespace slowtrace::record {

// Nothing where `fd` of the process is no TCP socket, or the kernel does not let us ask (descriptor_copy.hpp).
// `thread`, `time_ns` and `closing` of the result are the caller's to fill; what the kernel has not measured is 0.
// The kernel counts in sequence numbers, of which SYN and FIN take one each: bytes_acked includes the acknowledged SYN
// of the side that connected and an acknowledged FIN, bytes_received the peer's FIN (net/ipv4/tcp_input.c,
// tcp_snd_una_update() and tcp_rcv_nxt_update()).
std::optional<model::TcpReport> ask_tcp(pid_t pid, pid_t tid, int fd);

}  // namespace slowtrace::record
