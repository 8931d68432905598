// Host names and authorities: a list of what may be in them, not of what may not.
#include "wire/host_name.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace slowtrace::wire {
namespace {

constexpr std::size_t max_name = 253;

bool letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool all_allowed(std::string_view name) {
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return letter_or_digit(c) || c == '.' || c == '-' || c == '_'; });
}

// With its zone, "fe80::1%eth0" (RFC 4007 §11).
bool ipv6_address(std::string_view text) {
    const std::size_t zone = std::min(text.find('%'), text.size());
    in6_addr address;
    return ::inet_pton(AF_INET6, std::string(text.substr(0, zone)).c_str(), &address) == 1 &&
           all_allowed(text.substr(std::min(zone + 1, text.size())));
}

bool read_port(std::string_view text, std::uint32_t& port) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() && port <= 65'535;
}

std::optional<HostAndPort> checked(std::string_view host, std::string_view port) {
    HostAndPort both;
    if (!port.empty() && !read_port(port, both.port)) return std::nullopt;
    const auto name = checked_host_name(host);
    if (!name) return std::nullopt;
    both.host = *name;
    return both;
}

}  // namespace

std::optional<std::string> checked_host_name(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.empty() || name.size() > max_name || name.ends_with('.')) return std::nullopt;
    // A zero octet would end what inet_pton looks at.
    const bool address = name.find(':') != std::string_view::npos && name.find('\0') == std::string_view::npos;
    if (!(address ? ipv6_address(name) : all_allowed(name))) return std::nullopt;
    return std::string(name);
}

std::optional<HostAndPort> checked_authority(std::string_view authority) {
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view behind = authority.substr(end + 1);
        if (!behind.empty() && behind[0] != ':') return std::nullopt;
        return checked(authority.substr(1, end - 1), behind.substr(behind.empty() ? 0 : 1));
    }
    const std::size_t colon = authority.find(':');
    if (colon == std::string_view::npos) return checked(authority, {});
    return checked(authority.substr(0, colon), authority.substr(colon + 1));
}

}  // namespace slowtrace::wire
