// The floor any ptrace tracer stands on: PTRACE_SYSCALL and PTRACE_GET_SYSCALL_INFO at every stop, nothing recorded.
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

int main(int argument_count, char** arguments) {
    if (argument_count < 2) return 2;
    int go[2];
    if (pipe(go) != 0) return 125;
    const pid_t child = fork();
    if (child == 0) {
        char released;
        if (read(go[0], &released, 1) != 1) _exit(125);
        close(go[0]);
        close(go[1]);
        execvp(arguments[1], arguments + 1);
        _exit(127);
    }
    constexpr unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                                      PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SEIZE, child, 0, options) != 0 || ptrace(PTRACE_INTERRUPT, child, 0, 0) != 0) return 125;
    if (write(go[1], "", 1) != 1) return 125;
    int status, result = 0;
    unsigned long stops = 0;
    for (pid_t tid; (tid = wait4(-1, &status, __WALL, nullptr)) > 0;) {
        if (!WIFSTOPPED(status)) {
            if (tid == child) result = WIFEXITED(status) ? WEXITSTATUS(status) : 125;
            continue;
        }
        const int signal = WSTOPSIG(status), event = status >> 16;
        if (signal == (SIGTRAP | 0x80)) {
            __ptrace_syscall_info info;
            ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info);
            ++stops;
        }
        ptrace(PTRACE_SYSCALL, tid, 0, event == 0 && signal < SIGTRAP ? signal : 0);
    }
    std::fprintf(stderr, "%lu stops\n", stops);
    return result;
}
