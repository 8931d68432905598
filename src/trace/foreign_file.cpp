// Foreign files by their first octets: one row for each kind people mistake for a trace.
#include "trace/foreign_file.hpp"

#include <algorithm>
#include <cctype>

#include "trace/format.hpp"

namespace slowtrace::trace {
namespace {

bool starts_like_json(std::string_view start) {
    const std::size_t first = start.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && (start[first] == '{' || start[first] == '[');
}

// A line of strace: a pid and times perhaps, then a call's name and its parenthesis.
bool starts_like_strace(std::string_view start) {
    std::string_view line = start.substr(0, start.find('\n'));
    if (line.starts_with("execve(") || line.starts_with("strace: Process")) return true;
    if (line.starts_with("[pid ")) line.remove_prefix(std::min(line.size(), std::size_t{5}));
    const std::size_t name = line.find_first_not_of("0123456789:.] ");
    const std::size_t end =
        line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", std::min(name, line.size()));
    return name != std::string_view::npos && end != std::string_view::npos && end > name && line[end] == '(' &&
           line.find(") = ") != std::string_view::npos;
}

bool starts_like_gzip(std::string_view start) {
    return start.starts_with("\x1f\x8b");
}

bool starts_like_zstd(std::string_view start) {
    return start.starts_with("\x28\xb5\x2f\xfd");
}

bool is_text_copy(std::string_view start) {
    return start.starts_with(magic.substr(0, magic.size() - 2));
}

struct ForeignKind {
    bool (*matches)(std::string_view start);
    std::string_view hint;
};

// JSON stands after strace: both may begin with '['.
constexpr ForeignKind kinds[] = {
    {is_text_copy, "a transfer as text has damaged it: copy it again in binary mode"},
    {starts_like_gzip, "it is compressed: unpack it with gzip -d first"},
    {starts_like_zstd, "it is compressed: unpack it with zstd -d first"},
    {starts_like_strace, "it looks like the output of strace: record the command with slowtrace instead"},
    {starts_like_json, "it looks like JSON: give the .slowtrace file it was exported from"},
};

}  // namespace

bool looks_like_text_trace(std::string_view start) {
    while (true) {
        const std::size_t first = start.find_first_not_of(" \t\r\n");
        if (first == std::string_view::npos) return false;
        start.remove_prefix(first);
        if (start.front() != '#') break;
        start.remove_prefix(std::min(start.find('\n'), start.size()));
    }
    constexpr std::string_view field = "events";
    if (!start.starts_with(field)) return false;
    const std::size_t next = start.find_first_not_of(" \t\r\n", field.size());
    return next != std::string_view::npos && std::string_view(":{[").find(start[next]) != std::string_view::npos;
}

std::string describe_foreign(std::string_view start) {
    std::string text = "not a slowtrace trace";
    const auto* kind = std::find_if(std::begin(kinds), std::end(kinds), [&](auto& row) { return row.matches(start); });
    if (kind != std::end(kinds)) text.append(" (").append(kind->hint).append(")");
    return text;
}

}  // namespace slowtrace::trace
