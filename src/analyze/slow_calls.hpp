// The few longest calls of a run, kept whole.
#pragma once

#include "analyze/report.hpp"

namespace slowtrace::analyze {

class SlowCalls {
   public:
    static constexpr std::size_t limit = 10;
    static constexpr std::size_t watched_limit = 64;  // members of a set that are kept

    // Whether a call this long belongs here; asked before its cause is worked out.
    bool wants(std::int64_t ns) const { return kept_.size() < limit || ns > kept_.back().ns; }
    void add(const resolve::ResolvedCall& call, std::int64_t ns, const Cause& cause);
    std::vector<SlowCall> finished() const { return kept_; }

   private:
    std::vector<SlowCall> kept_;  // longest first
};

}  // namespace slowtrace::analyze
