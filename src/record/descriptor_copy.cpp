// pidfd_open(2) costs more than the copying itself: the handles of the latest processes are kept.
#include "record/descriptor_copy.hpp"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <string>

namespace slowtrace::record {

namespace {

constexpr unsigned pidfd_thread = O_EXCL;  // PIDFD_THREAD, Linux 6.9 (include/uapi/linux/pidfd.h)

UniqueFd open_handle(pid_t id, unsigned flags) {
    return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, id, flags)));
}

UniqueFd copy_through(const UniqueFd& handle, int fd) {
    return UniqueFd(handle ? static_cast<int>(syscall(SYS_pidfd_getfd, handle.get(), fd, 0)) : -1);
}

// A few, replaced in turn. A handle never means another process than the one it was opened for: once that has
// ended, asking fails, and the number is looked up anew.
class Handles {
   public:
    UniqueFd copy(pid_t pid, int fd) {
        if (const Handle* kept = find(pid))
            if (UniqueFd copy = copy_through(kept->descriptor, fd)) return copy;
        Handle& renewed = replace(pid);
        renewed = {pid, open_handle(pid, 0)};
        return copy_through(renewed.descriptor, fd);
    }

   private:
    struct Handle {
        pid_t pid = 0;
        UniqueFd descriptor;
    };
    Handle* find(pid_t pid) {
        for (Handle& one : handles_)
            if (one.pid == pid) return &one;
        return nullptr;
    }
    Handle& replace(pid_t pid) {
        if (Handle* kept = find(pid)) return *kept;
        return handles_[next_++ % handles_.size()];
    }
    std::array<Handle, 16> handles_;
    std::size_t next_ = 0;
};

// The same file, as far as its inode tells.
bool is_file_of(const UniqueFd& copy, pid_t tid, int fd) {
    struct stat ours, theirs;
    const std::string link = "/proc/" + std::to_string(tid) + "/fd/" + std::to_string(fd);
    return copy && fstat(copy.get(), &ours) == 0 && stat(link.c_str(), &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

}  // namespace

bool share_descriptors(pid_t one, pid_t other) {
    return one == other || syscall(SYS_kcmp, one, other, KCMP_FILES, 0, 0) <= 0;
}

// A leader that has exited has no files any more, and a thread may have unshared its own: then the thread is asked.
UniqueFd copy_descriptor(pid_t pid, pid_t tid, int fd) {
    static Handles handles;
    if (share_descriptors(pid, tid)) {
        UniqueFd copy = handles.copy(pid, fd);
        if (copy || pid == tid) return copy;
        return copy_through(open_handle(tid, pidfd_thread), fd);
    }
    if (UniqueFd copy = copy_through(open_handle(tid, pidfd_thread), fd)) return copy;
    UniqueFd leaders = handles.copy(pid, fd);  // a kernel without PIDFD_THREAD
    return is_file_of(leaders, tid, fd) ? std::move(leaders) : UniqueFd();
}

}  // namespace slowtrace::record
