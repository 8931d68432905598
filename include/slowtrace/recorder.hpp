// Runs a command under the classic engine (ptrace stops) and delivers what it did to an EventSink.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "slowtrace/events.hpp"
#include "slowtrace/syscall_selection.hpp"

namespace slowtrace::record {

struct RecordOptions {
    std::vector<std::string> command;                  // argv; found along PATH as execvp(3) would
    std::vector<pid_t> attach;                         // instead of a command: running processes, all their threads
    std::optional<std::int64_t> limit_ns;              // attached: let go after this long
    std::optional<std::int64_t> long_wait_ns;          // a Moment for every call that lasts longer than this
    std::optional<model::SyscallSelection> selection;  // absent: every call
    bool interpret = true;                             // false: no names are read out of what passes on sockets
    bool reverse_names = false;                        // told in the Run event: such names will follow
    std::function<void(const std::string&)> notice;    // one line the user should read now; may be empty
    bool wait_for_all = false;                         // go on until detached children have ended too
};

// Our own signal arrangements must not be inherited by the command: called once, before any is changed.
void remember_signal_state();

// The file execvp(3) would run for `name`. Throws Error (not_found, cannot_execute).
std::string find_program(const std::string& name);

// What a running process is called (comm); empty when there is none.
std::string name_of_process(pid_t pid);

// How the command ended: its wait status (wait(2)), for the caller to pass on. Nothing when it was attached to and
// let go, or ended outside our sight.
struct RecordOutcome {
    std::optional<int> status;
};

// Records from the command's exec to its end; children still running then are let go unharmed (or
// followed, with wait_for_all). Throws Error with not_found or cannot_execute when the command cannot
// start, and failed when the machine forbids ptrace, naming the cause and the remedy. While it runs,
// SIGINT, SIGTERM and SIGHUP sent to this process are passed on to the command; attached (options.attach), they end
// the recording instead and every thread goes on as it was found. SIGUSR1 asks for a Moment of every thread.
RecordOutcome record(const RecordOptions& options, EventSink& sink);

}  // namespace slowtrace::record
