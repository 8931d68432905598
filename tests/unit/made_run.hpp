// A run told to an Analysis by hand: processes a test adds to, calls, the end.
#pragma once

#include <deque>

#include "analyze/analysis.hpp"
#include "resolved_calls.hpp"

namespace slowtrace::test {

struct MadeRun {
    analyze::Analysis analysis;
    std::deque<resolve::Process> processes;
    std::deque<resolve::Thread> threads;

    explicit MadeRun(std::int64_t floor_ns = 0) {
        model::Run run;
        run.add_argv("program");
        run.set_start_ns(0);
        run.set_floor_ns(floor_ns);
        analysis.run(run);
        add("program");
    }
    void add(const std::string& name, std::int64_t birth_ns = 0, std::optional<ProcessId> parent = {}) {
        resolve::Process& process = processes.emplace_back();
        process.id = ProcessId{static_cast<std::uint32_t>(processes.size() - 1)};
        process.pid = 100 + static_cast<int>(processes.size());
        process.arguments = {name};
        process.birth_ns = birth_ns;
        process.parent = parent;
        analysis.process_started(process);
        resolve::Thread& thread = threads.emplace_back();
        thread.id = ThreadId{static_cast<std::uint32_t>(threads.size() - 1)};
        thread.process = process.id;
        thread.main = true;
        thread.birth_ns = birth_ns;
        analysis.thread_started(thread);
    }
    void die(std::size_t i, std::int64_t time_ns) {
        processes[i].death_ns = threads[i].death_ns = time_ns;
        analysis.thread_ended(threads[i]);
        analysis.process_ended(processes[i]);
    }
    void call(MadeCall call, std::size_t i = 0) { analysis.call(call.of(processes[i], threads[i]).resolved()); }
    analyze::Report end(std::int64_t time_ns) {
        model::RunEnd end;
        end.set_time_ns(time_ns);
        end.set_has_status(true);
        analysis.end(end);
        return analysis.report();
    }
};

inline const analyze::CauseLine& line(const analyze::CauseSection& section, analyze::CauseKind kind) {
    for (const analyze::CauseLine& one : section.lines)
        if (one.kind == kind) return one;
    throw std::runtime_error("no line");
}

}  // namespace slowtrace::test
