// /proc/TID/fd and fdinfo for any descriptor; for a socket, a duplicate of it (pidfd_getfd(2)) is asked directly,
// which is right in any network namespace, and /proc/TID/net is searched by inode where that is not allowed.
#include "record/descriptor_lookup.hpp"

#include <sys/socket.h>

#include <cstdlib>
#include <sstream>
#include <string>

#include "record/descriptor_copy.hpp"
#include "record/net_table.hpp"
#include "record/proc.hpp"
#include "record/socket_address.hpp"

namespace slowtrace::record {

namespace {

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

bool find_in_table(pid_t tid, const NetTable& table, std::uint64_t inode, model::Socket& socket) {
    constexpr std::size_t limit = 4 << 20;
    const auto text = read_file("/proc/" + std::to_string(tid) + "/net/" + table.file, limit);
    if (!text) return false;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        auto row = parse_net_row(line, table);
        if (!row || row->inode != inode) continue;
        socket.set_family(table.family);
        socket.set_type(table.type);
        socket.set_protocol(table.protocol);
        socket.mutable_local()->Swap(&row->local);
        socket.set_listening(row->listening);
        if (row->remote.port() == 0) return true;
        socket.set_connected(!row->connecting);
        socket.mutable_peer()->Swap(&row->remote);
        return true;
    }
    return false;
}

void search_net_tables(pid_t tid, const std::string& target, model::Socket& socket) {
    const auto from = target.find('[');
    if (from == std::string::npos) return;
    const std::uint64_t inode = std::strtoull(target.c_str() + from + 1, nullptr, 10);
    for (const NetTable& table : net_tables())
        if (find_in_table(tid, table, inode, socket)) return;
}

// getpeername(2) is silent about a TCP socket in SYN_SENT, of all the one whose peer is asked for most.
void find_whom_it_connects_to(pid_t tid, const std::string& target, model::Socket& socket) {
    const bool internet = socket.family() == AF_INET || socket.family() == AF_INET6;
    if (!internet || socket.type() != SOCK_STREAM || socket.connected() || socket.listening()) return;
    if (socket.local().port() == 0) return;
    model::Socket found;
    search_net_tables(tid, target, found);
    if (found.has_peer() && !found.connected()) socket.mutable_peer()->Swap(found.mutable_peer());
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
        if (const UniqueFd copy = copy_descriptor(pid, tid, fd)) {
            ask_socket(copy.get(), *binding.mutable_socket());
            find_whom_it_connects_to(tid, *target, *binding.mutable_socket());
        } else {
            search_net_tables(tid, *target, *binding.mutable_socket());
        }
    }
    return binding;
}

}  // namespace slowtrace::record
