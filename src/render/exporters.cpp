// The export formats: adding one is a file with its write function and a row here.
#include "slowtrace/exporters.hpp"

#include "render/chrome_json.hpp"
#include "render/json_endpoints.hpp"

namespace slowtrace::render {
namespace {

constexpr Exporter exporters[] = {
    {"json", ".json", "Chrome Trace Event JSON, for ui.perfetto.dev, chrome://tracing, speedscope and Firefox Profiler",
     write_chrome_json},
    {"endpoints", ".endpoints.json", "who was at the other end: names, bytes, rates, phases and concurrency as JSON",
     write_json_endpoints},
};

}  // namespace

std::span<const Exporter> all_exporters() {
    return exporters;
}

const Exporter* find_exporter(std::string_view name) {
    for (const Exporter& exporter : exporters)
        if (exporter.name == name) return &exporter;
    return nullptr;
}

}  // namespace slowtrace::render
