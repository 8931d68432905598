// Builds a run's Report from its resolved events.
//
// Memory grows with the run's threads, processes, distinct causes and (up to a limit) waits, not with its
// calls. Pure: the same events give the same report.
#pragma once

#include <memory>

#include "analyze/report.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::analyze {

class Analysis : public resolve::ResolvedSink {
   public:
    Analysis();
    ~Analysis() override;
    Analysis(const Analysis&) = delete;
    Analysis& operator=(const Analysis&) = delete;

    // After the last event (Resolver::finish), while the Resolver still lives.
    Report report() const;

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
    void dns_exchange(const resolve::DnsExchange& exchange) override;
    void escape(const resolve::Thread& thread, const model::Escape& escape) override;
    void loss(const model::Loss& loss) override;
    void end(const model::RunEnd& end) override;

   private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace slowtrace::analyze
