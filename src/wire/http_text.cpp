// Request lines, status lines and Host fields.
#include "wire/http_text.hpp"

#include <algorithm>
#include <array>

namespace slowtrace::wire {
namespace {

constexpr std::size_t max_method = 32;
constexpr std::string_view connect = "CONNECT", blanks = " \t";

bool token_character(char c) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view text, std::string_view word) {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// "HTTP/1.1" → 11; 0: none of ours.
std::uint32_t read_version(std::string_view text) {
    struct Known {
        std::string_view text;
        std::uint32_t version;
    };
    constexpr std::array<Known, 2> known{{{"HTTP/1.0", 10}, {"HTTP/1.1", 11}}};
    const auto found = std::ranges::find(known, text, &Known::text);
    return found == known.end() ? 0 : found->version;
}

// The authority of "scheme://user:password@host:port/path?query", without what must not be kept.
std::string_view authority_of(std::string_view uri) {
    constexpr std::string_view delimiter = "://";
    uri.remove_prefix(uri.find(delimiter) + delimiter.size());
    return uri.substr(0, uri.find_first_of("/?#\\"));
}

std::string_view without_userinfo(std::string_view authority) {
    const std::size_t at = authority.rfind('@');
    return at == std::string_view::npos ? authority : authority.substr(at + 1);
}

constexpr std::array<std::string_view, 3> schemes{"http://", "https://", "ftp://"};

bool absolute(std::string_view target) {
    return std::ranges::any_of(schemes, [&](std::string_view scheme) {
        return target.size() >= scheme.size() && same_word(target.substr(0, scheme.size()), scheme);
    });
}

}  // namespace

bool method_token(std::string_view text) {
    return !text.empty() && text.size() <= max_method && std::ranges::all_of(text, token_character);
}

std::optional<RequestLine> read_request_line(std::string_view line) {
    const std::size_t first = line.find(' '), last = line.rfind(' ');
    if (first == std::string_view::npos || last <= first) return std::nullopt;
    RequestLine request;
    request.method = line.substr(0, first);
    request.version = read_version(line.substr(last + 1));
    if (!method_token(request.method) || request.version == 0) return std::nullopt;
    const std::string_view target = line.substr(first + 1, last - first - 1);
    if (request.method == connect) {
        request.form = TargetForm::authority;
        request.target = checked_authority(without_userinfo(target));
    } else if (absolute(target)) {
        request.form = TargetForm::absolute;
        request.target = checked_authority(without_userinfo(authority_of(target)));
    }
    return request;
}

std::optional<StatusLine> read_status_line(std::string_view line) {
    constexpr std::size_t version_size = 8, status_end = 12;
    if (line.size() < status_end || line[version_size] != ' ') return std::nullopt;
    StatusLine status{0, read_version(line.substr(0, version_size))};
    for (const char c : line.substr(version_size + 1, 3)) {
        if (c < '0' || c > '9') return std::nullopt;
        status.status = status.status * 10 + static_cast<std::uint32_t>(c - '0');
    }
    const bool ends = line.size() == status_end || line[status_end] == ' ';
    if (status.version == 0 || status.status < 100 || !ends) return std::nullopt;
    return status;
}

std::optional<std::string_view> host_field(std::string_view line) {
    constexpr std::string_view host = "host";
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !same_word(line.substr(0, colon), host)) return std::nullopt;
    return trimmed(line.substr(colon + 1));
}

Match match_request(std::string_view opening) {
    const std::string_view method = opening.substr(0, std::min(opening.find(' '), max_method + 1));
    if (opening.empty()) return Match::maybe;
    if (!method_token(method)) return Match::no;
    const std::string_view target = opening.substr(std::min(method.size() + 1, opening.size()));
    if (target.empty()) return Match::maybe;
    if (method == connect) return token_character(target[0]) || target[0] == '[' ? Match::yes : Match::no;
    if (target[0] == '/' || target[0] == '*') return Match::yes;
    const auto begins_scheme = [&](std::string_view scheme) {
        const std::size_t size = std::min(target.size(), scheme.size());
        return same_word(target.substr(0, size), scheme.substr(0, size));
    };
    if (std::ranges::none_of(schemes, begins_scheme)) return Match::no;
    return absolute(target) ? Match::yes : Match::maybe;
}

}  // namespace slowtrace::wire
