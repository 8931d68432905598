// Programs that wait in slices: poll(2) for a second, look at the clock, and again for the same. What they wait for
// lasts since the first of them.
#pragma once

#include <cstdint>
#include <vector>

#include "model/trace.pb.h"
#include "slowtrace/syscalls.hpp"

namespace slowtrace::model {

// Of one thread. Goes on as long as each wait ends with nothing to be had and nothing moves on its descriptors.
class WaitSeries {
   public:
    // A call has ended; calls that say nothing about the series leave it as it is.
    void ended(const SyscallRow& row, const Syscall& call);
    // When the wait began that `call`, in progress, goes on with: its own entry where it is the first.
    std::int64_t since_ns(const SyscallRow& row, const Syscall& call) const;

    // The beginning of the series that goes on, 0: none does; and the end of its last wait so far.
    std::int64_t since_ns() const { return waited_for_.empty() ? 0 : since_ns_; }
    std::int64_t until_ns() const { return until_ns_; }

   private:
    Call kind_ = Call::unknown;
    std::vector<int> waited_for_;  // none: no series
    std::int64_t since_ns_ = 0, until_ns_ = 0;
};

}  // namespace slowtrace::model
