// An attempt lasts from the call to the moment its outcome was learned.
#include "analyze/attempt_groups.hpp"

#include <algorithm>

#include "analyze/times.hpp"

namespace slowtrace::analyze {

void AttemptGroup::add(const resolve::ConnectAttempt& attempt) {
    const auto outcome = static_cast<std::size_t>(attempt.outcome);
    if (outcome >= counted_.outcomes.size()) return;
    ++counted_.count;
    ++counted_.outcomes[outcome];
    durations_.add(sane(attempt.to_ns) - sane(attempt.from_ns));
}

Attempts AttemptGroup::finished() const {
    Attempts attempts = counted_;
    attempts.total_ns = durations_.total();
    attempts.median_ns = durations_.quantile(0.5);
    attempts.max_ns = durations_.max();
    return attempts;
}

}  // namespace slowtrace::analyze
