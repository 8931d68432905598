// A sorted array of ten.
#include "analyze/slow_calls.hpp"

#include <algorithm>

namespace slowtrace::analyze {

void SlowCalls::add(const resolve::ResolvedCall& call, std::int64_t ns, const Cause& cause) {
    if (!wants(ns)) return;
    if (kept_.size() == limit) kept_.pop_back();
    const auto watched = call.watched.first(std::min(call.watched.size(), watched_limit));
    SlowCall slow{ns,
                  call.call,
                  call.row,
                  call.thread,
                  call.process,
                  {call.descriptors.begin(), call.descriptors.end()},
                  {watched.begin(), watched.end()},
                  call.child,
                  cause};
    const auto at = std::find_if(kept_.begin(), kept_.end(), [&](const SlowCall& other) { return other.ns < ns; });
    kept_.insert(at, std::move(slow));
}

}  // namespace slowtrace::analyze
