// slowtrace's entry point: reads the command line, does it, and turns an Error into one line and an exit status.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "cli/commands.hpp"
#include "render/text.hpp"
#include "slowtrace/error.hpp"
#include "slowtrace/recorder.hpp"

namespace {

using namespace slowtrace;

struct Run {
    int operator()(const cli::RecordCommand& command) { return cli::run_record(command); }
    int operator()(const cli::ReportCommand& command) { return cli::run_report(command); }
    int operator()(const cli::TimelineCommand& command) { return cli::run_timeline(command); }
    int operator()(const cli::ExportCommand& command) { return cli::run_export(command); }
    int operator()(const cli::RedactCommand& command) { return cli::run_redact(command); }
    int operator()(const cli::ShowText& show) { return std::fputs(show.text.c_str(), stdout) < 0 ? 1 : 0; }
};

}  // namespace

int main(int argument_count, char** arguments) {
    record::remember_signal_state();
    try {
        return std::visit(Run{}, cli::parse_command_line(argument_count, arguments));
    } catch (const Error& error) {
        std::fprintf(stderr, "slowtrace: %s\n", render::visible(error.what()).c_str());
        return static_cast<int>(error.code());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "slowtrace: internal error: %s\n", render::visible(error.what()).c_str());
        return static_cast<int>(ExitCode::failed);
    }
}
