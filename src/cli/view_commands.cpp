// `report`, `timeline` and `export`: everything that starts from a run already recorded.
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/output_names.hpp"
#include "cli/present.hpp"
#include "render/byte_sinks.hpp"
#include "render/timeline.hpp"
#include "render/timeline_tsv.hpp"
#include "slowtrace/error.hpp"
#include "slowtrace/exporters.hpp"
#include "slowtrace/reverse_names.hpp"
#include "slowtrace/trace_file.hpp"

namespace slowtrace::cli {

namespace {

void finish_standard_output() {
    std::cout.flush();
    if (!std::cout) throw Error("cannot write to standard output: is its reader gone, or the disk full?");
}

std::string known_formats() {
    std::string names;
    for (const render::Exporter& exporter : render::all_exporters())
        names.append(names.empty() ? "" : ", ").append(exporter.name);
    return names;
}

}  // namespace

std::string run_file(const std::string& run) {
    const std::string file = access(run.c_str(), F_OK) == 0 ? run : with_extension(run, ".slowtrace");
    return access(file.c_str(), F_OK) == 0 ? file : run;
}

std::unique_ptr<EventSource> open_run(const std::string& path) {
    return resolve::names_first([run = run_file(path)] { return trace::open_trace(run); });
}

bool use_colour(Colour colour, int descriptor) {
    if (colour != Colour::automatic) return colour == Colour::always;
    const char* no_colour = getenv("NO_COLOR");
    return !(no_colour && *no_colour) && isatty(descriptor);
}

int run_report(const ReportCommand& command) {
    present_report(command.run, command.summary_only, command.colour, std::cout);
    finish_standard_output();
    return 0;
}

int run_timeline(const TimelineCommand& command) {
    const auto run = open_run(command.run);
    if (command.format == "tsv") {
        render::TsvTimeline timeline(std::cout);
        resolve::Resolver resolver(timeline);
        run->replay(resolver);
        resolver.finish();
    } else {
        render::Timeline timeline(std::cout);
        resolve::Resolver resolver(timeline);
        run->replay(resolver);
        resolver.finish();
        timeline.finish();
    }
    finish_standard_output();
    return 0;
}

int run_export(const ExportCommand& command) {
    const render::Exporter* exporter = render::find_exporter(command.format);
    if (!exporter)
        throw Error("unknown export format '" + command.format + "': one of " + known_formats(), ExitCode::usage);
    const auto run = open_run(command.run);
    const std::string path =
        command.output.empty() ? with_extension(command.run, std::string(exporter->extension)) : command.output;
    const auto sink = render::open_byte_sink(path, command.overwrite);
    exporter->write(*run, {.min_duration_ns = command.min_duration_ns}, *sink);
    sink->commit();
    if (path != "-") std::cerr << "Wrote " << path << "\n";
    return 0;
}

}  // namespace slowtrace::cli
