// /etc/hosts: an address and its names a line, '#' to the line's end is a comment.
#include "slowtrace/hosts_file.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

namespace slowtrace::wire {
namespace {

constexpr std::size_t max_text = 1 << 20;  // keeps the event small enough for a trace
constexpr int max_entries = 10'000;
constexpr std::size_t max_name = 253;
constexpr std::string_view blanks = " \t\r\v\f";

std::string_view next_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
}

// The 4 or 16 octets of an address, empty when it is none. A zone ("fe80::1%eth0") is no part of them.
std::string parse_address(std::string_view word) {
    const std::string text(word.substr(0, word.find('%')));
    unsigned char octets[sizeof(in6_addr)];
    if (text.find('\0') != std::string::npos) return {};
    if (inet_pton(AF_INET, text.c_str(), octets) == 1 && text.size() == word.size())
        return {reinterpret_cast<const char*>(octets), sizeof(in_addr)};
    if (inet_pton(AF_INET6, text.c_str(), octets) == 1)
        return {reinterpret_cast<const char*>(octets), sizeof(in6_addr)};
    return {};
}

bool valid_name(std::string_view name) {
    return name.size() <= max_name && std::none_of(name.begin(), name.end(), [](char c) {
               const auto octet = static_cast<unsigned char>(c);
               return octet < 0x20 || octet == 0x7f;
           });
}

void parse_line(std::string_view line, model::HostsFile& hosts) {
    line = line.substr(0, line.find('#'));
    const std::string ip = parse_address(next_word(line));
    if (ip.empty()) return;
    model::HostsFile::Entry entry;
    for (std::string_view name = next_word(line); !name.empty(); name = next_word(line))
        if (valid_name(name)) entry.add_names(std::string(name));
    if (entry.names_size() == 0) return;
    entry.set_ip(ip);
    *hosts.add_entries() = std::move(entry);
}

}  // namespace

model::HostsFile parse_hosts(std::string_view text) {
    model::HostsFile hosts;
    // A line cut in two could make another name: the last one goes with what is cut off.
    if (text.size() > max_text) text = text.substr(0, std::min(text.rfind('\n', max_text), max_text));
    while (!text.empty() && hosts.entries_size() < max_entries) {
        const std::string_view line = text.substr(0, text.find('\n'));
        parse_line(line, hosts);
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return hosts;
}

}  // namespace slowtrace::wire
