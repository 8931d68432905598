// The sub-calls of socketcall(2) (include/uapi/linux/net.h) and the direct calls that do the same.
#include "record/multiplexed_call.hpp"

#include <linux/net.h>

#include <array>
#include <span>

namespace slowtrace::record {

namespace {

struct SubCall {
    std::uint32_t code;
    std::uint32_t number;  // of the direct call in the i386 table
    int arguments;         // the rest is zero, as accept4's flags are for accept
};
// send and recv are sendto and recvfrom without an address.
constexpr std::array<SubCall, 20> sub_calls{{
    {SYS_SOCKET, 359, 3},   {SYS_BIND, 361, 3},        {SYS_CONNECT, 362, 3},     {SYS_LISTEN, 363, 2},
    {SYS_ACCEPT, 364, 3},   {SYS_GETSOCKNAME, 367, 3}, {SYS_GETPEERNAME, 368, 3}, {SYS_SOCKETPAIR, 360, 4},
    {SYS_SEND, 369, 4},     {SYS_RECV, 371, 4},        {SYS_SENDTO, 369, 6},      {SYS_RECVFROM, 371, 6},
    {SYS_SHUTDOWN, 373, 2}, {SYS_SETSOCKOPT, 366, 5},  {SYS_GETSOCKOPT, 365, 5},  {SYS_SENDMSG, 370, 3},
    {SYS_RECVMSG, 372, 3},  {SYS_ACCEPT4, 364, 4},     {SYS_RECVMMSG, 337, 5},    {SYS_SENDMMSG, 345, 4},
}};

}  // namespace

void unfold_socketcall(const Architecture& architecture, RemoteMemory& memory, SyscallStop& stop) {
    if (architecture.socketcall == 0 || stop.number != architecture.socketcall) return;
    for (const SubCall& sub_call : sub_calls) {
        if (sub_call.code != stop.arguments[0]) continue;
        std::array<std::uint32_t, 6> arguments{};
        const auto wanted = std::span(arguments).first(static_cast<std::size_t>(sub_call.arguments));
        const auto bytes = std::as_writable_bytes(wanted);
        if (memory.read({stop.arguments[1]}, bytes) != bytes.size()) return;
        stop.number = sub_call.number;
        std::copy(arguments.begin(), arguments.end(), stop.arguments);
        return;
    }
}

}  // namespace slowtrace::record
