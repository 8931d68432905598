// Tells apart the usual reasons: another tracer, Yama, a container's seccomp profile.
#include "record/forbidden.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "record/proc.hpp"

namespace slowtrace::record {

std::string why_ptrace_is_forbidden(pid_t tid, int error) {
    const auto status = read_status(tid);
    if (status && status->tracer > 0 && status->tracer != getpid()) {
        const std::string tracer = read_comm(status->tracer).value_or("?");
        return "cannot trace: " + tracer + " (pid " + std::to_string(status->tracer) +
               ") already traces this process, and a process has one tracer; run slowtrace outside " + tracer;
    }
    // Documentation/admin-guide/LSM/Yama.rst
    if (const auto scope = read_file("/proc/sys/kernel/yama/ptrace_scope", 16)) {
        const int level = std::atoi(scope->c_str());
        if (level == 3)
            return "cannot trace: ptrace is switched off on this machine (kernel.yama.ptrace_scope = 3), and stays so "
                   "until it is rebooted with another setting";
        if (level == 2 && geteuid() != 0)
            return "cannot trace: only root may use ptrace here (kernel.yama.ptrace_scope = 2); run with sudo, or "
                   "sysctl "
                   "kernel.yama.ptrace_scope=1";
    }
    if (error == ENOSYS || (status && status->seccomp_mode == 2))
        return std::string("cannot trace: ptrace is blocked (") + strerror(error) +
               "), most likely by the container's seccomp profile; start it with --cap-add=SYS_PTRACE or "
               "--security-opt seccomp=unconfined";
    return std::string("cannot trace: ptrace failed: ") + strerror(error) +
           "; a container may need --cap-add=SYS_PTRACE, a hardened system a security policy that allows ptrace";
}

}  // namespace slowtrace::record
