// A run's report as text, in the order a hurried reader asks: how did it end, where did the time go, who was
// slow, which calls.
#pragma once

#include <string>

#include "analyze/report.hpp"

namespace slowtrace::render {

struct ReportOptions {
    bool colour = false;
    bool summary_only = false;  // the table of calls and nothing else
    int width = 0;              // lines are cut at this many characters; 0: never
};

std::string render_report(const analyze::Report& report, const ReportOptions& options = {});

}  // namespace slowtrace::render
