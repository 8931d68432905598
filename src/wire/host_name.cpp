// Host names and authorities: a list of what may be in them, not of what may not.
#include "wire/host_name.hpp"

#include <algorithm>
#include <charconv>

namespace slowtrace::wire {
namespace {

constexpr std::size_t max_name = 253;

bool letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// ':' and '%' are those of an IPv6 address and its zone.
bool allowed(char c) {
    return letter_or_digit(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '%';
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
    if (!std::all_of(name.begin(), name.end(), allowed)) return std::nullopt;
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
