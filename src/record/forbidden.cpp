// Tells apart the usual reasons: another tracer, Yama, a container's seccomp profile.
#include "record/forbidden.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "record/proc.hpp"

namespace slowtrace::record {

namespace {

int yama_scope() {
    const auto scope = read_file("/proc/sys/kernel/yama/ptrace_scope", 16);
    return scope ? std::atoi(scope->c_str()) : 0;
}

std::string user_name(uid_t user) {
    const passwd* entry = getpwuid(user);
    return entry ? entry->pw_name : "user " + std::to_string(user);
}

std::string named(pid_t pid) {
    return read_comm(pid).value_or("?") + " (pid " + std::to_string(pid) + ")";
}

}  // namespace

std::string why_attaching_is_forbidden(pid_t pid, int error) {
    const std::string start = "cannot attach to " + std::to_string(pid) + ": ";
    if (pid == getpid()) return start + "this is slowtrace itself";
    const auto status = read_status(pid);
    if (!status) return start + "no such process";
    if (status->state == 'Z')
        return start + "it has ended already (a zombie), and " + named(status->parent) + " has yet to take note of it";
    if (is_kernel_thread(pid)) return start + "it is a thread of the kernel, which cannot be traced";
    if (status->tracer > 0 && status->tracer != getpid())
        return start + named(status->tracer) + " already traces it, and a process has one tracer";
    if (error == ESRCH) return start + "no such process any more";
    if (error == 0) return start + "its threads ended, or it began another program, as slowtrace attached; try again";
    // The rest follows ptrace(2), "Ptrace access mode checking".
    if (geteuid() != 0 && status->user != geteuid())
        return start + "it belongs to " + user_name(status->user) + "; run slowtrace as that user, or with sudo";
    if (const int scope = yama_scope(); geteuid() != 0 && scope > 0)  // Documentation/admin-guide/LSM/Yama.rst
        return start + "this machine lets " +
               (scope == 1 ? "programs trace only their own children" : "only root trace") +
               " (kernel.yama.ptrace_scope = " + std::to_string(scope) + "); run with sudo" +
               (scope == 3 ? " after a reboot with another setting" : ", or sysctl kernel.yama.ptrace_scope=0");
    if (geteuid() != 0 && error == EPERM)
        return start + "not permitted: " + named(pid) + " has privileges of its own; run slowtrace with sudo";
    return why_ptrace_is_forbidden(pid, error);
}

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
