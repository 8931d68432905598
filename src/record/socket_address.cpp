// Parses socket addresses: ip(7), ipv6(7), unix(7), netlink(7), packet(7).
#include "record/socket_address.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

namespace slowtrace::record {

namespace {

template <typename T>
bool copy(std::span<const std::byte> bytes, T& value) {
    if (bytes.size() < sizeof value) return false;
    std::memcpy(&value, bytes.data(), sizeof value);
    return true;
}

void parse_ipv4(std::span<const std::byte> bytes, model::SocketAddress& address) {
    sockaddr_in ip;
    if (!copy(bytes, ip)) return;
    address.set_ip(&ip.sin_addr, sizeof ip.sin_addr);
    address.set_port(ntohs(ip.sin_port));
}

void parse_ipv6(std::span<const std::byte> bytes, model::SocketAddress& address) {
    sockaddr_in6 ip{};
    // The scope id came later: the kernel takes addresses without it (SIN6_LEN_RFC2133).
    if (bytes.size() < offsetof(sockaddr_in6, sin6_scope_id)) return;
    std::memcpy(&ip, bytes.data(), std::min(bytes.size(), sizeof ip));
    address.set_ip(&ip.sin6_addr, sizeof ip.sin6_addr);
    address.set_port(ntohs(ip.sin6_port));
    address.set_scope(ip.sin6_scope_id);
}

void parse_unix(std::span<const std::byte> bytes, model::SocketAddress& address) {
    bytes = bytes.subspan(offsetof(sockaddr_un, sun_path));
    if (bytes.empty()) return;  // unnamed
    const char* text = reinterpret_cast<const char*>(bytes.data());
    if (text[0] == '\0') {
        address.set_abstract(true);
        address.set_path(text + 1, bytes.size() - 1);
    } else {
        address.set_path(text, strnlen(text, bytes.size()));
    }
}

}  // namespace

bool parse_socket_address(std::span<const std::byte> bytes, model::SocketAddress& address) {
    sa_family_t family;
    if (!copy(bytes, family)) return false;
    address.set_family(family);
    sockaddr_nl netlink;
    sockaddr_ll packet{};
    switch (family) {
        case AF_INET:
            parse_ipv4(bytes, address);
            break;
        case AF_INET6:
            parse_ipv6(bytes, address);
            break;
        case AF_UNIX:
            parse_unix(bytes, address);
            break;
        case AF_NETLINK:
            if (copy(bytes, netlink)) address.set_protocol_id(netlink.nl_pid);
            break;
        case AF_PACKET:
            std::memcpy(&packet, bytes.data(), std::min(bytes.size(), sizeof packet));
            address.set_protocol_id(static_cast<std::uint32_t>(packet.sll_ifindex));
            break;
        default:
            break;
    }
    return true;
}

}  // namespace slowtrace::record
