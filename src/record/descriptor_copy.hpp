// A duplicate of another process' descriptor (pidfd_getfd(2)), to ask the kernel about the open file behind it.
#pragma once

#include <sys/types.h>

#include "slowtrace/unique_fd.hpp"

namespace slowtrace::record {

// The file behind `fd` of the process, close-on-exec here; empty where the kernel refuses (it asks for the rights of
// ptrace(2)) or nothing is open there. `tid` is any living thread of `pid`. To be closed before the process goes on:
// as long as the duplicate lives, the process' own close(2) would end nothing.
UniqueFd copy_descriptor(pid_t pid, pid_t tid, int fd);

// Whether two threads have one descriptor table (kcmp(2)); true as well where the kernel does not tell.
bool share_descriptors(pid_t one, pid_t other);

}  // namespace slowtrace::record
