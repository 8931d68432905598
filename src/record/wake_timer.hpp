// Wakes the thread that waits for tracees: a wait4(2) that blocks returns interrupted. While it seizes instead, what is
// pending is collected (ptrace.hpp).
//
// A signal may arrive right before the wait blocks, and then nobody would look at what it asked for: its handler arms
// the timer, which wakes the wait again until somebody has looked.
#pragma once

#include <time.h>

#include <cstdint>

namespace slowtrace::record {

class WakeTimer {
   public:
    // For the calling thread. Throws Error when the system has no timer left.
    WakeTimer();
    ~WakeTimer();
    WakeTimer(const WakeTimer&) = delete;
    WakeTimer& operator=(const WakeTimer&) = delete;

    // Wakes the thread each `period_ns` from now on; 0: no more.
    void every(std::int64_t period_ns);
    // Safe in a signal handler: wakes the thread a little later, and again, until every() is called.
    static void soon();

   private:
    std::int64_t period_ns_ = 0;
};

}  // namespace slowtrace::record
