// Forks the command, holds it on a pipe, executes it as execvp(3) would.
#include "record/launch.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "record/seccomp_filter.hpp"
#include "slowtrace/error.hpp"
#include "slowtrace/recorder.hpp"

namespace slowtrace::record {

namespace {

struct SignalState {
    bool remembered = false;
    sigset_t mask;
    std::array<struct sigaction, NSIG> actions;
};
SignalState signal_state;

// A handler cannot survive exec, but "ignored" does: it must be what slowtrace was started with.
void restore_signal_state() {
    if (!signal_state.remembered) return;
    for (int number = 1; number < NSIG; ++number) sigaction(number, &signal_state.actions[number], nullptr);
    sigprocmask(SIG_SETMASK, &signal_state.mask, nullptr);
}

struct StartFailure {
    int error = 0;
    bool filter = false;
};

bool is_executable_file(const std::string& path, int& error) {
    struct stat file;
    if (stat(path.c_str(), &file) != 0) {
        error = errno;
        return false;
    }
    if (S_ISDIR(file.st_mode)) {
        error = EISDIR;
        return false;
    }
    if (access(path.c_str(), X_OK) != 0) {
        error = errno;
        return false;
    }
    return true;
}

[[noreturn]] void throw_cannot_start(const std::string& program, int error) {
    const std::string reason = strerror(error);
    switch (error) {
        case ENOENT:
            throw Error("cannot run " + program + ": not found; check the name and PATH (or its #! interpreter)",
                        ExitCode::not_found);
        case EACCES:
            throw Error("cannot run " + program + ": permission denied; is it executable (chmod +x)?",
                        ExitCode::cannot_execute);
        case EISDIR:
            throw Error("cannot run " + program + ": it is a directory; name a program", ExitCode::cannot_execute);
        case ENOEXEC:
            throw Error("cannot run " + program + ": not a program this machine can execute", ExitCode::cannot_execute);
        default:
            throw Error("cannot run " + program + ": " + reason, ExitCode::cannot_execute);
    }
}

std::pair<UniqueFd, UniqueFd> make_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw Error(std::string("cannot create a pipe: ") + strerror(errno));
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// execvp(3) hands a file the kernel does not recognise to sh; a shell first looks whether it can be a script at
// all, so that a damaged or foreign binary is not read as one.
bool may_be_script(const std::string& program) {
    const UniqueFd file(open(program.c_str(), O_RDONLY | O_CLOEXEC));
    char start[128];
    const ssize_t length = file ? read(file.get(), start, sizeof start) : 0;
    return length <= 0 || !memchr(start, 0, static_cast<std::size_t>(length));
}

// In the child, after fork: only async-signal-safe calls from here to exec.
[[noreturn]] void run_child(int go, int error, const char* program, char* const* arguments,
                            char* const* shell_arguments, const std::vector<sock_filter>& filter) {
    char released = 0;
    if (read(go, &released, 1) != 1) _exit(125);
    restore_signal_state();
    StartFailure failure;
    if (!filter.empty() && !install(filter)) {
        failure = {errno, true};
    } else {
        execv(program, arguments);
        failure.error = errno;
        if (errno == ENOEXEC && shell_arguments) execv("/bin/sh", shell_arguments);
    }
    [[maybe_unused]] const ssize_t written = write(error, &failure, sizeof failure);
    _exit(125);
}

}  // namespace

void remember_signal_state() {
    signal_state.remembered = true;
    sigprocmask(SIG_SETMASK, nullptr, &signal_state.mask);
    for (int number = 1; number < NSIG; ++number) sigaction(number, nullptr, &signal_state.actions[number]);
}

std::string find_program(const std::string& name) {
    int error = ENOENT;
    if (name.find('/') != std::string::npos) {
        if (!is_executable_file(name, error)) throw_cannot_start(name, error);
        return name;
    }
    const char* variable = getenv("PATH");
    const std::string search = variable ? variable : "/bin:/usr/bin";
    int worst = ENOENT;
    for (std::size_t from = 0; !name.empty() && from <= search.size();) {
        const auto to = std::min(search.find(':', from), search.size());
        const std::string directory = search.substr(from, to - from);
        const std::string candidate = (directory.empty() ? "." : directory) + "/" + name;
        if (is_executable_file(candidate, error)) return candidate;
        if (error == EACCES) worst = EACCES;
        from = to + 1;
    }
    throw_cannot_start(name.empty() ? "an empty command name" : name, worst);
}

HeldCommand::HeldCommand(const std::string& program, const std::vector<std::string>& arguments,
                         const std::vector<sock_filter>& filter)
    : program_(program) {
    auto [go_read, go_write] = make_pipe();
    auto [error_read, error_write] = make_pipe();
    std::vector<char*> pointers, shell_pointers{const_cast<char*>("/bin/sh"), const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) {
        if (!pointers.empty()) shell_pointers.push_back(const_cast<char*>(argument.c_str()));
        pointers.push_back(const_cast<char*>(argument.c_str()));
    }
    pointers.push_back(nullptr);
    shell_pointers.push_back(nullptr);
    char* const* as_script = may_be_script(program) ? shell_pointers.data() : nullptr;
    // Until the child has its own signal state back, what is sent to it stays pending.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_ = fork();
    if (pid_ != 0) sigprocmask(SIG_SETMASK, &before, nullptr);
    if (pid_ < 0) throw Error(std::string("cannot fork: ") + strerror(errno));
    if (pid_ == 0) {
        go_write.reset();  // so that our death is an end of file
        run_child(go_read.get(), error_write.get(), program.c_str(), pointers.data(), as_script, filter);
    }
    go_ = std::move(go_write);
    error_ = std::move(error_read);
}

HeldCommand::~HeldCommand() = default;

void HeldCommand::release() {
    const char released = 1;
    [[maybe_unused]] const ssize_t written = write(go_.get(), &released, 1);
    go_.reset();
}

void HeldCommand::abandon() {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
    }
}

void HeldCommand::throw_start_failure() {
    StartFailure failure;
    if (read(error_.get(), &failure, sizeof failure) != sizeof failure) return;
    if (failure.filter)
        throw Error(std::string("cannot install the syscall filter: ") + strerror(failure.error) +
                    "; run without --trace to record every call");
    throw_cannot_start(program_, failure.error);
}

}  // namespace slowtrace::record
