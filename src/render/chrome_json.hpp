// A run as Chrome Trace Event JSON: for ui.perfetto.dev, chrome://tracing, speedscope and Firefox Profiler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "slowtrace/exporters.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::render {

// The exporter "json" (exporters.cpp). Memory grows with the processes, threads and connections alive at one
// time, not with the run's length.
void write_chrome_json(EventSource& run, const ExportOptions& options, ByteSink& out);

// The same from resolved events; what write_chrome_json is made of.
class ChromeJson : public resolve::ResolvedSink {
   public:
    ChromeJson(const ExportOptions& options, ByteSink& out);
    // `window_bytes`: how much is sorted in memory before it goes to a temporary file.
    ChromeJson(const ExportOptions& options, ByteSink& out, std::size_t window_bytes);
    ~ChromeJson() override;

    void run(const model::Run& run) override;
    void process_started(const resolve::Process& process) override;
    void process_executed(const resolve::Process& process, std::int64_t time_ns) override;
    void process_ended(const resolve::Process& process) override;
    void thread_started(const resolve::Thread& thread) override;
    void thread_ended(const resolve::Thread& thread) override;
    void call(const resolve::ResolvedCall& call) override;
    void job_stop(const resolve::Thread& thread, const model::JobStop& stop) override;
    void signal(const resolve::Thread& thread, const model::Signal& signal) override;
    void connection_opened(const resolve::Connection& connection, std::int64_t time_ns) override;
    void connect_attempt(const resolve::ConnectAttempt& attempt) override;
    void phase(const resolve::Connection& connection, const resolve::PhaseStretch& stretch) override;
    void connection_closed(const resolve::Connection& connection, std::int64_t time_ns) override;
    void escape(const resolve::Thread& thread, const model::Escape& escape) override;
    void loss(const model::Loss& loss) override;

    // After the last event: writes everything. The caller commits `out`.
    void finish();

    std::size_t spilled_runs() const;

   private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace slowtrace::render
