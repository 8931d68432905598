// Socket addresses as recorded → endpoints as shown.
#include "resolve/endpoints.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

namespace slowtrace::resolve {

namespace {

std::string_view without_mapping(std::string_view ip) {
    constexpr std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    return ip.size() == 16 && ip.starts_with(mapped) ? ip.substr(12) : ip;
}

}  // namespace

std::string address_text(std::string_view ip) {
    ip = without_mapping(ip);
    if (ip.size() != 4 && ip.size() != 16) return {};
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(ip.size() == 4 ? AF_INET : AF_INET6, ip.data(), text.data(), text.size());
    return text.data();
}

Endpoint endpoint_of(const model::SocketAddress& address, Transport ip_transport) {
    Endpoint endpoint;
    switch (address.family()) {
        case AF_INET:
        case AF_INET6:
            endpoint.transport = ip_transport;
            endpoint.address = address_text(address.ip());
            endpoint.port = static_cast<std::uint16_t>(address.port());
            break;
        case AF_UNIX:
            endpoint.transport = Transport::unix_socket;
            endpoint.address = (address.abstract() ? "@" : "") + address.path();
            break;
        case AF_NETLINK:
            endpoint.transport = Transport::netlink;
            break;
        case AF_PACKET:
            endpoint.transport = Transport::packet;
            break;
        default:
            break;
    }
    return endpoint;
}

Transport transport_of(int family, int type, int protocol) {
    constexpr int type_mask = 0xf;  // SOCK_NONBLOCK and SOCK_CLOEXEC lie above
    constexpr int multipath_tcp = 262;
    switch (family) {
        case AF_INET:
        case AF_INET6:
            if ((type & type_mask) == SOCK_STREAM)
                return protocol == 0 || protocol == IPPROTO_TCP || protocol == multipath_tcp ? Transport::tcp
                                                                                             : Transport::other;
            return (type & type_mask) == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP) ? Transport::udp
                                                                                                  : Transport::other;
        case AF_UNIX:
            return Transport::unix_socket;
        case AF_NETLINK:
            return Transport::netlink;
        case AF_PACKET:
            return Transport::packet;
        default:
            return Transport::other;
    }
}

void address_key(const model::SocketAddress& address, std::string& key) {
    const std::uint32_t numbers[] = {static_cast<std::uint32_t>(address.family()), address.port(),
                                     address.protocol_id(), address.abstract() ? 1u : 0u};
    key.assign(reinterpret_cast<const char*>(numbers), sizeof numbers);
    key += address.ip();
    key += address.path();
}

}  // namespace slowtrace::resolve
