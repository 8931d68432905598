// What an epoll waits for, as the kernel tells from outside: for lists made before anybody recorded.
#pragma once

#include <sys/types.h>

#include <vector>

#include "model/trace.pb.h"

namespace slowtrace::record {

// The interest list of descriptor `epoll` (proc(5), /proc/PID/fdinfo, "tfd:" lines), at most `limit` of it. Empty when
// it is no epoll.
std::vector<model::DescriptorBinding::Interest> read_epoll_list(pid_t tid, int epoll, std::size_t limit);

}  // namespace slowtrace::record
