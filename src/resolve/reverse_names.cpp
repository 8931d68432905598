// Plays a run twice where it must be: once for its reverse names, once for everything.
#include "slowtrace/reverse_names.hpp"

#include <utility>
#include <vector>

namespace slowtrace::resolve {

namespace {

// Notes the reverse names of a run, and whether it said that it has any.
class NameCollector : public EventSink {
   public:
    void event(const model::Event& event) override {
        if (event.has_run()) announced = event.run().reverse_names();
        if (event.has_reverse_name()) names.push_back(event);
    }
    void syscall(const model::Syscall&) override {}

    bool announced = false;
    std::vector<model::Event> names;
};

class NamesFirst : public EventSource, private EventSink {
   public:
    explicit NamesFirst(OpenRun open) : open_(std::move(open)), run_(open_()) {}

    void replay(EventSink& sink) override {
        sink_ = &sink;
        run_->replay(*this);
    }

   private:
    void event(const model::Event& event) override {
        if (event.has_reverse_name()) return;
        sink_->event(event);
        if (!event.has_run() || !event.run().reverse_names()) return;
        NameCollector collector;
        open_()->replay(collector);  // the run itself is half played
        for (const model::Event& name : collector.names) sink_->event(name);
    }
    void syscall(const model::Syscall& call) override { sink_->syscall(call); }

    OpenRun open_;
    std::unique_ptr<EventSource> run_;
    EventSink* sink_ = nullptr;
};

}  // namespace

std::unique_ptr<EventSource> names_first(OpenRun open) {
    return std::make_unique<NamesFirst>(std::move(open));
}

}  // namespace slowtrace::resolve
