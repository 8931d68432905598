// A row per call of the syscall table: the hottest code of the analysis, so it is an index and a few sums.
#include "analyze/call_statistics.hpp"

#include <algorithm>

namespace slowtrace::analyze {

void CallStatistics::add(const resolve::ResolvedCall& call, std::int64_t ns, std::int64_t floor_ns) {
    const auto i = static_cast<std::size_t>(call.row.call);
    Row* row = nullptr;
    if (i != 0 && i < known_.size()) {
        row = &known_[i];
    } else {
        std::string name = model::syscall_name(call.call.abi(), call.call.number());
        if (unknown_.size() >= 4'096) name = "syscall_others";  // a number is 32 bits of a hostile trace
        row = &unknown_[std::move(name)];
    }
    ns = std::max<std::int64_t>(ns - std::max<std::int64_t>(floor_ns, 0), 0);
    row->errors += model::failed(call.call);
    row->total_ns = saturating_add(row->total_ns, ns);
    row->max_ns = std::max(row->max_ns, ns);
    row->durations.add(ns);
}

SyscallLine CallStatistics::line(std::string name, const Row& row) {
    SyscallLine line;
    line.name = std::move(name);
    line.calls = row.durations.count();
    line.errors = row.errors;
    line.total_ns = row.total_ns;
    line.mean_ns = row.total_ns / static_cast<std::int64_t>(line.calls);
    line.p50_ns = std::min(row.durations.quantile(0.5), row.max_ns);
    line.p99_ns = std::min(row.durations.quantile(0.99), row.max_ns);
    line.max_ns = row.max_ns;
    return line;
}

std::vector<SyscallLine> CallStatistics::finished() const {
    std::vector<SyscallLine> lines;
    for (const model::SyscallRow& row : model::all_syscalls())
        if (const Row& counted = known_[static_cast<std::size_t>(row.call)]; counted.durations.count() > 0)
            lines.push_back(line(std::string(row.name), counted));
    for (const auto& [name, counted] : unknown_) lines.push_back(line(name, counted));
    std::stable_sort(lines.begin(), lines.end(), [](const SyscallLine& a, const SyscallLine& b) {
        return a.total_ns != b.total_ns ? a.total_ns > b.total_ns : a.calls > b.calls;
    });
    return lines;
}

}  // namespace slowtrace::analyze
