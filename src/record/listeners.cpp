// Listening sockets stand first in /proc/PID/net/tcp (net/ipv4/tcp_ipv4.c, tcp_seq_next()), so that reading ends with
// them.
#include "record/listeners.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "record/proc.hpp"
#include "slowtrace/unique_fd.hpp"

namespace slowtrace::record {

namespace {

constexpr std::size_t answers_limit = 4096;

std::string proc_path(pid_t pid, const std::string& name) {
    return "/proc/" + std::to_string(pid) + "/" + name;
}

bool is_any(const std::string& ip) {
    return std::ranges::all_of(ip, [](char octet) { return octet == 0; });
}

// ::ffff:192.0.2.1 is 192.0.2.1 (RFC 4291 §2.5.5.2).
std::string without_mapping(const std::string& ip) {
    static const std::string prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\xff', '\xff'};
    return ip.size() == 16 && ip.starts_with(prefix) ? ip.substr(prefix.size()) : ip;
}

std::optional<NetTableRow> find_in_table(pid_t tid, const NetTable& table, const std::string& ip, std::uint32_t port) {
    const UniqueFd file(open(proc_path(tid, std::string("net/") + table.file).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    std::optional<NetTableRow> for_any;
    std::string text;
    bool heading = true;
    char buffer[8192];
    while (true) {
        const ssize_t got = read(file.get(), buffer, sizeof buffer);
        if (got <= 0) return for_any;
        text.append(buffer, static_cast<std::size_t>(got));
        std::size_t from = 0;
        for (std::size_t to = 0; (to = text.find('\n', from)) != std::string::npos; from = to + 1) {
            const auto row = parse_net_row(std::string_view(text).substr(from, to - from), table);
            if (!row && heading) {
                heading = false;
                continue;
            }
            if (!row || (table.type == SOCK_STREAM && !row->listening)) return for_any;
            if (row->remote.port() != 0) continue;  // a datagram socket that is connected
            if (row->local.port() != port || !listens_for(*row, ip)) continue;
            if (!is_any(row->local.ip())) return row;
            for_any = row;
        }
        text.erase(0, from);
    }
}

// A socket bound to the very address comes before one bound to any.
std::optional<NetTableRow> find_row(pid_t tid, int type, const std::string& ip, std::uint32_t port) {
    std::optional<NetTableRow> found;
    for (const NetTable& table : net_tables()) {
        if (table.type != type || (found && !is_any(found->local.ip()))) continue;
        const auto row = find_in_table(tid, table, ip, port);
        if (row && (!found || !is_any(row->local.ip()))) found = row;
    }
    return found;
}

}  // namespace

bool listens_for(const NetTableRow& row, const std::string& ip) {
    const std::string& local = row.local.ip();
    if (is_any(local)) return local.size() == 16 || without_mapping(ip).size() == 4;
    return without_mapping(local) == without_mapping(ip);
}

std::optional<LocalProcess> Listeners::find(pid_t tid, int type, const std::string& ip, std::uint32_t port,
                                            std::int64_t now_ns) {
    constexpr std::int64_t search_again_ns = 1'000'000'000;
    const auto space = read_link(proc_path(tid, "ns/net"));
    if (!space) return std::nullopt;
    if (answers_.size() >= answers_limit) answers_.clear();
    Answer& answer = answers_[{*space, type, without_mapping(ip), port}];
    if (answer.process && !still_holds(answer)) answer = {};
    if (answer.searched_ns == 0 || now_ns - answer.searched_ns >= search_again_ns) {
        answer = search(tid, *space, type, ip, port, now_ns);
        answer.searched_ns = now_ns;
    }
    return answer.process;
}

Listeners::Answer Listeners::search(pid_t tid, const std::string& space, int type, const std::string& ip,
                                    std::uint32_t port, std::int64_t now_ns) {
    Answer answer;
    const auto row = find_row(tid, type, ip, port);
    if (!row) return answer;
    const auto holder = holders_.find(row->inode, space, now_ns);
    if (!holder) return answer;
    answer.process = LocalProcess{holder->pid, row->user, read_comm(holder->pid).value_or("")};
    answer.fd = holder->fd;
    answer.target = "socket:[" + std::to_string(row->inode) + "]";
    return answer;
}

bool Listeners::still_holds(const Answer& answer) {
    return read_link(proc_path(answer.process->pid, "fd/" + std::to_string(answer.fd))) == answer.target;
}

}  // namespace slowtrace::record
