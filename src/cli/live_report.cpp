// A second way for the events: through a Resolver to standard error.
#include "cli/live_report.hpp"

#include <unistd.h>

#include "slowtrace/error.hpp"
#include "slowtrace/trace_file.hpp"

namespace slowtrace::cli {

LiveReport::LiveReport(EventSink& next, std::string trace, std::function<void()> flush, bool live)
    : next_(next),
      trace_(std::move(trace)),
      flush_(std::move(flush)),
      writer_(STDERR_FILENO),
      lines_([this](const std::string& text) { writer_.say(text); }) {
    if (live) resolver_ = std::make_unique<resolve::Resolver>(lines_);
}

LiveReport::~LiveReport() = default;

void LiveReport::event(const model::Event& event) {
    if (event.has_moment() && !resolver_) catch_up();
    if (resolver_) resolver_->event(event);
    next_.event(event);
}

void LiveReport::syscall(const model::Syscall& call) {
    if (resolver_) resolver_->syscall(call);
    next_.syscall(call);
}

void LiveReport::catch_up() {
    resolver_ = std::make_unique<resolve::Resolver>(lines_);
    flush_();
    try {
        trace::TraceReader(trace_).replay(*resolver_);
    } catch (const Error&) {
        // A file that cannot be read back (a full disk, say) leaves the threads without what they did before.
    }
}

}  // namespace slowtrace::cli
