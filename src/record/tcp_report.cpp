// getsockopt(TCP_INFO) on a duplicate of the descriptor; an older kernel's shorter answer leaves the rest 0.
#include "record/tcp_report.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "record/descriptor_copy.hpp"

namespace slowtrace::record {

std::optional<model::TcpReport> ask_tcp(pid_t pid, pid_t tid, int fd) {
    const UniqueFd copy = copy_descriptor(pid, tid, fd);
    if (!copy) return std::nullopt;
    tcp_info kernel{};
    socklen_t length = sizeof kernel;
    if (getsockopt(copy.get(), IPPROTO_TCP, TCP_INFO, &kernel, &length) != 0) return std::nullopt;
    constexpr std::uint32_t never_measured = UINT32_MAX;
    const auto nanoseconds = [](std::uint32_t microseconds) { return std::int64_t{microseconds} * 1000; };
    model::TcpReport report;
    report.set_fd(fd);
    report.set_state(kernel.tcpi_state);
    report.set_rtt_ns(nanoseconds(kernel.tcpi_rtt));
    report.set_min_rtt_ns(kernel.tcpi_min_rtt == never_measured ? 0 : nanoseconds(kernel.tcpi_min_rtt));
    report.set_retransmits(kernel.tcpi_total_retrans);
    report.set_bytes_acked(kernel.tcpi_bytes_acked);
    report.set_bytes_received(kernel.tcpi_bytes_received);
    report.set_unacked(kernel.tcpi_unacked);
    report.set_delivery_rate(kernel.tcpi_delivery_rate);
    report.set_not_sent(kernel.tcpi_notsent_bytes);
    return report;
}

}  // namespace slowtrace::record
