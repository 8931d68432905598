// What /proc/PID tells about a process (proc(5)). Every reader returns nothing when the process is gone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/trace.pb.h"

namespace slowtrace::record {

// At most `limit` bytes of a file; nothing when it cannot be opened.
std::optional<std::string> read_file(const std::string& path, std::size_t limit);
std::optional<std::string> read_link(const std::string& path);

struct ProcessStatus {
    char state = '?';  // R, S, D, T, t, Z, X
    pid_t tgid = 0, parent = 0, tracer = 0;
    uid_t user = 0, effective_user = 0;
    gid_t effective_group = 0;
    int seccomp_mode = 0;
};
std::optional<ProcessStatus> read_status(pid_t tid);

// The thread's name, without the final newline.
std::optional<std::string> read_comm(pid_t tid);

struct CommandLine {
    std::vector<std::string> arguments;
    bool truncated = false;
};
CommandLine read_command_line(pid_t tid);

// run, queue and fault counters of a thread (schedstat, stat) into the death message.
void read_schedule(pid_t pid, pid_t tid, model::ThreadDeath& death);

// True when the thread's executable is set-uid or set-gid and its ids did not change accordingly.
bool setuid_was_ignored(pid_t tid);

std::vector<int> open_descriptors(pid_t tid);

// The threads of a process, those that have ended but are not yet reaped included.
std::vector<pid_t> threads_of(pid_t pid);
// When it started, in clock ticks since boot; 0 when it is gone. Older processes have smaller numbers.
std::uint64_t start_ticks(pid_t pid);
// PF_KTHREAD (include/linux/sched.h).
bool is_kernel_thread(pid_t pid);

}  // namespace slowtrace::record
