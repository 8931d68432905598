// Runs a command under the classic engine (ptrace stops) and delivers what it did to an EventSink.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "slowtrace/events.hpp"
#include "slowtrace/syscall_selection.hpp"

namespace slowtrace::record {

struct RecordOptions {
    std::vector<std::string> command;                  // argv; found along PATH as execvp(3) would
    std::optional<model::SyscallSelection> selection;  // absent: every call
    bool reverse_names = false;                        // told in the Run event: such names will follow
    std::function<void(const std::string&)> notice;    // one line the user should read now; may be empty
    bool wait_for_all = false;                         // go on until detached children have ended too
};

// Our own signal arrangements must not be inherited by the command: called once, before any is changed.
void remember_signal_state();

// The file execvp(3) would run for `name`. Throws Error (not_found, cannot_execute).
std::string find_program(const std::string& name);

// How the command ended: its wait status (wait(2)), for the caller to pass on.
struct RecordOutcome {
    int status = 0;
};

// Records from the command's exec to its end; children still running then are let go unharmed (or
// followed, with wait_for_all). Throws Error with not_found or cannot_execute when the command cannot
// start, and failed when the machine forbids ptrace, naming the cause and the remedy. While it runs,
// SIGINT, SIGTERM and SIGHUP sent to this process are passed on to the command.
RecordOutcome record(const RecordOptions& options, EventSink& sink);

}  // namespace slowtrace::record
