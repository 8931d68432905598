// Joins a moment's cause, endpoint and the kernel's word on its socket into a line.
#include "render/live_lines.hpp"

#include <array>

#include "render/columns.hpp"
#include "render/resolved_text.hpp"
#include "render/text.hpp"

namespace slowtrace::render {

namespace {

using analyze::Cause;
using analyze::CauseKind;
using resolve::ResolvedCall;
using resolve::ResolvedDescriptor;

constexpr std::size_t words_width = 160;

// include/net/tcp_states.h
constexpr std::array<std::string_view, 14> tcp_states{
    "",      "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
    "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "SYN_RECV",  ""};

struct StateText {
    char letter;
    std::string_view words;
};
// proc(5), /proc/PID/stat
constexpr std::array states{StateText{'R', "running its own code"}, StateText{'D', "in the kernel, uninterruptibly"},
                            StateText{'T', "stopped by job control"}, StateText{'t', "held by the tracer"},
                            StateText{'Z', "ended"}};

std::string state_words(const model::Moment& moment) {
    for (const StateText& state : states)
        if (!moment.state().empty() && state.letter == moment.state().front()) return std::string(state.words);
    return "between two calls";
}

const ResolvedDescriptor* descriptor_of(const ResolvedCall& call, const Cause& cause) {
    if (cause.connection == 0) return nullptr;
    for (const auto& set : {call.descriptors, call.watched})
        for (const ResolvedDescriptor& one : set)
            if (one.file && one.file->connection && one.file->connection->id + 1 == cause.connection) return &one;
    return nullptr;
}

// The address behind a name, which says more only where there is a name.
std::string address_aside(const ResolvedDescriptor* descriptor) {
    if (!descriptor) return {};
    const resolve::Endpoint& peer = descriptor->file->connection->peer;
    return peer.host.empty() || peer.address.empty() ? "" : " (" + visible(peer.address) + ")";
}

std::string tcp_state(const ResolvedDescriptor* descriptor, const model::Moment& moment) {
    for (const model::TcpReport& report : moment.sockets())
        if (descriptor && report.fd() == descriptor->number && report.state() < tcp_states.size())
            return std::string(tcp_states[report.state()]);
    return {};
}

// "poll, SYN_SENT"
std::string how(const ResolvedCall& call, const ResolvedDescriptor* descriptor, const model::Moment& moment) {
    const std::string state = tcp_state(descriptor, moment);
    return model::syscall_name(call.call.abi(), call.call.number()) + (state.empty() ? "" : ", " + state);
}

std::string outcome(const ResolvedCall& call, const Cause& cause) {
    if (call.call.ending() == model::Syscall::DETACHED) return ", and lasts when the recording ends";
    if (call.call.ending() != model::Syscall::RETURNED) return ": cut short";
    if (cause.timed_out) return ": timed out";
    if (model::failed(call.call)) return ": " + model::error_name(static_cast<int>(-call.call.result()));
    return {};
}

std::int64_t age_ns(const ResolvedCall& call) {
    return analyze::time_in_call(call.call);
}

}  // namespace

void LiveLines::process_started(const resolve::Process& process) {
    causes_.process_started(process);
    if (process.parent) ++children_[index(*process.parent)];
}

void LiveLines::process_ended(const resolve::Process& process) {
    causes_.process_ended(process);
    if (!process.parent) return;
    const auto count = children_.find(index(*process.parent));
    if (count != children_.end() && --count->second == 0) children_.erase(count);
}

void LiveLines::thread_ended(const resolve::Thread& thread) {
    const auto told = told_.find(index(thread.id));
    const auto waits = waits_.find(index(thread.id));
    if (told != told_.end() && waits != waits_.end() && waits->second.since_ns() == told->second.since_ns)
        tell_end(told->second, waits->second.until_ns() - told->second.since_ns, ": timed out");
    told_.erase(index(thread.id));
    waits_.erase(index(thread.id));
}

void LiveLines::signal(const resolve::Thread& thread, const model::Signal& signal) {
    causes_.signal(thread, signal);
}

void LiveLines::call(const ResolvedCall& call) {
    causes_.seen(call);
    model::WaitSeries& waits = waits_[index(call.thread.id)];
    const std::int64_t since_ns = waits.since_ns(call.row, call.call), until_ns = waits.until_ns();
    const std::int64_t series_ns = waits.since_ns();
    waits.ended(call.row, call.call);
    const auto found = told_.find(index(call.thread.id));
    if (found == told_.end()) return;
    const Told told = found->second;
    const bool itself = told.entry_ns == call.call.entry_ns() || told.since_ns == since_ns;
    // It timed out, and may go on with the next call.
    if (waits.since_ns() == told.since_ns && call.call.ending() == model::Syscall::RETURNED) return;
    if (itself)
        tell_end(told, told.since_ns == call.call.entry_ns() ? age_ns(call) : call.call.exit_ns() - told.since_ns,
                 outcome(call, causes_.cause_of(call)));
    else if (series_ns == told.since_ns)
        tell_end(told, until_ns - told.since_ns, ": timed out");
    // A handler's calls come before the end of the call they interrupted.
    else if (told.entry_ns <= call.call.entry_ns())
        return;
    told_.erase(found);
}

void LiveLines::tell_end(const Told& told, std::int64_t lasted_ns, const std::string& outcome) {
    say_("slowtrace: " + told.who + " " + told.words + " took " + (told.at_least ? "at least " : "") +
         format_duration(lasted_ns) + outcome + "\n");
}

// Of a call in progress: since the first of its series.
std::string LiveLines::duration_text(const ResolvedCall& call) const {
    const auto waits = waits_.find(index(call.thread.id));
    const std::int64_t entry_ns = call.call.entry_ns();
    const std::int64_t since_ns = waits == waits_.end() ? entry_ns : waits->second.since_ns(call.row, call.call);
    return (call.call.began_before() || since_ns <= start_ns_ ? "at least " : "") +
           format_duration(since_ns == entry_ns ? age_ns(call) : call.call.exit_ns() - since_ns);
}

void LiveLines::moment(const resolve::Thread& thread, const resolve::Process& process, const ResolvedCall* call,
                       const model::Moment& moment) {
    if (moment.reason() == model::Moment::LONG_WAIT) {
        if (call) tell_long_wait(*call, moment);
        return;
    }
    add_to_table(thread, process, call, moment);
    if (moment.last()) tell_table(moment.time_ns());
}

std::string LiveLines::words(const Cause& cause) const {
    return shorten(visible(describe(cause.kind, causes_.subject(cause))), words_width);
}

bool LiveLines::is_noise(const ResolvedCall& call, const Cause& cause) const {
    if (cause.kind == CauseKind::child) return cause.process || children_.contains(index(call.process.id));
    return cause.kind == CauseKind::idle;
}

void LiveLines::tell_long_wait(const ResolvedCall& call, const model::Moment& moment) {
    const Cause cause = causes_.cause_of(call);
    if (is_noise(call, cause)) return;
    const ResolvedDescriptor* descriptor = descriptor_of(call, cause);
    const std::string said = words(cause);
    const std::string who = thread_text(call.process, call.thread);
    const std::int64_t entry_ns = call.call.entry_ns();
    const std::int64_t since_ns = waits_[index(call.thread.id)].since_ns(call.row, call.call);
    told_[index(call.thread.id)] = {entry_ns, since_ns, who, said, call.call.began_before() || since_ns <= start_ns_};
    say_("slowtrace: " + who + " " + said + address_aside(descriptor) + " for " + duration_text(call) +
         " so far: " + how(call, descriptor, moment) + "\n");
}

void LiveLines::add_to_table(const resolve::Thread& thread, const resolve::Process& process, const ResolvedCall* call,
                             const model::Moment& moment) {
    std::vector<std::string> row{thread_text(process, thread)};
    if (call) {
        const Cause cause = causes_.cause_of(*call);
        const ResolvedDescriptor* descriptor = descriptor_of(*call, cause);
        row.push_back(duration_text(*call));
        row.push_back(words(cause) + address_aside(descriptor) + ": " + how(*call, descriptor, moment));
    } else {
        row.insert(row.end(), {"", state_words(moment)});
    }
    table_.push_back(std::move(row));
}

void LiveLines::tell_table(std::int64_t time_ns) {
    using Align = Columns::Align;
    Columns columns({Align::left, Align::right, Align::left});
    for (std::vector<std::string>& row : table_) columns.row(std::move(row));
    std::string text = "slowtrace: " + format_count(table_.size()) + (table_.size() == 1 ? " thread" : " threads") +
                       " after " + format_duration(time_ns - start_ns_) + "\n";
    for (const std::string& line : columns.lines(0)) text += line + "\n";
    table_.clear();
    say_(text);
}

}  // namespace slowtrace::render
