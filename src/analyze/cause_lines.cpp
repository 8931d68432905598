// One line per kind and subject.
#include "analyze/cause_lines.hpp"

#include <algorithm>

namespace slowtrace::analyze {

CauseLines::CauseLines(const CauseTable& causes, std::function<About(const CauseTable::Entry&)> about)
    : causes_(causes), about_(std::move(about)), by_cause_(causes.size()) {}

CauseLines::Building& CauseLines::building(CauseId cause) {
    if (by_cause_[cause] != 0) return lines_[by_cause_[cause] - 1];
    const CauseTable::Entry& entry = causes_[cause];
    About about = about_(entry);
    auto [known, is_new] = by_key_.try_emplace({entry.cause.kind, about.subject}, lines_.size());
    if (is_new) {
        lines_.emplace_back();
        lines_.back().line.kind = entry.cause.kind;
        lines_.back().line.subject = std::move(about.subject);
    }
    by_cause_[cause] = known->second + 1;
    CauseLine& line = lines_[known->second].line;
    line.timed_out += entry.timed_out;
    for (resolve::Endpoint& endpoint : about.endpoints)
        if (line.endpoints.size() < CauseTable::endpoints_limit &&
            std::find(line.endpoints.begin(), line.endpoints.end(), endpoint) == line.endpoints.end())
            line.endpoints.push_back(std::move(endpoint));
    return lines_[known->second];
}

// A merged stretch stands for many waits: each counts as their mean.
void CauseLines::close(Building& building, std::size_t leave) {
    while (building.open.size() > leave) {
        const Tile& wait = building.open.front();
        building.waits.add(wait.ns / static_cast<std::int64_t>(wait.waits), wait.waits);
        building.open.erase(building.open.begin());
    }
}

void CauseLines::add(const Tile& tile) {
    constexpr std::size_t handlers_in_handlers = 4;  // how many waits may interrupt one another
    Building& line = building(tile.cause);
    line.line.total_ns = saturating_add(line.line.total_ns, tile.ns);
    if (tile.cause == computing_cause) return;
    line.line.waits += tile.waits;
    if (tile.waits > 0) {
        line.open.push_back(tile);
        close(line, handlers_in_handlers);
        return;
    }
    const auto begun = std::find_if(line.open.rbegin(), line.open.rend(),
                                    [&](const Tile& open) { return open.wait == tile.wait && tile.wait != 0; });
    if (begun != line.open.rend()) begun->ns = saturating_add(begun->ns, tile.ns);
}

// A thousand files that took a little each are one line a kind; a file that matters keeps its own.
void CauseLines::gather_small_files() {
    constexpr std::int64_t matters = 100;  // one part in this many of the whole
    std::int64_t whole_ns = 0;
    for (const Building& building : lines_) whole_ns = saturating_add(whole_ns, building.line.total_ns);
    for (const CauseKind kind : {CauseKind::file_read, CauseKind::file_write, CauseKind::file_metadata}) {
        const auto is_small = [&](const Building& one) {
            return one.line.kind == kind && one.line.total_ns < whole_ns / matters;
        };
        const auto files = std::count_if(lines_.begin(), lines_.end(), is_small);
        if (files < 2) continue;
        Building gathered;
        gathered.line.kind = kind;
        gathered.line.subject = std::to_string(files) + " files";
        for (const Building& small : lines_) {
            if (!is_small(small)) continue;
            gathered.line.total_ns = saturating_add(gathered.line.total_ns, small.line.total_ns);
            gathered.line.waits += small.line.waits;
            gathered.line.timed_out += small.line.timed_out;
            gathered.waits.add(small.waits);
        }
        std::erase_if(lines_, is_small);
        lines_.push_back(std::move(gathered));
    }
}

CauseSection CauseLines::section() {
    CauseSection section;
    for (Building& building : lines_) close(building, 0);
    gather_small_files();
    for (Building& building : lines_) {
        building.line.median_ns = building.waits.quantile(0.5);
        building.line.max_ns = building.waits.max();
        section.total_ns = saturating_add(section.total_ns, building.line.total_ns);
        section.lines.push_back(std::move(building.line));
    }
    for (CauseLine& line : section.lines)
        if (section.total_ns > 0)
            line.share = static_cast<double>(line.total_ns) / static_cast<double>(section.total_ns);
    std::stable_sort(section.lines.begin(), section.lines.end(),
                     [](const CauseLine& a, const CauseLine& b) { return a.total_ns > b.total_ns; });
    return section;
}

}  // namespace slowtrace::analyze
