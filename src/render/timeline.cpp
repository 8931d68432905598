// Lines wait in a heap ordered by their time; the earliest leaves when there are too many.
#include "render/timeline.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/run_causes.hpp"
#include "render/arguments.hpp"
#include "render/columns.hpp"
#include "render/resolved_text.hpp"
#include "render/text.hpp"

namespace slowtrace::render {

using model::Syscall;
using resolve::Process;
using resolve::ResolvedCall;
using resolve::Thread;

namespace {

constexpr std::size_t cause_width = 120;

struct Line {
    std::int64_t time_ns;
    std::uint64_t order;  // as it arrived
    std::string text;
};

// For a heap whose front is the earliest line.
bool later(const Line& a, const Line& b) {
    return a.time_ns != b.time_ns ? a.time_ns > b.time_ns : a.order > b.order;
}

// What a plain "name(arguments) = result" cannot say.
std::string remarks(const Syscall& call) {
    std::string text;
    if (call.pieces_size() > 1) text += " [restarted ×" + std::to_string(call.pieces_size() - 1) + "]";
    if (call.began_before()) text += " [began before the recording]";
    return text;
}

// exit(2) never returns; every other call that did not was cut short.
bool unfinished(const ResolvedCall& call) {
    return call.call.ending() != Syscall::RETURNED && call.row.name != "exit" && call.row.name != "exit_group";
}

std::string padded(const std::string& text, std::size_t width) {
    const std::size_t missing = width - std::min(width, text_width(text));
    return std::string(missing, ' ') + text;
}

// How a question travelled where not to a DNS server.
std::string carrier_text(model::DnsMessage::Carrier carrier) {
    switch (carrier) {
        case model::DnsMessage::RESOLVED_VARLINK:
        case model::DnsMessage::RESOLVED_DBUS:
            return " (via systemd-resolved)";
        case model::DnsMessage::NSCD:
            return " (via nscd)";
        default:
            return {};
    }
}

std::string birth_text(const Thread& thread) {
    return thread.main ? "process starts" : "thread starts";
}

std::string death_text(const Thread& thread) {
    switch (thread.death) {
        case model::ThreadDeath::EXITED:
            return "thread exits";
        case model::ThreadDeath::KILLED:
            return "thread is killed";
        case model::ThreadDeath::EXEC_BY_OTHER_THREAD:
            return "thread ends: another one called exec";
        case model::ThreadDeath::DETACHED:
            return "the recording lets the thread go on";
        case model::ThreadDeath::VANISHED:
            return "thread vanished";
        default:
            return "thread ends";
    }
}

}  // namespace

class Timeline::Implementation {
   public:
    Implementation(std::ostream& out, const TimelineOptions& options) : out_(out), options_(options) {}

    void line(std::int64_t time_ns, const std::string& duration, const std::string& who, const std::string& what) {
        std::string text = padded(format_offset(time_ns, start_ns_), 12) + "  " + padded(duration, 9) + "  " + who;
        if (!who.empty()) text += "  ";
        lines_.push_back({time_ns, order_++, std::move(text) + what});
        std::push_heap(lines_.begin(), lines_.end(), later);
        while (lines_.size() > options_.window) print_earliest();
    }
    void event(std::int64_t time_ns, const Thread& thread, const std::string& what) {
        line(time_ns, "", who(thread), "*** " + what);
    }
    void print_earliest() {
        std::pop_heap(lines_.begin(), lines_.end(), later);
        out_ << lines_.back().text << '\n';
        lines_.pop_back();
    }
    std::string who(const Thread& thread) const {
        const auto known = processes_.find(index(thread.process));
        return known == processes_.end() ? "[" + std::to_string(thread.tid) + "]" : thread_text(*known->second, thread);
    }
    void call(const ResolvedCall& call);

    std::ostream& out_;
    TimelineOptions options_;
    std::int64_t start_ns_ = 0, floor_ns_ = 0;
    std::uint64_t order_ = 0;
    std::vector<Line> lines_;
    analyze::RunCauses causes_;
    std::unordered_map<std::uint32_t, const Process*> processes_;
};

void Timeline::Implementation::call(const ResolvedCall& call) {
    causes_.seen(call);
    const std::int64_t ns = analyze::time_in_call(call.call);
    if (ns < options_.min_duration_ns) return;
    std::string text = call_line(call) + remarks(call.call);
    if (unfinished(call)) text += " [unfinished]";
    if (ns >= analyze::shortest_wait_ns) {
        const analyze::Cause cause = causes_.cause_of(call);
        if (cause.kind != analyze::CauseKind::computing)
            text += "  ← " + shorten(visible(describe(cause.kind, causes_.subject(cause))), cause_width) +
                    (cause.timed_out ? ", gave up" : "");
    }
    std::string duration = floor_ns_ > 0 && ns <= floor_ns_ ? "< floor" : format_duration(ns);
    if (call.call.began_before() || unfinished(call)) duration = "≥ " + duration;
    line(call.call.entry_ns(), duration, thread_text(call.process, call.thread), text);
}

Timeline::Timeline(std::ostream& out, const TimelineOptions& options)
    : implementation_(std::make_unique<Implementation>(out, options)) {}

Timeline::~Timeline() {
    finish();
}

void Timeline::finish() {
    while (!implementation_->lines_.empty()) implementation_->print_earliest();
    implementation_->out_.flush();
}

void Timeline::run(const model::Run& run) {
    implementation_->start_ns_ = run.start_ns();
    implementation_->floor_ns_ = run.floor_ns();
}

void Timeline::process_started(const Process& process) {
    implementation_->processes_[index(process.id)] = &process;
    implementation_->causes_.process_started(process);
}

void Timeline::process_executed(const Process& process, std::int64_t time_ns) {
    std::string what = "*** runs " + quote(process.executable) + " [";
    for (std::size_t i = 0; i < process.arguments.size(); ++i) what += (i ? ", " : "") + quote(process.arguments[i]);
    what += process.setuid_ignored ? "], without its set-uid or set-gid bit" : "]";
    implementation_->line(time_ns, "", visible(process.name()) + "[" + std::to_string(process.pid) + "]", what);
}

void Timeline::process_ended(const Process& process) {
    implementation_->causes_.process_ended(process);
    if (!process.death_ns || !process.status) return;
    implementation_->line(*process.death_ns, "", visible(process.name()) + "[" + std::to_string(process.pid) + "]",
                          "*** process " + wait_status_text(*process.status));
}

void Timeline::thread_started(const Thread& thread) {
    implementation_->event(thread.birth_ns, thread, birth_text(thread));
}

void Timeline::thread_ended(const Thread& thread) {
    if (thread.death_ns) implementation_->event(*thread.death_ns, thread, death_text(thread));
}

void Timeline::call(const ResolvedCall& call) {
    implementation_->call(call);
}

void Timeline::job_stop(const Thread& thread, const model::JobStop& stop) {
    const std::int64_t ns = std::max<std::int64_t>(stop.to_ns(), stop.from_ns()) - stop.from_ns();
    implementation_->line(stop.from_ns(), format_duration(ns), implementation_->who(thread),
                          "*** stopped by " + model::signal_name(stop.signal()));
}

void Timeline::signal(const Thread& thread, const model::Signal& signal) {
    implementation_->causes_.signal(thread, signal);
    std::string what = "receives " + model::signal_name(signal.number());
    if (signal.sender_pid() != 0) what += " from pid " + std::to_string(signal.sender_pid());
    implementation_->event(signal.time_ns(), thread, what);
}

void Timeline::dns_exchange(const resolve::DnsExchange& exchange) {
    std::string what = "*** DNS: " + exchange.name + " ";
    if (!exchange.answered)
        what += "was not answered";
    else if (exchange.addresses.empty())
        what += "has no address (answer code " + std::to_string(exchange.response_code) + ")";
    else
        what += "is";
    for (std::size_t i = 0; i < exchange.addresses.size(); ++i) what += (i ? ", " : " ") + exchange.addresses[i];
    if (!exchange.canonical_name.empty()) what += " (CNAME " + exchange.canonical_name + ")";
    what += carrier_text(exchange.carrier);
    implementation_->line(exchange.answered ? exchange.answered_ns : exchange.asked_ns, "", "", visible(what));
}

void Timeline::escape(const Thread& thread, const model::Escape& escape) {
    implementation_->event(escape.time_ns(), thread, "creates pid " + std::to_string(escape.pid()) + " untraced");
}

void Timeline::loss(const model::Loss& loss) {
    const std::string count = loss.events() > 0 ? format_count(loss.events()) + " events lost: " : "";
    implementation_->line(loss.time_ns(), "", "", "*** " + count + visible(loss.reason()));
}

void Timeline::end(const model::RunEnd& end) {
    implementation_->line(
        end.time_ns(), "", "",
        end.has_status() ? "*** the run ends: " + wait_status_text(end.status()) : "*** the run ends");
}

}  // namespace slowtrace::render
