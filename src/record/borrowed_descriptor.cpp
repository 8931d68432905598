// pidfd_open(2) and pidfd_getfd(2).
#include "record/borrowed_descriptor.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

namespace slowtrace::record {

UniqueFd borrow_descriptor(pid_t pid, pid_t tid, int fd) {
    constexpr unsigned pidfd_thread = O_EXCL;  // PIDFD_THREAD, Linux 6.9 (include/uapi/linux/pidfd.h)
    if (fd < 0) return {};
    UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    UniqueFd copy(process ? static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), fd, 0)) : -1);
    if (copy || pid == tid) return copy;
    // A leader that has exited has no files any more; its threads still do.
    process = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, tid, pidfd_thread)));
    return UniqueFd(process ? static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), fd, 0)) : -1);
}

}  // namespace slowtrace::record
