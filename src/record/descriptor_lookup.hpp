// Asks the kernel what a descriptor of a stopped tracee means, when no recorded call has told.
#pragma once

#include <sys/types.h>

#include <optional>

#include "model/trace.pb.h"

namespace slowtrace::record {

// The /proc/TID/fd link, its flags, and for sockets family, type and addresses. Nothing when it is not open.
// `thread` and `time_ns` of the result are the caller's to fill.
std::optional<model::DescriptorBinding> look_up_descriptor(pid_t pid, pid_t tid, int fd);

}  // namespace slowtrace::record
