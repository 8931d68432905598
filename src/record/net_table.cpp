// One line a socket: slot, local and remote address, state, queues, timer, retransmits, user, timeout, inode, ….
#include "record/net_table.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <charconv>

namespace slowtrace::record {

namespace {

constexpr std::array<NetTable, 4> tables{{{"tcp", AF_INET, SOCK_STREAM, IPPROTO_TCP},
                                          {"tcp6", AF_INET6, SOCK_STREAM, IPPROTO_TCP},
                                          {"udp", AF_INET, SOCK_DGRAM, IPPROTO_UDP},
                                          {"udp6", AF_INET6, SOCK_DGRAM, IPPROTO_UDP}}};

std::string_view next_word(std::string_view& line) {
    const auto from = std::min(line.find_first_not_of(' '), line.size());
    const auto to = std::min(line.find(' ', from), line.size());
    const std::string_view word = line.substr(from, to - from);
    line.remove_prefix(to);
    return word;
}

template <typename Number>
bool parse_number(std::string_view word, Number& number, int base = 10) {
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), number, base);
    return parsed.ec == std::errc{} && parsed.ptr == word.data() + word.size();
}

// "0100007F:0050": each 32-bit word of the address as the machine prints it, then the port.
bool parse_address(std::string_view text, int family, model::SocketAddress& address) {
    const std::size_t digits = family == AF_INET ? 8 : 32;
    if (text.size() < digits + 2 || text[digits] != ':') return false;
    std::string ip;
    for (std::size_t at = 0; at < digits; at += 8) {
        std::uint32_t word = 0;
        if (!parse_number(text.substr(at, 8), word, 16)) return false;
        ip.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    std::uint32_t port = 0;
    if (!parse_number(text.substr(digits + 1), port, 16)) return false;
    address.set_family(family);
    address.set_ip(std::move(ip));
    address.set_port(port);
    return true;
}

}  // namespace

std::span<const NetTable> net_tables() {
    return tables;
}

std::optional<NetTableRow> parse_net_row(std::string_view line, const NetTable& table) {
    NetTableRow row;
    next_word(line);  // slot
    if (!parse_address(next_word(line), table.family, row.local)) return std::nullopt;
    if (!parse_address(next_word(line), table.family, row.remote)) return std::nullopt;
    if (table.type == SOCK_STREAM) {
        const std::string_view state = next_word(line);  // include/net/tcp_states.h
        row.listening = state == "0A";
        row.connecting = state == "02";
    }
    for (int skipped = table.type == SOCK_STREAM ? 0 : -1; skipped < 3; ++skipped)
        next_word(line);  // queues, timer, retransmits; for datagrams the state first
    if (!parse_number(next_word(line), row.user)) return std::nullopt;
    next_word(line);  // timeout
    if (!parse_number(next_word(line), row.inode)) return std::nullopt;
    return row;
}

}  // namespace slowtrace::record
