// Starts the command: found along PATH, held until it is traced, and its failure to start brought back.
#pragma once

#include <linux/filter.h>
#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "slowtrace/unique_fd.hpp"

namespace slowtrace::record {

// A child that waits for release() before it executes the command. If it is destroyed unreleased, the child ends.
class HeldCommand {
   public:
    // `filter` is installed right before exec; empty for none. `mask` and the dispositions of slowtrace's start
    // are what the command starts with: nothing slowtrace changed for itself leaks into it.
    HeldCommand(const std::string& program, const std::vector<std::string>& arguments,
                const std::vector<sock_filter>& filter);
    ~HeldCommand();
    HeldCommand(const HeldCommand&) = delete;
    HeldCommand& operator=(const HeldCommand&) = delete;

    pid_t pid() const { return pid_; }
    void release();
    // After the child died without an exec: throws Error with what stopped it. Returns if it was not exec.
    void throw_start_failure();
    // Kills and reaps a child that never ran.
    void abandon();

   private:
    std::string program_;
    pid_t pid_ = -1;
    UniqueFd go_;     // closing or writing it lets the child go on
    UniqueFd error_;  // close-on-exec: an errno arrives here, or end of file when exec succeeded
};

}  // namespace slowtrace::record
