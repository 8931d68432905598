// Shows a recorded run: the report, and the file for trace viewers beside it.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "cli/options.hpp"
#include "cli/output_names.hpp"

namespace slowtrace::cli {

struct PresentedRun {
    std::uint64_t calls = 0;
    std::int64_t shortest_kept_ns = 0;  // calls below this are too many for a trace viewer; 0: all fit
};

// Reads `run` once and writes its report. `descriptor_colour` follows --color for standard error or output.
PresentedRun present_report(const std::string& run, bool summary_only, Colour colour, std::ostream& out);

// Writes the timeline of `names.trace` to `names.json`; returns what to say about it.
std::string write_viewer_file(const PresentedRun& run, const OutputNames& names, bool overwrite);

}  // namespace slowtrace::cli
