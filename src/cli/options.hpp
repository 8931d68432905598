// The command line as finished values (CLI11 is used in options.cpp and nowhere else).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace slowtrace::cli {

enum class Colour { automatic, always, never };

// `slowtrace [options] -- COMMAND…`, or `slowtrace [options] -p PID…`
struct RecordCommand {
    std::vector<std::string> command;
    std::vector<int> attach;                   // -p: instead of a command
    std::optional<std::int64_t> limit_ns;      // --for
    std::optional<std::int64_t> long_wait_ns;  // --live
    std::string output;                        // -o, empty: a free name in the current directory
    std::string json;                          // --json, empty: beside the trace
    bool no_json = false;
    bool overwrite = false;
    bool resolve = false;
    bool redact = false;
    std::string redaction_key;  // KEY, or @FILE; empty: a random one
    bool no_names = false;
    bool wait_all = false;
    bool summary_only = false;  // -c
    bool follow = false;        // -f: always so
    std::string selection;      // -e, --trace
    Colour colour = Colour::automatic;
};

// `slowtrace report RUN`
struct ReportCommand {
    std::string run;
    bool summary_only = false;
    Colour colour = Colour::automatic;
};

// `slowtrace timeline RUN`
struct TimelineCommand {
    std::string run;
    std::string format = "text";
    Colour colour = Colour::automatic;
};

// `slowtrace export RUN --to FORMAT -o FILE`
struct ExportCommand {
    std::string run;
    std::string format;
    std::string output;  // empty: the run's name with the format's extension
    std::int64_t min_duration_ns = 0;
    bool overwrite = false;
};

// `slowtrace redact RUN -o OUT`
struct RedactCommand {
    std::string run;
    std::string output;
    std::string key;  // as above
};

// Help or version, already as text.
struct ShowText {
    std::string text;
};

using Command = std::variant<RecordCommand, ReportCommand, TimelineCommand, ExportCommand, RedactCommand, ShowText>;

// Throws Error(ExitCode::usage) with one line for anything it cannot make sense of.
Command parse_command_line(int argument_count, char** arguments);

}  // namespace slowtrace::cli
