// The run line by line: when, how long, who, the decoded call, its result, and what a wait was for.
//
// Calls arrive when they end, lines are ordered by when they began: the latest `window` lines are held back
// and sorted, so a call that outlasts `window` later lines is printed late, with its true time. Memory does not
// grow with the run.
#pragma once

#include <cstdint>
#include <memory>
#include <ostream>

#include "slowtrace/resolved.hpp"

namespace slowtrace::render {

struct TimelineOptions {
    std::int64_t min_duration_ns = 0;  // calls shorter than this are left out
    std::size_t window = 4'096;
};

class Timeline : public resolve::ResolvedSink {
   public:
    explicit Timeline(std::ostream& out, const TimelineOptions& options = {});
    ~Timeline() override;
    // Prints what is held back. The destructor does it as well.
    void finish();

    void run(const model::Run& run) override;
    void process_started(const resolve::Process& process) override;
    void process_executed(const resolve::Process& process, std::int64_t time_ns) override;
    void process_ended(const resolve::Process& process) override;
    void thread_started(const resolve::Thread& thread) override;
    void thread_ended(const resolve::Thread& thread) override;
    void call(const resolve::ResolvedCall& call) override;
    void job_stop(const resolve::Thread& thread, const model::JobStop& stop) override;
    void signal(const resolve::Thread& thread, const model::Signal& signal) override;
    void dns_exchange(const resolve::DnsExchange& exchange) override;
    void escape(const resolve::Thread& thread, const model::Escape& escape) override;
    void loss(const model::Loss& loss) override;
    void end(const model::RunEnd& end) override;

   private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace slowtrace::render
