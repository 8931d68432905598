// Constants of socket calls.
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "render/constant_table.hpp"

namespace slowtrace::render {

namespace {

using model::Shape;

constexpr Constant families[] = {NAMED(AF_UNSPEC),  NAMED(AF_UNIX),    NAMED(AF_INET), NAMED(AF_INET6),
                                 NAMED(AF_NETLINK), NAMED(AF_PACKET),  NAMED(AF_KEY),  NAMED(AF_BLUETOOTH),
                                 NAMED(AF_CAN),     NAMED(AF_TIPC),    NAMED(AF_ALG),  NAMED(AF_VSOCK),
                                 NAMED(AF_KCM),     NAMED(AF_QIPCRTR), NAMED(AF_XDP)};
constexpr Constant types[] = {NAMED(SOCK_STREAM),    NAMED(SOCK_DGRAM), NAMED(SOCK_RAW),   NAMED(SOCK_RDM),
                              NAMED(SOCK_SEQPACKET), NAMED(SOCK_DCCP),  NAMED(SOCK_PACKET)};
constexpr Constant type_flags[] = {NAMED(SOCK_CLOEXEC), NAMED(SOCK_NONBLOCK)};
constexpr Constant ip_protocols[] = {NAMED(IPPROTO_IP),      NAMED(IPPROTO_ICMP),    NAMED(IPPROTO_TCP),
                                     NAMED(IPPROTO_UDP),     NAMED(IPPROTO_SCTP),    NAMED(IPPROTO_ICMPV6),
                                     NAMED(IPPROTO_UDPLITE), {262, "IPPROTO_MPTCP"}, NAMED(IPPROTO_RAW)};
constexpr Constant netlink_protocols[] = {
    {0, "NETLINK_ROUTE"},      {4, "NETLINK_SOCK_DIAG"},       {6, "NETLINK_XFRM"},
    {7, "NETLINK_SELINUX"},    {9, "NETLINK_AUDIT"},           {11, "NETLINK_CONNECTOR"},
    {12, "NETLINK_NETFILTER"}, {15, "NETLINK_KOBJECT_UEVENT"}, {16, "NETLINK_GENERIC"}};
constexpr Constant levels[] = {NAMED(SOL_SOCKET),      NAMED(IPPROTO_IP),     NAMED(IPPROTO_TCP),   NAMED(IPPROTO_UDP),
                               NAMED(IPPROTO_IPV6),    {263, "SOL_PACKET"},   {270, "SOL_NETLINK"}, {282, "SOL_TLS"},
                               {58, "IPPROTO_ICMPV6"}, {132, "IPPROTO_SCTP"}, {284, "SOL_MPTCP"}};
constexpr Constant socket_options[] = {
    NAMED(SO_DEBUG),         NAMED(SO_REUSEADDR),     NAMED(SO_TYPE),          NAMED(SO_ERROR),
    NAMED(SO_DONTROUTE),     NAMED(SO_BROADCAST),     NAMED(SO_SNDBUF),        NAMED(SO_RCVBUF),
    NAMED(SO_KEEPALIVE),     NAMED(SO_OOBINLINE),     NAMED(SO_NO_CHECK),      NAMED(SO_PRIORITY),
    NAMED(SO_LINGER),        NAMED(SO_BSDCOMPAT),     NAMED(SO_REUSEPORT),     NAMED(SO_PASSCRED),
    NAMED(SO_PEERCRED),      NAMED(SO_RCVLOWAT),      NAMED(SO_SNDLOWAT),      {20, "SO_RCVTIMEO"},
    {21, "SO_SNDTIMEO"},     NAMED(SO_BINDTODEVICE),  NAMED(SO_ATTACH_FILTER), NAMED(SO_DETACH_FILTER),
    NAMED(SO_PEERNAME),      {29, "SO_TIMESTAMP"},    NAMED(SO_ACCEPTCONN),    NAMED(SO_PEERSEC),
    NAMED(SO_SNDBUFFORCE),   NAMED(SO_RCVBUFFORCE),   {35, "SO_TIMESTAMPNS"},  NAMED(SO_MARK),
    {37, "SO_TIMESTAMPING"}, NAMED(SO_PROTOCOL),      NAMED(SO_DOMAIN),        NAMED(SO_RXQ_OVFL),
    NAMED(SO_PEEK_OFF),      NAMED(SO_LOCK_FILTER),   NAMED(SO_BUSY_POLL),     NAMED(SO_INCOMING_CPU),
    NAMED(SO_ATTACH_BPF),    NAMED(SO_COOKIE),        NAMED(SO_PEERGROUPS),    NAMED(SO_ZEROCOPY),
    {66, "SO_RCVTIMEO_NEW"}, {67, "SO_SNDTIMEO_NEW"}, {77, "SO_PEERPIDFD"},    {76, "SO_PASSPIDFD"}};
constexpr Constant ip_options[] = {NAMED(IP_TOS),
                                   NAMED(IP_TTL),
                                   NAMED(IP_HDRINCL),
                                   NAMED(IP_OPTIONS),
                                   NAMED(IP_RECVOPTS),
                                   NAMED(IP_PKTINFO),
                                   NAMED(IP_MTU_DISCOVER),
                                   NAMED(IP_RECVERR),
                                   NAMED(IP_RECVTTL),
                                   NAMED(IP_RECVTOS),
                                   NAMED(IP_MTU),
                                   NAMED(IP_FREEBIND),
                                   NAMED(IP_TRANSPARENT),
                                   NAMED(IP_MULTICAST_IF),
                                   NAMED(IP_MULTICAST_TTL),
                                   NAMED(IP_MULTICAST_LOOP),
                                   NAMED(IP_ADD_MEMBERSHIP),
                                   NAMED(IP_DROP_MEMBERSHIP),
                                   NAMED(IP_BIND_ADDRESS_NO_PORT),
                                   {51, "IP_LOCAL_PORT_RANGE"}};
constexpr Constant ipv6_options[] = {
    NAMED(IPV6_UNICAST_HOPS), NAMED(IPV6_MULTICAST_IF), NAMED(IPV6_MULTICAST_HOPS),   NAMED(IPV6_MULTICAST_LOOP),
    NAMED(IPV6_MTU_DISCOVER), NAMED(IPV6_MTU),          NAMED(IPV6_RECVERR),          NAMED(IPV6_V6ONLY),
    NAMED(IPV6_RECVPKTINFO),  NAMED(IPV6_PKTINFO),      NAMED(IPV6_RECVHOPLIMIT),     NAMED(IPV6_RECVTCLASS),
    NAMED(IPV6_TCLASS),       NAMED(IPV6_FREEBIND),     {72, "IPV6_ADDR_PREFERENCES"}};
constexpr Constant tcp_options[] = {NAMED(TCP_NODELAY),          NAMED(TCP_MAXSEG),    NAMED(TCP_CORK),
                                    NAMED(TCP_KEEPIDLE),         NAMED(TCP_KEEPINTVL), NAMED(TCP_KEEPCNT),
                                    NAMED(TCP_SYNCNT),           NAMED(TCP_LINGER2),   NAMED(TCP_DEFER_ACCEPT),
                                    NAMED(TCP_WINDOW_CLAMP),     NAMED(TCP_INFO),      NAMED(TCP_QUICKACK),
                                    NAMED(TCP_CONGESTION),       NAMED(TCP_MD5SIG),    NAMED(TCP_USER_TIMEOUT),
                                    NAMED(TCP_FASTOPEN),         NAMED(TCP_TIMESTAMP), NAMED(TCP_NOTSENT_LOWAT),
                                    NAMED(TCP_FASTOPEN_CONNECT), NAMED(TCP_ULP),       NAMED(TCP_ZEROCOPY_RECEIVE)};
constexpr Constant udp_options[] = {{1, "UDP_CORK"}, {100, "UDP_ENCAP"}, {103, "UDP_SEGMENT"}, {104, "UDP_GRO"}};
constexpr Constant netlink_options[] = {{1, "NETLINK_ADD_MEMBERSHIP"}, {2, "NETLINK_DROP_MEMBERSHIP"},
                                        {3, "NETLINK_PKTINFO"},        {5, "NETLINK_NO_ENOBUFS"},
                                        {11, "NETLINK_EXT_ACK"},       {12, "NETLINK_GET_STRICT_CHK"}};
constexpr Constant message_flags[] = {
    NAMED(MSG_OOB),        NAMED(MSG_PEEK),     NAMED(MSG_DONTROUTE), NAMED(MSG_CTRUNC),
    NAMED(MSG_TRUNC),      NAMED(MSG_DONTWAIT), NAMED(MSG_EOR),       NAMED(MSG_WAITALL),
    NAMED(MSG_CONFIRM),    NAMED(MSG_ERRQUEUE), NAMED(MSG_NOSIGNAL),  NAMED(MSG_MORE),
    NAMED(MSG_WAITFORONE), NAMED(MSG_ZEROCOPY), NAMED(MSG_FASTOPEN),  NAMED(MSG_CMSG_CLOEXEC)};
constexpr Constant shutdown_hows[] = {NAMED(SHUT_RD), NAMED(SHUT_WR), NAMED(SHUT_RDWR)};
constexpr Constant socketcall_numbers[] = {
    {1, "SYS_SOCKET"},    {2, "SYS_BIND"},        {3, "SYS_CONNECT"},     {4, "SYS_LISTEN"},
    {5, "SYS_ACCEPT"},    {6, "SYS_GETSOCKNAME"}, {7, "SYS_GETPEERNAME"}, {8, "SYS_SOCKETPAIR"},
    {9, "SYS_SEND"},      {10, "SYS_RECV"},       {11, "SYS_SENDTO"},     {12, "SYS_RECVFROM"},
    {13, "SYS_SHUTDOWN"}, {14, "SYS_SETSOCKOPT"}, {15, "SYS_GETSOCKOPT"}, {16, "SYS_SENDMSG"},
    {17, "SYS_RECVMSG"},  {18, "SYS_ACCEPT4"},    {19, "SYS_RECVMMSG"},   {20, "SYS_SENDMMSG"}};

constexpr ShapeConstants shapes[] = {
    {Shape::socket_family, false, families},       {Shape::socket_type, false, types},
    {Shape::socket_protocol, false, ip_protocols}, {Shape::socket_level, false, levels},
    {Shape::socket_option, false, socket_options}, {Shape::message_flags, true, message_flags},
    {Shape::shutdown_how, false, shutdown_hows},   {Shape::socketcall_number, false, socketcall_numbers},
};

struct LevelOptions {
    int level;
    Constants options;
};
constexpr LevelOptions level_options[] = {
    {SOL_SOCKET, socket_options}, {IPPROTO_IP, ip_options},   {IPPROTO_IPV6, ipv6_options},
    {IPPROTO_TCP, tcp_options},   {IPPROTO_UDP, udp_options}, {270, netlink_options},
};

}  // namespace

std::span<const ShapeConstants> socket_constants() {
    return shapes;
}
Constants socket_type_flag_constants() {
    return type_flags;
}
Constants socket_option_constants(int level) {
    for (const LevelOptions& row : level_options)
        if (row.level == level) return row.options;
    return {};
}
Constants socket_protocol_constants(int family) {
    if (family == AF_NETLINK) return netlink_protocols;
    if (family == AF_INET || family == AF_INET6) return ip_protocols;
    return {};
}

}  // namespace slowtrace::render
