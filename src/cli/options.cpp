// Parses the command line with CLI11.
#include "cli/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string_view>

#include "slowtrace/error.hpp"
#include "slowtrace/exporters.hpp"
#include "slowtrace/version.hpp"

namespace slowtrace::cli {

namespace {

constexpr std::string_view description =
    "slowtrace: where did the wall-clock time go, waiting for whom?\n\n"
    "  slowtrace [options] -- COMMAND [ARG...]   run COMMAND, then say what it waited for\n"
    "  slowtrace [options] -p PID[,PID...]       the same of processes that run already\n"
    "  slowtrace report RUN                      say it again\n"
    "  slowtrace timeline RUN                    every call: when, how long, on whom\n"
    "  slowtrace export RUN --to FORMAT          for a trace viewer\n"
    "  slowtrace redact RUN -o OUT               a copy to share: without names, paths and arguments";
constexpr std::string_view footer =
    "Exit status: the command's own; 2 wrong usage, 125 slowtrace failed, 126 cannot execute, 127 not found.";

const std::map<std::string, Colour> colours{
    {"auto", Colour::automatic}, {"always", Colour::always}, {"never", Colour::never}};

const std::string default_live = "--live=1s";

struct Unit {
    std::string_view suffix;
    std::int64_t nanoseconds;
};
constexpr std::array<Unit, 6> units{
    {{"ns", 1}, {"us", 1'000}, {"µs", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}}};

std::int64_t parse_duration(const std::string& text) {
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view suffix(parsed.ptr, static_cast<std::size_t>(text.data() + text.size() - parsed.ptr));
    for (const Unit& unit : units)
        if (parsed.ec == std::errc{} && suffix == unit.suffix && value >= 0 && value < 1e9)
            return static_cast<std::int64_t>(value * static_cast<double>(unit.nanoseconds));
    throw Error("cannot read the duration '" + text + "': write a number with ns, us, ms, s or m, such as 10us",
                ExitCode::usage);
}

void add_colour(CLI::App& app, Colour& colour) {
    app.add_option("--color,--colour", colour, "auto (the default), always or never")
        ->transform(CLI::CheckedTransformer(colours, CLI::ignore_case).description(""))
        ->type_name("WHEN");
}

// What record options say in words of their own, until they are understood.
struct RecordWords {
    std::vector<std::string> pids;
    std::string limit, long_wait;
};

// -p 1,2 -p "3 4": as pgrep(1) and pidof(1) print them, too.
std::vector<int> parse_pids(const std::vector<std::string>& lists) {
    constexpr std::string_view separators = ", \t\n";
    std::vector<int> pids;
    for (const std::string_view list : lists) {
        for (auto from = list.find_first_not_of(separators); from < list.size();) {
            const std::string_view word = list.substr(from, list.find_first_of(separators, from) - from);
            int pid = 0;
            const auto parsed = std::from_chars(word.data(), word.data() + word.size(), pid);
            if (parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size() || pid <= 0)
                throw Error("-p: '" + std::string(word) + "' is not a process id: write numbers, such as -p 17,42",
                            ExitCode::usage);
            if (std::find(pids.begin(), pids.end(), pid) == pids.end()) pids.push_back(pid);
            from = list.find_first_not_of(separators, from + word.size());
        }
    }
    if (pids.empty())
        throw Error("-p names no process: is none running by that name (pgrep prints nothing then)?", ExitCode::usage);
    return pids;
}

void add_record_options(CLI::App& app, RecordCommand& record, RecordWords& words) {
    app.add_option("-p,--attach", words.pids,
                   "Record running processes: PID[,PID...], all their threads; Ctrl-C ends it")
        ->allow_extra_args(false)
        ->type_name("PID");
    app.add_option("--for", words.limit, "With -p: let go after this long (30s, 5m)")->type_name("TIME");
    app.add_option("--live", words.long_wait, "Say at once what lasts longer than TIME (default 1s)")
        ->expected(0, 1)
        ->default_str("1s")
        ->type_name("[=TIME]");
    app.add_option("-o,--output", record.output, "Write the trace to NAME.slowtrace (default: <command>.<n>.slowtrace)")
        ->type_name("NAME");
    app.add_option("--json", record.json, "Write the timeline for trace viewers to FILE (.gz compresses)")
        ->type_name("FILE");
    app.add_flag("--no-json", record.no_json, "Write no timeline for trace viewers");
    app.add_flag("--overwrite", record.overwrite, "Replace output files that exist");
    app.add_option("-e,--trace", record.selection,
                   "Record only these calls: %network,%file,%process,%desc,%memory,%signal, names, !")
        ->type_name("EXPR");
    app.add_flag("--resolve", record.resolve,
                 "Look up names of addresses the program itself gave no name for, afterwards");
    // A flag, not an option with an optional value: after one of those CLI11 swallows the "--".
    app.add_flag("--redact", record.redaction_key,
                 "Keep no host names, addresses, paths and arguments: stand-ins, the same for the same under one key "
                 "(--redact=KEY, or =@FILE for the key in FILE; without: a random one)");
    app.add_flag("--no-names", record.no_names,
                 "Do not read names out of the command's traffic (DNS, TLS, HTTP): endpoints stay addresses");
    app.add_flag("--wait-all", record.wait_all, "Record on until background children have ended too");
    app.add_flag("-c,--summary-only", record.summary_only, "Report the table of calls only");
    app.add_flag("-f,--follow", record.follow, "Accepted for strace's sake: children and threads are always followed");
    add_colour(app, record.colour);
    app.add_option("command", record.command, "The command to run, with its arguments")->type_name("COMMAND");
}

void add_run(CLI::App& app, std::string& run) {
    app.add_option("run", run, "A trace file")->required()->type_name("RUN");
}

std::string exporter_help() {
    std::string help = "One of:";
    for (const auto& exporter : render::all_exporters())
        help.append(" ").append(exporter.name).append(" (").append(exporter.help).append(")");
    return help;
}

// Everything CLI11 fills, and the subcommands to ask which one was meant.
struct Parser {
    CLI::App app{std::string(description), "slowtrace"};
    RecordCommand record;
    ReportCommand report;
    TimelineCommand timeline;
    ExportCommand exported;
    RedactCommand redacted;
    RecordWords words;
    std::string min_duration;
    CLI::App* report_app = nullptr;
    CLI::App* timeline_app = nullptr;
    CLI::App* export_app = nullptr;
    CLI::App* redact_app = nullptr;

    Parser() {
        app.footer(std::string(footer));
        app.set_version_flag("--version", std::string("slowtrace ") + version);
        report_app = app.add_subcommand("report", "Say where a recorded run's time went");
        add_run(*report_app, report.run);
        report_app->add_flag("-c,--summary-only", report.summary_only, "The table of calls only");
        add_colour(*report_app, report.colour);
        timeline_app = app.add_subcommand("timeline", "Every call of a run, one line each");
        add_run(*timeline_app, timeline.run);
        timeline_app->add_option("--format", timeline.format, "text, or tsv for programs")
            ->check(CLI::IsMember({"text", "tsv"}));
        add_colour(*timeline_app, timeline.colour);
        export_app = app.add_subcommand("export", "Write a run in another format");
        add_run(*export_app, exported.run);
        export_app->add_option("--to", exported.format, exporter_help())->required()->type_name("FORMAT");
        export_app->add_option("-o,--output", exported.output, "FILE, or - for standard output; .gz compresses")
            ->type_name("FILE");
        export_app->add_option("--min-duration", min_duration, "Leave out calls shorter than this (10us, 1ms)")
            ->type_name("TIME");
        export_app->add_flag("--overwrite", exported.overwrite, "Replace FILE when it exists");
        redact_app = app.add_subcommand("redact", "Copy a run without host names, addresses, paths and arguments");
        add_run(*redact_app, redacted.run);
        redact_app->add_option("-o,--output", redacted.output, "Write the copy to OUT.slowtrace")
            ->required()
            ->type_name("OUT");
        redact_app
            ->add_option("--key", redacted.key,
                         "Equal keys give equal stand-ins in all runs (@FILE: the key in FILE; default: a random one)")
            ->type_name("KEY");
    }
    bool is_subcommand(std::string_view word) const {
        return word == "report" || word == "timeline" || word == "export" || word == "redact";
    }
};

void finish_record(Parser& parser) {
    RecordCommand& record = parser.record;
    const bool attach = parser.app.count("--attach") > 0;
    if (attach && !record.command.empty())
        throw Error("-p records processes that run already, a command is started: give one of the two",
                    ExitCode::usage);
    if (attach) record.attach = parse_pids(parser.words.pids);
    if (!attach && record.command.empty())
        throw Error("no command given: slowtrace [options] -- COMMAND [ARG...] (slowtrace --help)", ExitCode::usage);
    if (!parser.words.limit.empty()) {
        if (!attach) throw Error("--for goes with -p: a command is recorded to its end", ExitCode::usage);
        record.limit_ns = parse_duration(parser.words.limit);
        if (*record.limit_ns == 0)
            throw Error("--for 0 would record nothing: give a time above zero, such as 30s", ExitCode::usage);
    }
    if (parser.app.count("--live") > 0) record.long_wait_ns = parse_duration(parser.words.long_wait);
    if (record.no_json && !record.json.empty())
        throw Error("--json and --no-json contradict each other: give one", ExitCode::usage);
}

Command finish(Parser& parser) {
    if (parser.report_app->parsed()) return parser.report;
    if (parser.timeline_app->parsed()) return parser.timeline;
    if (parser.export_app->parsed()) {
        if (!parser.min_duration.empty()) parser.exported.min_duration_ns = parse_duration(parser.min_duration);
        return parser.exported;
    }
    if (parser.redact_app->parsed()) return parser.redacted;
    parser.record.redact = parser.app.count("--redact") > 0;
    if (parser.record.redaction_key == "true") parser.record.redaction_key.clear();  // CLI11's word for a bare flag
    finish_record(parser);
    return parser.record;
}

// Where the traced command begins: at the first word that is neither an option nor an option's value.
int command_position(const CLI::App& app, int argument_count, char** arguments) {
    for (int at = 1; at < argument_count; ++at) {
        const std::string_view word = arguments[at];
        if (word == "--" || word.size() < 2 || word[0] != '-') return at;
        const bool long_form = word.starts_with("--");
        const std::string name(long_form ? word.substr(0, word.find('=')) : word.substr(0, 2));
        const CLI::Option* option = app.get_option_no_throw(name);
        const bool value_follows = long_form ? word.find('=') == std::string_view::npos : word.size() == 2;
        if (option && option->get_expected_min() > 0 && option->get_type_size_min() > 0 && value_follows) ++at;
    }
    return argument_count;
}

// The words CLI11 gets, last first as it wants them: with "--" before the command, whose options are its own.
std::vector<std::string> words_for_parser(const CLI::App& app, int argument_count, char** arguments, bool subcommand) {
    std::vector<std::string> words(arguments + 1, arguments + argument_count);
    const int command = subcommand ? argument_count : command_position(app, argument_count, arguments);
    // CLI11 takes a "--" behind an option that may have a value for that option's.
    if (!subcommand) std::replace(words.begin(), words.begin() + command - 1, std::string("--live"), default_live);
    if (command < argument_count && std::string_view(arguments[command]) != "--")
        words.insert(words.begin() + command - 1, "--");
    std::reverse(words.begin(), words.end());
    return words;
}

std::string unexpected_words(const CLI::App& app) {
    std::string words;
    for (const std::string& word : app.remaining(true))
        if (word != "--") words += (words.empty() ? "" : " ") + word;
    return words;
}

std::string first_line(std::string text) {
    return text.substr(0, text.find('\n'));
}

}  // namespace

Command parse_command_line(int argument_count, char** arguments) {
    Parser parser;
    const bool subcommand = argument_count > 1 && parser.is_subcommand(arguments[1]);
    // Subcommands are recognised in first place only: anywhere else the word belongs to the traced command.
    if (!subcommand) {
        for (CLI::App* app : {parser.report_app, parser.timeline_app, parser.export_app, parser.redact_app})
            app->disabled(true)->group("");
        add_record_options(parser.app, parser.record, parser.words);
    }
    try {
        parser.app.parse(words_for_parser(parser.app, argument_count, arguments, subcommand));
    } catch (const CLI::CallForHelp&) {
        return ShowText{subcommand ? parser.app.get_subcommands().front()->help() : parser.app.help()};
    } catch (const CLI::CallForVersion&) {
        return ShowText{std::string("slowtrace ") + version + "\n"};
    } catch (const CLI::ExtrasError&) {
        throw Error("unknown option or argument: " + unexpected_words(parser.app) + " (slowtrace --help)",
                    ExitCode::usage);
    } catch (const CLI::ParseError& error) {
        throw Error(first_line(error.what()) + " (slowtrace --help)", ExitCode::usage);
    }
    return finish(parser);
}

}  // namespace slowtrace::cli
