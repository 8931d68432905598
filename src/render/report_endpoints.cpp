// Who was at the other end: for each of the first few endpoints who it was, how it answered, what it sent.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <utility>

#include "analyze/times.hpp"
#include "render/evidence.hpp"
#include "render/report_page.hpp"
#include "render/text.hpp"

namespace slowtrace::render {
namespace {

using analyze::EndpointLine;
using analyze::PhaseTimes;
using resolve::AttemptOutcome;

constexpr std::size_t endpoints_shown = 4, servers_shown = 2, addresses_shown = 3, name_width = 100;
constexpr std::size_t half_page_lines = 28;

// Netlink is the kernel's own; a local daemon that is not there costs nothing and is asked for by every program (nscd).
bool matters(const EndpointLine& line) {
    using resolve::Transport;
    const Transport transport = line.endpoint.transport;
    if (transport == Transport::netlink || transport == Transport::packet) return false;
    if (line.bytes_sent > 0 || line.bytes_received > 0) return true;
    if (transport == Transport::unix_socket) return line.waited_ns() > 0 && line.name_service.empty();
    return line.waited_ns() > 0 || line.lookups > 0 || line.attempts.failures() > 0;
}

void add(std::string& list, const std::string& item, std::string_view separator = ", ") {
    if (item.empty()) return;
    if (!list.empty()) list += separator;
    list += item;
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

// "files.example.com:443 · 203.0.113.9 · named by TLS SNI and DNS (CNAME cdn.example.net)"
std::string who(const EndpointLine& line) {
    constexpr std::string_view separator = " · ";
    std::string text = shorten(visible(line.name), name_width);
    if (!line.name_service.empty()) text = line.name_service + separator.data() + text;
    std::string addresses;
    if (!line.endpoint.host.empty()) {
        for (std::size_t i = 0; i < std::min(line.addresses.size(), addresses_shown); ++i)
            add(addresses, visible(line.addresses[i]));
        if (line.addresses.size() > addresses_shown) addresses += ", …";
    }
    if (line.endpoint.carrier.empty()) add(text, addresses, separator);
    const std::string evidence = evidence_list(line.endpoint, line.claims);
    if (evidence.empty()) return text;
    add(text, "named by " + evidence, separator);
    if (!line.endpoint.canonical_name.empty()) text += " (CNAME " + visible(line.endpoint.canonical_name) + ")";
    return text;
}

std::string times(std::string_view what, const PhaseTimes& phase) {
    constexpr std::int64_t worth_saying_ns = 1'000'000;
    if (phase.count == 0 || phase.max_ns < worth_saying_ns) return {};
    std::string text(what);
    if (phase.count == 1) return text + " " + format_duration(phase.max_ns);
    return text + " median " + format_duration(phase.median_ns) + ", max " + format_duration(phase.max_ns);
}

// Errors whose outcome has no word of its own.
std::string error_names(const EndpointLine& line) {
    std::string names;
    for (const auto& [error, count] : line.errors)
        if (error != 0 && error != ECONNREFUSED && error != ETIMEDOUT && error != ECONNRESET)
            add(names, model::error_name(error));
    return names.empty() ? names : " (" + names + ")";
}

// "2 refused, 1 unreachable (EHOSTUNREACH), 1 lost the race"
std::string failures(const EndpointLine& line) {
    analyze::Attempts attempts = line.attempts;
    const std::uint64_t lost = std::exchange(attempts.outcomes[static_cast<std::size_t>(AttemptOutcome::lost_race)], 0);
    std::string words = attempt_outcomes(attempts, false);
    words += error_names(line);
    if (lost > 0) add(words, format_count(lost) + " lost the race");
    return words;
}

// "4 connections for 12 requests, 3 timed out · connect median 12ms, max 15ms · first byte 50ms"
std::string answers(const EndpointLine& line) {
    std::string text;
    if (line.connections > 0) text = counted(line.connections, "connection", "connections");
    if (line.requests > 0)
        text += std::string(text.empty() ? "" : " for ") + (line.requests_exact ? "" : "at least ") +
                counted(line.requests, "request", "requests");
    if (line.reused > 0 && line.connections > 1) text += ", " + format_count(line.reused) + " reused";
    add(text, failures(line));
    for (const auto& [name, phase] :
         {std::pair{"dns", &line.dns}, std::pair{"connect", &line.connect}, std::pair{"tls", &line.tls},
          std::pair{line.served ? "answered after" : "first byte", &line.first_byte}})
        add(text, times(name, *phase), " · ");
    return text;
}

std::string concurrency(const EndpointLine& line) {
    if (!line.requests_exact) {
        const bool datagrams = line.endpoint.transport == resolve::Transport::udp;
        std::string text = datagrams ? "HTTP/3" : "HTTP/2";
        text += " may carry several requests at once: not counted";
        if (line.peak_concurrency > 1)
            text += " (up to " + format_count(line.peak_concurrency) + " connections busy at once)";
        return text;
    }
    if (line.peak_concurrency > 1)
        return "up to " + format_count(line.peak_concurrency) + " requests at once, " + number(line.mean_concurrency) +
               " on average";
    return line.requests > 1 ? "one request at a time" : "";
}

// "at 11.4 MiB/s (in 5.2s)", or of what "at 11.4 MiB/s (45.0 MiB in 4.1s)" where some of it was too short to time.
std::string rate(const EndpointLine& line) {
    const std::optional<double> rate = line.rate();
    if (!rate) return {};
    const bool nearly_all = line.measured_bytes >= line.bytes_received - line.bytes_received / 20;
    return " at " + format_bytes(analyze::whole(*rate)) + "/s (" +
           (nearly_all ? std::string() : format_bytes(line.measured_bytes) + " ") + "in " +
           format_duration(line.measured_ns) + ")";
}

// "60.0 MiB received at 11.4 MiB/s (in 5.2s), 1.2 KiB sent · up to 8 requests at once, 7.6 on average"
std::string traffic(const EndpointLine& line) {
    if (line.bytes_received == 0 && line.bytes_sent == 0) return {};
    std::string text =
        format_bytes(line.bytes_received) + " received" + rate(line) + ", " + format_bytes(line.bytes_sent) + " sent";
    add(text, concurrency(line), " · ");
    if (line.retransmits > 0) text += " · " + counted(line.retransmits, "segment", "segments") + " sent again";
    if (line.rtt_median_ns > 0) text += " · round trip " + format_duration(line.rtt_median_ns);
    return text;
}

std::string questions(const EndpointLine& line) {
    if (line.lookups == 0) return {};
    std::string text = counted(line.lookups, "DNS question", "DNS questions");
    if (line.unanswered > 0) text += ", " + format_count(line.unanswered) + " unanswered";
    if (line.negative > 0) text += ", " + format_count(line.negative) + " answered with an error";
    if (line.lookups > line.unanswered) text += ", median " + format_duration(line.lookup_median_ns);
    return text;
}

void add_endpoint(Columns& table, const EndpointLine& line, std::int64_t wall_ns) {
    std::string first = who(line);
    if (line.dns_server) add(first, questions(line), " · ");
    table.row(
        {format_duration(line.waited_ns()), line.critical_ns > 0 ? percent(line.critical_ns, wall_ns) : "", first});
    if (line.dns_server) return;
    for (const std::string& detail : {answers(line), traffic(line)})
        if (!detail.empty()) table.under(detail);
}

// --- the strip

// How many are in flight on average, in one character.
char digit(double in_flight) {
    constexpr double next_to_nothing = 0.005;
    if (in_flight < next_to_nothing) return '.';
    if (in_flight < 0.5) return '-';
    const long rounded = std::lround(in_flight);
    return rounded > 9 ? '+' : static_cast<char>('0' + rounded);
}

std::string legend(const std::string& digits) {
    std::string text = ". none";
    if (digits.find('-') != std::string::npos) text += ", - less than half the time";
    if (digits.find('+') != std::string::npos) text += ", + ten or more";
    return text;
}

// Of nine parts of the highest rate.
std::string rate_digits(const std::vector<std::uint64_t>& bytes, std::uint64_t most) {
    std::string digits;
    for (const std::uint64_t one : bytes) {
        const double part = 9.0 * static_cast<double>(one) / static_cast<double>(std::max<std::uint64_t>(most, 1));
        digits += one == 0 ? '.' : part < 0.5 ? '-' : static_cast<char>('0' + std::lround(part));
    }
    return digits;
}

}  // namespace

void report_endpoints(ReportPage& page, const analyze::Report& report) {
    std::vector<EndpointLine> lines = report.endpoints;
    std::erase_if(lines, [](const EndpointLine& line) { return !matters(line); });
    if (lines.empty()) return;
    page.heading("Endpoints, by time waited for them");
    Columns table({Columns::Align::right, Columns::Align::right, Columns::Align::left});
    table.row({"waited", "of wall", "endpoint"});
    // A long page gets the shorter list.
    const std::size_t limit = page.lines() > half_page_lines ? endpoints_shown - 1 : endpoints_shown;
    std::size_t endpoints = 0, servers = 0;
    for (const EndpointLine& line : lines) {
        std::size_t& shown = line.dns_server ? servers : endpoints;
        if (shown == (line.dns_server ? servers_shown : limit)) continue;
        ++shown;
        add_endpoint(table, line, report.run.wall_ns);
    }
    page.columns(table);
    if (const std::size_t rest = lines.size() - endpoints - servers; rest > 0)
        page.line("  and " + counted(rest, "other endpoint", "other endpoints"));
}

void report_downloads(ReportPage& page, const analyze::Report& report) {
    const analyze::ConcurrencyStrip& strip = report.downloads;
    constexpr std::uint64_t worth_drawing = 64 << 10;
    std::uint64_t bytes = 0;
    for (const std::uint64_t one : strip.bytes) bytes += one;
    if (bytes < worth_drawing || strip.in_flight.empty()) return;
    const auto highest = std::max_element(strip.bytes.begin(), strip.bytes.end());
    const double column_ns = static_cast<double>(strip.to_ns - strip.from_ns) / static_cast<double>(strip.bytes.size());
    std::string digits;
    for (const double in_flight : strip.in_flight) digits += digit(in_flight);
    page.heading((strip.exact ? "Downloads in flight" : "Connections downloading") +
                 std::string(" over time, at most ") + format_count(strip.peak) + " at once" +
                 (strip.exact ? "" : " (HTTP/2 or HTTP/3: each may carry several downloads)"));
    page.line("  " + digits + (strip.exact ? "  in flight (" : "  connections busy (") + legend(digits) + ")");
    const std::string most = format_bytes(analyze::whole(static_cast<double>(*highest) * 1e9 / column_ns)) + "/s";
    page.line("  " + rate_digits(strip.bytes, *highest) + "  received" +
              (strip.rate_known ? " (9: " + most + ")" : " (9: the most)"));
    const std::string from = "at " + format_duration(analyze::span_ns(report.run.start_ns, strip.from_ns));
    const std::string to = format_duration(analyze::span_ns(report.run.start_ns, strip.to_ns));
    const std::size_t used = text_width(from) + text_width(to);
    page.line("  " + from + std::string(digits.size() > used ? digits.size() - used : 1, ' ') + to + "  (a column is " +
              format_duration(static_cast<std::int64_t>(column_ns)) + ")");
}

}  // namespace slowtrace::render
