// Follows a run with a resolver of its own and asks c-ares about what stayed unnamed.
#include "cli/named_addresses.hpp"

#include <arpa/inet.h>

#include <chrono>
#include <vector>

#include "cli/reverse_lookup.hpp"

namespace slowtrace::cli {

namespace {
constexpr std::chrono::milliseconds time_limit{3000};
}

void NamedAddresses::event(const model::Event& event) {
    next_.event(event);
    resolver_.event(event);
}

void NamedAddresses::syscall(const model::Syscall& call) {
    next_.syscall(call);
    resolver_.syscall(call);
}

void NamedAddresses::connection_opened(const resolve::Connection& connection, std::int64_t) {
    if (!connection.peer.host.empty()) return;
    in6_addr octets;
    if (inet_pton(AF_INET, connection.peer.address.c_str(), &octets) == 1)
        unnamed_.emplace(reinterpret_cast<const char*>(&octets), sizeof(in_addr));
    else if (inet_pton(AF_INET6, connection.peer.address.c_str(), &octets) == 1)
        unnamed_.emplace(reinterpret_cast<const char*>(&octets), sizeof octets);
}

void NamedAddresses::look_up_the_rest() {
    const std::vector<std::string> addresses(unnamed_.begin(), unnamed_.end());
    for (const auto& [ip, name] : reverse_lookup(addresses, time_limit)) {
        model::Event event;
        event.mutable_reverse_name()->set_ip(ip);
        event.mutable_reverse_name()->set_name(name);
        next_.event(event);
    }
}

}  // namespace slowtrace::cli
