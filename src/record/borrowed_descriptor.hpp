// A duplicate of another process' descriptor, to ask its socket what that process could ask.
#pragma once

#include <sys/types.h>

#include "slowtrace/unique_fd.hpp"

namespace slowtrace::record {

// pidfd_getfd(2): the same open file description, so nothing may be read from it or set on it. Empty where it is not
// allowed, or the number is not open. `tid` is any thread of the process `pid`.
UniqueFd borrow_descriptor(pid_t pid, pid_t tid, int fd);

}  // namespace slowtrace::record
