// The run as tab-separated values, one call a line, for scripts: `slowtrace timeline --format tsv`.
#pragma once

#include <ostream>

#include "slowtrace/resolved.hpp"

namespace slowtrace::render {

// Columns: thread (dense id), tid, pid, call, entry_ns and exit_ns (CLOCK_MONOTONIC), result (decimal, "?"
// when the call never returned), ending, descriptors ("0=3": argument=number, comma separated), cause, subject
// (both "-" for calls too short to be a wait), pieces. A header line names them. In the order calls ended.
class TsvTimeline : public resolve::ResolvedSink {
   public:
    explicit TsvTimeline(std::ostream& out) : out_(out) {}
    void run(const model::Run& run) override;
    void call(const resolve::ResolvedCall& call) override;

   private:
    std::ostream& out_;
};

}  // namespace slowtrace::render
