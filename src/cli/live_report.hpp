// Passes a run on to its file, and says what --live and SIGUSR1 ask to be told while it is recorded.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/line_writer.hpp"
#include "render/live_lines.hpp"
#include "slowtrace/events.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::cli {

// Without --live nothing is resolved until somebody asks: then the run so far is read back from its file, once.
class LiveReport : public EventSink {
   public:
    // `flush` makes the file `trace` hold everything passed on so far.
    LiveReport(EventSink& next, std::string trace, std::function<void()> flush, bool live);
    ~LiveReport() override;
    void event(const model::Event& event) override;
    void syscall(const model::Syscall& call) override;

   private:
    void catch_up();

    EventSink& next_;
    std::string trace_;
    std::function<void()> flush_;
    LineWriter writer_;  // the reader of standard error may be what is recorded, and held by us
    render::LiveLines lines_;
    std::unique_ptr<resolve::Resolver> resolver_;
};

}  // namespace slowtrace::cli
