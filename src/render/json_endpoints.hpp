// The endpoint ledger as JSON, for programs and notebooks: who was at the other end, how much, how fast, how parallel.
#pragma once

#include "analyze/report.hpp"
#include "slowtrace/exporters.hpp"

namespace slowtrace::render {

// The exporter "endpoints" (exporters.cpp). Durations are integers in nanoseconds, rates bytes a second; what was not
// measured is null. README describes the members; they are added to, never renamed.
void write_json_endpoints(EventSource& run, const ExportOptions& options, ByteSink& out);

// The same from a finished report, as text.
std::string endpoints_json(const analyze::Report& report);

}  // namespace slowtrace::render
