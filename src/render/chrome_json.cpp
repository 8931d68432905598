// Resolved events → tracks of slices, instants and counters → sorted JSON.
#include "render/chrome_json.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <vector>

#include "render/json_call.hpp"
#include "render/json_connections.hpp"
#include "render/json_event_store.hpp"
#include "render/json_numbers.hpp"
#include "render/json_timeline.hpp"
#include "render/json_writer.hpp"

namespace slowtrace::render {

class ChromeJson::Implementation {
   public:
    Implementation(const ExportOptions& options, ByteSink& out, std::size_t window_bytes)
        : options_(options),
          out_(out),
          store_(window_bytes),
          timeline_(store_),
          numbers_(timeline_),
          connections_(timeline_, first_connection_number) {}

    // A call or a stop that ends with its thread.
    struct Unended {
        std::int64_t from_ns;
        JsonBody body;
    };

    void seen(std::int64_t time_ns) {
        if (!started_) timeline_.start_at(start_ns_ = last_ns_ = time_ns);
        started_ = true;
        last_ns_ = std::max(last_ns_, time_ns);
    }
    void end_with(const resolve::Thread& thread, std::int64_t from_ns);
    void end_thread(const resolve::Thread& thread);
    void tell_emptiness();

    const ExportOptions options_;
    ByteSink& out_;
    JsonEventStore store_;
    JsonTimeline timeline_;
    JsonNumbers numbers_;
    JsonConnections connections_;
    bool started_ = false;
    std::int64_t start_ns_ = 0, last_ns_ = 0;
    std::optional<JsonTrack> root_;
    std::unordered_map<std::uint32_t, std::vector<Unended>> unended_;  // by ThreadId
    JsonBody body_;
};

ChromeJson::ChromeJson(const ExportOptions& options, ByteSink& out)
    : ChromeJson(options, out, JsonEventStore::default_window_bytes) {}
ChromeJson::ChromeJson(const ExportOptions& options, ByteSink& out, std::size_t window_bytes)
    : implementation_(std::make_unique<Implementation>(options, out, window_bytes)) {}
ChromeJson::~ChromeJson() = default;

void ChromeJson::run(const model::Run& run) {
    implementation_->seen(run.start_ns());
}

void ChromeJson::process_started(const resolve::Process& process) {
    implementation_->seen(process.birth_ns);
    implementation_->numbers_.started(process);
}

void ChromeJson::process_executed(const resolve::Process& process, std::int64_t time_ns) {
    Implementation& self = *implementation_;
    JsonObject arguments = JsonTimeline::begin(self.body_, "exec " + process.name(), "process");
    std::string command;
    for (const std::string& argument : process.arguments) command += (command.empty() ? "" : " ") + argument;
    arguments.text("detail", command);
    arguments.text("executable", process.executable);
    arguments.close();
    const std::uint32_t pid = self.numbers_.pid(process);
    self.timeline_.instant({pid, pid}, time_ns, self.body_);
}

void ChromeJson::process_ended(const resolve::Process& process) {
    implementation_->numbers_.ended(process);
}

void ChromeJson::thread_started(const resolve::Thread& thread) {
    const JsonTrack track = implementation_->numbers_.track(thread);
    if (!implementation_->root_) implementation_->root_ = track;
}

// The slice in `body_` lasts until its thread ends.
void ChromeJson::Implementation::end_with(const resolve::Thread& thread, std::int64_t from_ns) {
    if (thread.death_ns)
        timeline_.slice(numbers_.track(thread), from_ns, *thread.death_ns, body_);
    else
        unended_[index(thread.id)].push_back({from_ns, body_});
}

void ChromeJson::Implementation::end_thread(const resolve::Thread& thread) {
    const auto found = unended_.find(index(thread.id));
    if (found == unended_.end()) return;
    for (const Unended& one : found->second)
        timeline_.slice(numbers_.track(thread), one.from_ns, thread.death_ns.value_or(one.from_ns), one.body);
    unended_.erase(found);
}

void ChromeJson::thread_ended(const resolve::Thread& thread) {
    Implementation& self = *implementation_;
    if (thread.death_ns) self.seen(*thread.death_ns);
    self.end_thread(thread);
    self.numbers_.ended(thread);
}

void ChromeJson::call(const resolve::ResolvedCall& call) {
    Implementation& self = *implementation_;
    self.connections_.call(call);
    const std::int64_t entry_ns = call.call.entry_ns(), exit_ns = call.call.exit_ns();
    const bool endless = has_no_end(call.call);
    if (!endless && nanoseconds_between(entry_ns, exit_ns) < self.options_.min_duration_ns) return;
    describe_call(self.body_, call);
    if (endless) return self.end_with(call.thread, entry_ns);
    self.timeline_.slice(self.numbers_.track(call.thread), entry_ns, exit_ns, self.body_);
}

void ChromeJson::job_stop(const resolve::Thread& thread, const model::JobStop& stop) {
    Implementation& self = *implementation_;
    const std::string signal = model::signal_name(stop.signal());
    JsonObject arguments = JsonTimeline::begin(self.body_, "stopped by " + signal, "stopped");
    arguments.text("detail", "held by job control");
    arguments.text("signal", signal);
    arguments.close();
    if (stop.to_ns() < stop.from_ns())
        self.end_with(thread, stop.from_ns());
    else
        self.timeline_.slice(self.numbers_.track(thread), stop.from_ns(), stop.to_ns(), self.body_);
}

void ChromeJson::signal(const resolve::Thread& thread, const model::Signal& signal) {
    Implementation& self = *implementation_;
    const std::string name = model::signal_name(signal.number());
    JsonObject arguments = JsonTimeline::begin(self.body_, name, "signal");
    arguments.text("detail",
                   signal.sender_pid() == 0 ? name : name + " from pid " + std::to_string(signal.sender_pid()));
    arguments.integer("code", signal.code());
    arguments.close();
    self.timeline_.instant(self.numbers_.track(thread), signal.time_ns(), self.body_);
}

void ChromeJson::connection_opened(const resolve::Connection& connection, std::int64_t time_ns) {
    implementation_->connections_.opened(connection, time_ns);
}

void ChromeJson::connect_attempt(const resolve::ConnectAttempt& attempt) {
    implementation_->connections_.attempt(attempt);
}

void ChromeJson::phase(const resolve::Connection& connection, const resolve::PhaseStretch& stretch) {
    implementation_->connections_.phase(connection, stretch);
}

void ChromeJson::connection_closed(const resolve::Connection& connection, std::int64_t time_ns) {
    implementation_->connections_.closed(connection, time_ns);
}

void ChromeJson::escape(const resolve::Thread& thread, const model::Escape& escape) {
    Implementation& self = *implementation_;
    JsonObject arguments = JsonTimeline::begin(self.body_, "child not traced", "process");
    arguments.text("detail", "pid " + std::to_string(escape.pid()) + " was created with CLONE_UNTRACED");
    arguments.close();
    self.timeline_.instant(self.numbers_.track(thread), escape.time_ns(), self.body_);
}

void ChromeJson::loss(const model::Loss& loss) {
    Implementation& self = *implementation_;
    if (!self.root_) return;
    JsonObject arguments = JsonTimeline::begin(self.body_, "events lost", "loss");
    arguments.text("detail", loss.reason());
    arguments.size("events", loss.events());
    arguments.close();
    self.timeline_.instant(*self.root_, loss.time_ns(), self.body_);
}

// Viewers refuse a file without a slice, which a run has when every call was left out.
void ChromeJson::Implementation::tell_emptiness() {
    JsonObject arguments = JsonTimeline::begin(body_, "no calls", "other");
    arguments.text("detail", "no system call was recorded or long enough");
    arguments.close();
    timeline_.slice(*root_, start_ns_, last_ns_, body_);
}

void ChromeJson::finish() {
    Implementation& self = *implementation_;
    const std::vector<JsonCounterName> counters = self.connections_.finish();
    self.numbers_.finish();
    if (self.root_ && !self.timeline_.has_slices()) self.tell_emptiness();
    JsonWriter writer(self.out_);
    for (const JsonCounterName& counter : counters) writer.name_counter(counter);
    self.store_.drain([&writer](const JsonEvent& event) { writer.event(event); });
    writer.finish();
}

std::size_t ChromeJson::spilled_runs() const {
    return implementation_->store_.spilled_runs();
}

void write_chrome_json(EventSource& run, const ExportOptions& options, ByteSink& out) {
    ChromeJson sink(options, out);
    resolve::Resolver resolver(sink);
    run.replay(resolver);
    resolver.finish();
    sink.finish();
}

}  // namespace slowtrace::render
