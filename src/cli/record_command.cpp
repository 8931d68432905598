// `slowtrace -- COMMAND` and `slowtrace -p PID`: record, then report from the file just written, then write the
// timeline for viewers.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/live_report.hpp"
#include "cli/named_addresses.hpp"
#include "cli/output_names.hpp"
#include "cli/present.hpp"
#include "render/text.hpp"
#include "slowtrace/error.hpp"
#include "slowtrace/recorder.hpp"
#include "slowtrace/redaction.hpp"
#include "slowtrace/trace_file.hpp"

namespace slowtrace::cli {

namespace {

// Ends as the command did: its exit status, or death by the same signal (without a second core dump).
int pass_on(int status) {
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    const int signal = WTERMSIG(status);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    sigaction(signal, &by_default, nullptr);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    std::cerr.flush();
    raise(signal);
    sigprocmask(SIG_UNBLOCK, &only, nullptr);
    return 128 + signal;  // the signal's default action is to be ignored
}

// A run whose files cannot all be written should say so before the command has been run, not after.
void check_json_can_be_created(const RecordCommand& command, const OutputNames& names) {
    if (command.no_json || names.json == "-") return;
    if (!command.overwrite && access(names.json.c_str(), F_OK) == 0)
        throw Error("cannot write " + names.json + ": it exists; choose another name with --json, or give --overwrite");
    const auto slash = names.json.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : names.json.substr(0, slash + 1);
    if (access(directory.c_str(), W_OK) != 0)
        throw Error("cannot write " + names.json + ": no such directory, or not writable; choose another with " +
                    (command.json.empty() ? "-o" : "--json"));
}

// What output files are named after.
std::string run_name(const RecordCommand& command) {
    return command.attach.empty() ? command.command.front() : record::name_of_process(command.attach.front());
}

// Nothing that goes wrong from here on may change the command's exit status.
void present(const RecordCommand& command, const OutputNames& names) {
    try {
        const PresentedRun run = present_report(names.trace, command.summary_only, command.colour, std::cerr);
        std::string also;
        if (!command.no_json) also = write_viewer_file(run, names, command.overwrite);
        std::cerr << "Wrote " << names.trace << " (slowtrace report, timeline, export)" << also << "\n";
    } catch (const Error& error) {
        std::cerr << "slowtrace: " << render::visible(error.what()) << "\n";
    }
}

}  // namespace

int run_record(const RecordCommand& command) {
    signal(SIGUSR1, SIG_IGN);  // a question before there is anything to tell; the recorder answers later ones
    record::RecordOptions options;
    options.command = command.command;
    options.attach.assign(command.attach.begin(), command.attach.end());
    options.limit_ns = command.limit_ns;
    options.long_wait_ns = command.long_wait_ns;
    options.wait_for_all = command.wait_all;
    if (!command.selection.empty()) options.selection = model::SyscallSelection::parse(command.selection);
    const std::string key = redaction_key(command.redaction_key);
    const OutputNames names = output_names(command.output, command.json, run_name(command));
    check_json_can_be_created(command, names);
    if (command.attach.empty()) record::find_program(command.command.front());  // before any file is made
    options.reverse_names = command.resolve;
    options.interpret = !command.no_names;
    options.notice = [](const std::string& line) { std::cerr << "slowtrace: " << line << std::endl; };
    record::RecordOutcome outcome;
    {
        trace::TraceWriter writer(names.trace, command.overwrite);
        const auto redactor = command.redact ? trace::redact(writer, key) : nullptr;
        EventSink& sink = redactor ? *redactor : static_cast<EventSink&>(writer);
        try {
            // A redacted file cannot be read back for the real names: then what happens is followed from the start.
            LiveReport live(
                sink, names.trace, [&] { writer.flush(); }, command.long_wait_ns.has_value() || command.redact);
            if (command.resolve) {
                NamedAddresses addresses(live);
                outcome = record::record(options, addresses);
                addresses.look_up_the_rest();
            } else {
                outcome = record::record(options, live);
            }
        } catch (...) {
            // The command never ran: leave no empty trace behind.
            unlink(names.trace.c_str());
            throw;
        }
        writer.close();
        if (writer.lost_events() > 0)
            std::cerr << "slowtrace: " << names.trace << " is incomplete: " << writer.lost_reason() << "\n";
    }
    present(command, names);
    return outcome.status ? pass_on(*outcome.status) : 0;
}

}  // namespace slowtrace::cli
