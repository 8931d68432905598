// The formats a run can be exported to: one row and one file each (render/exporters.cpp).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "slowtrace/events.hpp"

namespace slowtrace::render {

// Where rendered bytes go. Throws Error when they cannot be written.
class ByteSink {
   public:
    virtual ~ByteSink() = default;
    virtual void write(std::string_view bytes) = 0;
    // Completes the output (flush, rename into place). Without it, what was written is discarded.
    virtual void commit() = 0;
};

struct ExportOptions {
    std::int64_t min_duration_ns = 0;  // calls shorter than this are left out
};

struct Exporter {
    std::string_view name;       // --to NAME
    std::string_view extension;  // ".json"
    std::string_view help;
    void (*write)(EventSource& run, const ExportOptions& options, ByteSink& out);
};

std::span<const Exporter> all_exporters();
const Exporter* find_exporter(std::string_view name);  // nullptr when there is none

}  // namespace slowtrace::render
