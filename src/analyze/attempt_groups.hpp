// Connect attempts counted by outcome, for one endpoint.
#pragma once

#include "analyze/distribution.hpp"
#include "analyze/report.hpp"

namespace slowtrace::analyze {

class AttemptGroup {
   public:
    void add(const resolve::ConnectAttempt& attempt);
    Attempts finished() const;

   private:
    Attempts counted_;
    Distribution durations_;
};

}  // namespace slowtrace::analyze
