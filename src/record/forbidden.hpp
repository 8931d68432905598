// Why ptrace does not work here, and what to do about it, in one line.
#pragma once

#include <sys/types.h>

#include <string>

namespace slowtrace::record {

// `error` is the errno of PTRACE_SEIZE on `tid`.
std::string why_ptrace_is_forbidden(pid_t tid, int error);

// Why the running process `pid` cannot be attached to; `error` likewise, ESRCH when there is no such process.
std::string why_attaching_is_forbidden(pid_t pid, int error);

}  // namespace slowtrace::record
