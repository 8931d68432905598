// A second way for the events: through a Resolver to standard error.
#include "cli/live_report.hpp"

#include <unistd.h>

#include <cerrno>

#include "slowtrace/error.hpp"
#include "slowtrace/trace_file.hpp"

namespace slowtrace::cli {

namespace {

// One write(2): the command writes to the same terminal.
void say(const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t count = write(STDERR_FILENO, text.data() + done, text.size() - done);
        if (count < 0 && errno != EINTR) return;
        if (count > 0) done += static_cast<std::size_t>(count);
    }
}

}  // namespace

LiveReport::LiveReport(EventSink& next, std::string trace, std::function<void()> flush, bool live)
    : next_(next), trace_(std::move(trace)), flush_(std::move(flush)), lines_(say) {
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
