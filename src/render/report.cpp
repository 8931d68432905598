// One function a section; at most about 60 lines altogether.
#include "render/report.hpp"

#include <sys/wait.h>

#include <algorithm>

#include "render/evidence.hpp"
#include "render/report_page.hpp"
#include "render/resolved_text.hpp"
#include "render/text.hpp"

namespace slowtrace::render {
namespace {

using analyze::Attempts;
using analyze::CauseKind;
using analyze::CauseLine;
using analyze::CauseSection;
using analyze::Report;
using analyze::RunFacts;

constexpr std::size_t wall_lines = 10, thread_lines = 5, table_lines = 10, fewest_table_lines = 3;
constexpr std::size_t page_lines = 60;                        // about as much as a reader takes in
constexpr std::size_t subject_width = 100, call_width = 200;  // a file name may be 4,096 characters
constexpr auto left = Columns::Align::left, right = Columns::Align::right;

// A duration the engine cannot tell from nothing.
std::string duration(std::int64_t ns, std::int64_t floor_ns) {
    return floor_ns > 0 && ns <= floor_ns ? "< floor" : format_duration(ns);
}
// The same for one that had the floor subtracted.
std::string above_floor(std::int64_t ns, std::int64_t floor_ns) {
    return floor_ns > 0 && ns <= 0 ? "< floor" : format_duration(ns);
}

// --- how it ended

std::string exit_words(const RunFacts& run) {
    const int status = run.status.value_or(0);
    if (WIFEXITED(status)) return "exit " + std::to_string(WEXITSTATUS(status));
    if (WIFSIGNALED(status))
        return "killed by " + model::signal_name(WTERMSIG(status)) + (WCOREDUMP(status) ? " (core dumped)" : "");
    return "status " + std::to_string(status);
}

std::string ending(const RunFacts& run) {
    if (run.truncated) return "the recording stops before its end";
    if (run.let_go) return "let go after " + format_duration(run.wall_ns);
    if (!run.status) return "still running when the recording ended";
    return run.attached.empty() ? exit_words(run) : "it ended: " + exit_words(run);
}

std::string attached(const RunFacts& run) {
    std::string line;
    for (std::size_t i = 0; i < run.attached.size(); ++i) {
        line += (i == 0 ? "attached to " : ", ") + std::to_string(run.attached[i]);
        if (i < run.attached_names.size() && !run.attached_names[i].empty())
            line += " (" + visible(run.attached_names[i]) + ")";
    }
    return line;
}

std::string command(const RunFacts& run) {
    if (!run.attached.empty()) return attached(run);
    std::string line;
    for (const std::string& argument : run.arguments) {
        const bool plain =
            !argument.empty() && argument.find_first_of(" \t\n\"'\\$`;|&<>(){}*?!#~") == std::string::npos;
        if (!line.empty()) line += ' ';
        line += plain ? visible(argument) : quote(argument);
    }
    return line;
}

void notes(ReportPage& page, const RunFacts& run) {
    if (run.redacted) page.line("  note: host names, addresses, paths and arguments are stand-ins");
    for (const std::string& program : run.setuid_ignored)
        page.line("  note: " + visible(program) + " is set-uid or set-gid; under a tracer it ran without that");
    if (run.escapes > 0)
        page.line("  note: " + counted(run.escapes, "child was", "children were") +
                  " created untraced (CLONE_UNTRACED)");
    if (run.left_running > 0)
        page.line("  note: " + counted(run.left_running, "process was", "processes were") +
                  " still running at the end");
    constexpr std::int64_t matters = 100;  // one part in this many of the wall clock
    if (run.late_ns > run.wall_ns / matters)
        page.line("  note: " + counted(run.late_stamps, "call", "calls") +
                  " may have ended earlier than shown, by at most " + format_duration(run.late_ns) + " in all");
    if (!run.selection.empty()) page.line("  note: only these calls were recorded: " + visible(run.selection));
    if (run.lost_events > 0) page.line("  note: " + counted(run.lost_events, "event", "events") + " lost");
    for (const std::string& reason : run.loss_reasons) page.line("  note: " + visible(reason));
}

void header(ReportPage& page, const Report& report) {
    const RunFacts& run = report.run;
    page.heading("slowtrace: " + command(run) + " — " + ending(run));
    std::string facts = "  wall " + format_duration(run.wall_ns);
    if (run.cpu_threads > 0)
        facts += " · cpu " + std::string(run.cpu_threads < run.threads ? "≥ " : "") + format_duration(run.cpu_ns);
    facts += " · " + counted(run.processes, "process", "processes") + ", " + counted(run.threads, "thread", "threads") +
             ", " + counted(run.calls, "call", "calls");
    if (run.tracing_ns > 0)
        facts +=
            " · tracing added ~" + format_duration(run.tracing_ns) + " (" + percent(run.tracing_ns, run.wall_ns) + ")";
    page.line(facts);
    notes(page, run);
}

// --- where it went

std::string extremes(std::uint64_t count, std::int64_t median_ns, std::int64_t max_ns) {
    if (count < 2) return {};
    if (count == 2) return ", max " + format_duration(max_ns);
    return ", median " + format_duration(median_ns) + ", max " + format_duration(max_ns);
}

bool asked_for_tunnel(const CauseLine& line) {
    return std::any_of(line.claims.begin(), line.claims.end(), [](const resolve::NameClaim& claim) {
        return claim.evidence == resolve::NameEvidence::http_connect || claim.evidence == resolve::NameEvidence::socks;
    });
}

std::string cause_text(const CauseLine& line) {
    std::string text = shorten(visible(describe(line.kind, line.subject)), subject_width);
    if (line.attempts) {
        const Attempts& attempts = *line.attempts;
        text += ": " + counted(attempts.count, "attempt", "attempts") + ", " + attempt_outcomes(attempts, true) +
                extremes(attempts.count, attempts.median_ns, attempts.max_ns);
        if (!asked_for_tunnel(line) || line.waits == 0) return text;
        return text + "; with the proxy's answer " + counted(line.waits, "wait", "waits") +
               extremes(line.waits, line.median_ns, line.max_ns);
    }
    if (line.waits == 0 || line.kind == CauseKind::tracing) return text;
    return text + ": " + counted(line.waits, "wait", "waits") + extremes(line.waits, line.median_ns, line.max_ns);
}

bool about_host(CauseKind kind) {
    return kind == CauseKind::connect || kind == CauseKind::tls || kind == CauseKind::reply ||
           kind == CauseKind::receive || kind == CauseKind::send;
}

// "meanwhile its other threads: receiving from pypi.example.com:80 93 %, computing 7 %"
constexpr double meanwhile_matters = 0.02;  // of the wall clock
std::string meanwhile_text(const CauseLine& line) {
    std::string text;
    for (const CauseLine& one : line.meanwhile) {
        const int share = static_cast<int>(one.share * 100 + 0.5);
        if (share == 0) continue;
        text += (text.empty() ? "meanwhile its other threads: " : ", ") +
                shorten(visible(describe(one.kind, one.subject)), subject_width) + " " + std::to_string(share) + " %";
    }
    return text.empty() ? "meanwhile its other threads waited as well" : text;
}

// Up to `limit`, without a tail too short to matter; a rest of one line is shown instead.
std::size_t lines_shown(const CauseSection& section, std::size_t limit) {
    constexpr double matters = 0.001;
    constexpr std::size_t always = 3;
    std::size_t shown = section.lines.size();
    for (double tail = 0; shown > always && tail + section.lines[shown - 1].share < matters; --shown)
        tail += section.lines[shown - 1].share;
    shown = std::min(shown, limit);
    return section.lines.size() == shown + 1 ? shown + 1 : shown;
}

void causes(ReportPage& page, const CauseSection& section, std::size_t limit, bool details, bool selected) {
    Columns table({right, right, left});
    std::int64_t shown_ns = 0;
    const std::size_t shown = lines_shown(section, limit);
    std::string told;
    for (std::size_t i = 0; i < shown; ++i) {
        const CauseLine& line = section.lines[i];
        std::string text = cause_text(line);
        if (selected && line.kind == CauseKind::computing) text += ", or in calls that were not recorded";
        table.row({format_duration(line.total_ns), percent(line.total_ns, section.total_ns), text});
        shown_ns += line.total_ns;
        if (details && line.share >= meanwhile_matters && !line.meanwhile.empty()) table.under(meanwhile_text(line));
        if (!details || !about_host(line.kind)) continue;
        const std::string detail = visible(evidence_sentence(line.endpoints, line.claims));
        if (!detail.empty() && told.find(detail) == std::string::npos) table.under(detail);
        told += detail + "\n";
    }
    const std::int64_t rest_ns = section.total_ns - shown_ns;
    if (shown < section.lines.size())
        table.row({format_duration(rest_ns), percent(rest_ns, section.total_ns),
                   counted(section.lines.size() - shown, "other cause", "other causes")});
    page.columns(table);
}

// --- tables

// A call that was in progress when the recording began, or when it let the program go, took longer than was seen.
std::string seen_duration(const analyze::SlowCall& slow, std::int64_t floor_ns) {
    const bool longer = slow.call.began_before() || slow.call.ending() == model::Syscall::DETACHED;
    return (longer ? "≥ " : "") + duration(slow.ns, floor_ns);
}

void slowest(ReportPage& page, const Report& report, std::size_t limit) {
    if (report.slowest.empty()) return;
    page.heading("Slowest calls");
    Columns table({right, right, left, left});
    table.row({"took", "at", "process", "call"});
    for (std::size_t i = 0; i < std::min(limit, report.slowest.size()); ++i) {
        const analyze::SlowCall& slow = report.slowest[i];
        table.row({seen_duration(slow, report.run.floor_ns), format_offset(slow.call.entry_ns(), report.run.start_ns),
                   thread_text(slow.process, slow.thread), fit(call_line(slow.resolved()), call_width)});
    }
    page.columns(table);
}

void syscalls(ReportPage& page, const Report& report, std::size_t limit) {
    if (report.syscalls.empty()) return;
    page.heading("System calls, by total time (floor of " + format_duration(report.run.floor_ns) +
                 " a call subtracted)");
    Columns table({right, right, right, right, right, right, right, left});
    table.row({"total", "calls", "errors", "mean", "p50", "p99", "max", "call"});
    const std::int64_t floor = report.run.floor_ns;
    const auto& lines = report.syscalls;
    const std::size_t shown = lines.size() <= limit + 1 ? lines.size() : limit;
    for (std::size_t i = 0; i < shown; ++i) {
        const analyze::SyscallLine& line = lines[i];
        table.row({above_floor(line.total_ns, floor), format_count(line.calls),
                   line.errors ? format_count(line.errors) : "", above_floor(line.mean_ns, floor),
                   above_floor(line.p50_ns, floor), above_floor(line.p99_ns, floor), above_floor(line.max_ns, floor),
                   visible(line.name)});
    }
    page.columns(table);
    if (shown < lines.size()) page.line("  and " + counted(lines.size() - shown, "other call", "other calls"));
}

}  // namespace

std::string render_report(const Report& report, const ReportOptions& options) {
    ReportPage page(options);
    header(page, report);
    if (options.summary_only) {
        syscalls(page, report, table_lines);
        return page.finished();
    }
    page.heading("Where the " + format_duration(report.run.wall_ns) + " went");
    causes(page, report.wall, wall_lines, true, !report.run.selection.empty());
    if (report.run.threads > 1) {
        page.heading("All threads together, " + format_duration(report.threads.total_ns));
        causes(page, report.threads, thread_lines, false, !report.run.selection.empty());
    }
    report_endpoints(page, report);
    report_downloads(page, report);
    // Tables last, in what room is left: each has a blank line, a heading and a header row of its own.
    constexpr std::size_t around = 7;
    const std::size_t room = page_lines - std::min(page_lines, page.lines() + around);
    const std::size_t slow = std::clamp(room / 2, fewest_table_lines, table_lines);
    slowest(page, report, slow);
    syscalls(page, report, std::clamp(room - std::min(room, slow), fewest_table_lines, table_lines));
    return page.finished();
}

}  // namespace slowtrace::render
