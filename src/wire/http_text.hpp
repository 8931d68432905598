// The lines of HTTP/1.x that name a host or an outcome (RFC 9112 §3, §4). Nothing else of them is looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/host_name.hpp"
#include "wire/protocol.hpp"

namespace slowtrace::wire {

enum class TargetForm { origin, absolute, authority };

struct RequestLine {
    std::string_view method;
    std::uint32_t version = 0;  // 10, 11
    TargetForm form = TargetForm::origin;
    std::optional<HostAndPort> target;  // of the absolute and authority forms, where it is a sound name
};

struct StatusLine {
    std::uint32_t status = 0, version = 0;
};

// A line without its CR LF. Paths, queries and userinfo of the target are passed over.
std::optional<RequestLine> read_request_line(std::string_view line);
std::optional<StatusLine> read_status_line(std::string_view line);
// The value of a "Host:" field line; nothing for any other.
std::optional<std::string_view> host_field(std::string_view line);
// A method: a token (RFC 9110 §5.6.2) of at most 32 octets.
bool method_token(std::string_view text);
// Whether the octets begin a request line.
Match match_request(std::string_view opening);

}  // namespace slowtrace::wire
