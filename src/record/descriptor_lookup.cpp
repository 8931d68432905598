// /proc/TID/fd and fdinfo for any descriptor; for a socket, a duplicate of it (pidfd_getfd(2)) is asked directly,
// which is right in any network namespace, and /proc/TID/net is searched by inode where that is not allowed.
#include "record/descriptor_lookup.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <string_view>

#include "record/proc.hpp"
#include "record/socket_address.hpp"
#include "slowtrace/unique_fd.hpp"

namespace slowtrace::record {

namespace {

constexpr unsigned pidfd_thread = O_EXCL;  // PIDFD_THREAD, Linux 6.9 (include/uapi/linux/pidfd.h)

UniqueFd duplicate(pid_t pid, pid_t tid, int fd) {
    UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    UniqueFd copy(process ? static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), fd, 0)) : -1);
    if (copy || pid == tid) return copy;
    // A leader that has exited has no files any more; its threads still do.
    process = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, tid, pidfd_thread)));
    return UniqueFd(process ? static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), fd, 0)) : -1);
}

int option(int fd, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    getsockopt(fd, SOL_SOCKET, name, &value, &length);
    return value;
}

using AddressCall = int (*)(int, sockaddr*, socklen_t*);

bool ask_address(int fd, AddressCall call, model::SocketAddress& address) {
    sockaddr_storage storage;
    socklen_t length = sizeof storage;
    if (call(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return false;
    const auto bytes = std::as_bytes(std::span(&storage, 1)).first(std::min<std::size_t>(length, sizeof storage));
    return parse_socket_address(bytes, address);
}

void ask_socket(int fd, model::Socket& socket) {
    socket.set_family(option(fd, SO_DOMAIN));
    socket.set_type(option(fd, SO_TYPE));
    socket.set_protocol(option(fd, SO_PROTOCOL));
    socket.set_listening(option(fd, SO_ACCEPTCONN) != 0);
    model::SocketAddress address;
    if (ask_address(fd, getsockname, address)) socket.mutable_local()->Swap(&address);
    address.Clear();
    if (ask_address(fd, getpeername, address)) {
        socket.mutable_peer()->Swap(&address);
        socket.set_connected(true);
    }
}

struct NetTable {
    const char* file;
    int family, type, protocol;
};
constexpr std::array<NetTable, 4> net_tables{{{"tcp", AF_INET, SOCK_STREAM, IPPROTO_TCP},
                                              {"tcp6", AF_INET6, SOCK_STREAM, IPPROTO_TCP},
                                              {"udp", AF_INET, SOCK_DGRAM, IPPROTO_UDP},
                                              {"udp6", AF_INET6, SOCK_DGRAM, IPPROTO_UDP}}};

// "0100007F:0050": each 32-bit word of the address as the machine prints it, then the port.
void parse_net_address(std::string_view text, int family, model::SocketAddress& address) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon % 8 != 0) return;
    std::string ip;
    for (std::size_t at = 0; at < colon; at += 8) {
        const auto word =
            static_cast<std::uint32_t>(std::strtoul(std::string(text.substr(at, 8)).c_str(), nullptr, 16));
        ip.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    address.set_family(family);
    address.set_ip(ip);
    address.set_port(
        static_cast<std::uint32_t>(std::strtoul(std::string(text.substr(colon + 1)).c_str(), nullptr, 16)));
}

bool find_in_table(pid_t tid, const NetTable& table, std::string_view inode, model::Socket& socket) {
    constexpr std::size_t limit = 4 << 20;
    const auto text = read_file("/proc/" + std::to_string(tid) + "/net/" + table.file, limit);
    if (!text) return false;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, found;
        words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> found;
        if (found != inode) continue;
        socket.set_family(table.family);
        socket.set_type(table.type);
        socket.set_protocol(table.protocol);
        parse_net_address(local, table.family, *socket.mutable_local());
        // Port 0 at the far end means not connected (Documentation/networking/proc_net_tcp.rst).
        socket.set_listening(table.type == SOCK_STREAM && state == "0A");
        parse_net_address(remote, table.family, *socket.mutable_peer());
        socket.set_connected(socket.peer().port() != 0);
        if (!socket.connected()) socket.clear_peer();
        return true;
    }
    return false;
}

void search_net_tables(pid_t tid, std::string_view target, model::Socket& socket) {
    const auto from = target.find('['), to = target.find(']');
    if (from == std::string_view::npos || to == std::string_view::npos) return;
    for (const NetTable& table : net_tables)
        if (find_in_table(tid, table, target.substr(from + 1, to - from - 1), socket)) return;
}

}  // namespace

std::optional<model::DescriptorBinding> look_up_descriptor(pid_t pid, pid_t tid, int fd) {
    if (fd < 0) return std::nullopt;
    const std::string base = "/proc/" + std::to_string(tid);
    const auto target = read_link(base + "/fd/" + std::to_string(fd));
    if (!target) return std::nullopt;
    model::DescriptorBinding binding;
    binding.set_fd(fd);
    binding.set_target(*target);
    if (const auto information = read_file(base + "/fdinfo/" + std::to_string(fd), 4096)) {
        const auto flags = information->find("flags:");
        if (flags != std::string::npos)
            binding.set_flags(static_cast<std::uint32_t>(std::strtoul(information->c_str() + flags + 6, nullptr, 8)));
    }
    if (target->starts_with("socket:")) {
        if (const UniqueFd copy = duplicate(pid, tid, fd))
            ask_socket(copy.get(), *binding.mutable_socket());
        else
            search_net_tables(tid, *target, *binding.mutable_socket());
    }
    return binding;
}

}  // namespace slowtrace::record
