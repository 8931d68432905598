// Report and viewer file of a recorded run.
#include "cli/present.hpp"

#include <unistd.h>

#include <array>
#include <bit>

#include "analyze/analysis.hpp"
#include "cli/commands.hpp"
#include "render/byte_sinks.hpp"
#include "render/report.hpp"
#include "render/text.hpp"
#include "slowtrace/error.hpp"
#include "slowtrace/exporters.hpp"
#include "slowtrace/trace_file.hpp"

namespace slowtrace::cli {

namespace {

// Trace viewers take a minute and gigabytes beyond this.
constexpr std::uint64_t viewer_calls = 1'000'000;

// Passes a run on, counting its calls by the power of two of their duration.
class DurationCount : public EventSink {
   public:
    explicit DurationCount(EventSink& next) : next_(next) {}
    void event(const model::Event& event) override { next_.event(event); }
    void syscall(const model::Syscall& call) override {
        const std::int64_t duration = std::max<std::int64_t>(0, call.exit_ns() - call.entry_ns());
        ++calls_[static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(duration)))];
        ++total_;
        next_.syscall(call);
    }
    std::uint64_t total() const { return total_; }
    // The smallest power of two such that at most `most` calls last at least that long; 0 when all may stay.
    std::int64_t threshold(std::uint64_t most) const {
        std::uint64_t kept = total_;
        for (std::size_t width = 0; width < calls_.size(); ++width) {
            if (kept <= most) return width == 0 ? 0 : std::int64_t{1} << (width - 1);
            kept -= calls_[width];
        }
        return INT64_MAX;
    }

   private:
    EventSink& next_;
    std::array<std::uint64_t, 65> calls_{};
    std::uint64_t total_ = 0;
};

}  // namespace

PresentedRun present_report(const std::string& run, bool summary_only, Colour colour, std::ostream& out) {
    analyze::Analysis analysis;
    resolve::Resolver resolver(analysis);
    DurationCount count(resolver);
    open_run(run)->replay(count);
    resolver.finish();
    render::ReportOptions options;
    options.colour = use_colour(colour, &out == &std::cout ? STDOUT_FILENO : STDERR_FILENO);
    options.summary_only = summary_only;
    out << render::render_report(analysis.report(), options) << std::flush;
    return {count.total(), count.threshold(viewer_calls)};
}

std::string write_viewer_file(const PresentedRun& run, const OutputNames& names, bool overwrite) {
    const render::Exporter& exporter = *render::find_exporter("json");
    const auto source = open_run(names.trace);
    const auto sink = render::open_byte_sink(names.json, overwrite);
    exporter.write(*source, {.min_duration_ns = run.shortest_kept_ns}, *sink);
    sink->commit();
    std::string said = " and " + names.json + " (open in ui.perfetto.dev or chrome://tracing";
    if (run.shortest_kept_ns > 0)
        said += "; calls under " + render::format_duration(run.shortest_kept_ns) + " left out of " +
                render::format_count(run.calls) + ", slowtrace export --to json has all";
    return said + ")";
}

}  // namespace slowtrace::cli
