// What each form of the command line does; each returns the exit status or throws Error.
#pragma once

#include <memory>

#include "cli/options.hpp"
#include "slowtrace/events.hpp"

namespace slowtrace::cli {

int run_record(const RecordCommand& command);
int run_report(const ReportCommand& command);
int run_timeline(const TimelineCommand& command);
int run_export(const ExportCommand& command);
int run_redact(const RedactCommand& command);

// A run from its file, ready to be shown. Throws Error naming file and remedy.
std::unique_ptr<EventSource> open_run(const std::string& path);

// Where `run`, as given, is: `-o NAME` wrote NAME.slowtrace, and NAME is understood too.
std::string run_file(const std::string& run);

// The key that --redact=KEY and --key KEY mean: itself, or what the file behind an @ holds, without the final newline.
// Empty, for a random one, when nothing was given. Throws Error when the file cannot be read or is empty.
std::string redaction_key(const std::string& given);

// Whether to colour what goes to `descriptor`: --color, NO_COLOR (no-color.org), a terminal.
bool use_colour(Colour colour, int descriptor);

}  // namespace slowtrace::cli
