// Hands each event to the part that counts it, and asks all parts for their share of the report.
#include "analyze/analysis.hpp"

#include <algorithm>
#include <map>

#include "analyze/call_statistics.hpp"
#include "analyze/cause_lines.hpp"
#include "analyze/cause_peers.hpp"
#include "analyze/ledgers.hpp"
#include "analyze/meanwhile.hpp"
#include "analyze/peers.hpp"
#include "analyze/run_causes.hpp"
#include "analyze/silent_waits.hpp"
#include "analyze/slow_calls.hpp"
#include "analyze/times.hpp"
#include "analyze/wait_rules.hpp"
#include "analyze/wall_clock.hpp"

namespace slowtrace::analyze {

using resolve::Connection;
using resolve::ResolvedCall;

namespace {

struct ThreadLife {
    ThreadTiling tiling;
    ProcessId process{};
    bool main = false, ended = false;
};

}  // namespace

class Analysis::Implementation {
   public:
    RunFacts facts_;
    std::int64_t stop_cost_ns_ = 0, end_ns_ = 0;
    bool ended_ = false;
    CauseTable causes_;
    SilentWaits silent_waits_{causes_, [this](const SilentWaits::Settled& settled) { settle(settled); }};
    RunCauses run_causes_;
    EndpointLedger ledger_;
    CallStatistics statistics_;
    SlowCalls slow_calls_;
    std::map<ThreadId, ThreadLife> threads_;
    std::map<ProcessId, ProcessLife> processes_;
    std::optional<ProcessId> root_;
    std::map<std::pair<bool, std::string>, std::int64_t> critical_ns_;  // by endpoint; DNS servers are {true, …}

    std::int64_t saw(std::int64_t time_ns) {
        time_ns = sane(time_ns);
        if (!ended_) end_ns_ = std::max(end_ns_, time_ns);
        return time_ns;
    }
    ThreadLife& life(const resolve::Thread& thread) {
        auto known = threads_.find(thread.id);
        if (known == threads_.end())
            known =
                threads_
                    .emplace(thread.id, ThreadLife{ThreadTiling(sane(thread.birth_ns)), thread.process, thread.main})
                    .first;
        return known->second;
    }
    void wait(const ResolvedCall& call, std::int64_t ns, const Cause& cause);
    Cause named_at_end(Cause cause, const Connection* connection) const;
    void count(CauseId id, const Connection& connection, CauseKind kind, std::int64_t ns);
    void settle(const SilentWaits::Settled& settled);
    void tile(const ResolvedCall& call, CauseId id, bool placed);
    void close_lives();
    CauseLines::About about(const CauseTable::Entry& entry) const;
    void add_critical(const CauseTable::Entry& entry, std::int64_t ns);
    CauseSection wall_section();
    CauseSection thread_section();
    std::vector<EndpointLine> endpoint_lines();
    Report report();
};

void Analysis::Implementation::tile(const ResolvedCall& call, CauseId id, bool placed) {
    ThreadTiling& tiling = life(call.thread).tiling;
    if (call.call.pieces().empty()) {
        tiling.add(saw(call.call.entry_ns()), saw(call.call.exit_ns()), id, true, placed);
        return;
    }
    bool begins = true;
    for (const model::Syscall::Piece& piece : call.call.pieces())
        if (tiling.add(saw(piece.from_ns()), saw(piece.to_ns()), id, begins, placed)) begins = false;
}

// By its connection, which is named at the end, where it has one that will be; else by the name of the moment.
Cause Analysis::Implementation::named_at_end(Cause cause, const Connection* connection) const {
    const bool about_peer = connection && is_about_peer(cause.kind);
    if (!about_peer || !ledger_.is_open(*connection) || peer_may_change(*connection, connection->peer))
        cause.connection = 0;
    if (about_peer) cause.subject = peer_name(*connection);
    return cause;
}

void Analysis::Implementation::count(CauseId id, const Connection& connection, CauseKind kind, std::int64_t ns) {
    ledger_.waited(connection, kind, ns);
    if (causes_[id].cause.connection != 0)
        ledger_.remember(connection);
    else
        causes_.met(id, connection.peer);
}

void Analysis::Implementation::wait(const ResolvedCall& call, std::int64_t ns, const Cause& cause) {
    if (cause.kind == CauseKind::computing) return;
    if (const std::optional<CauseId> undecided = silent_waits_.add(call, ns, cause)) {
        causes_.timed_out(*undecided);
        return tile(call, *undecided, false);
    }
    const Connection* connection = connection_of(call, cause);
    const CauseId id = causes_.intern(named_at_end(cause, connection));
    if (cause.timed_out) causes_.timed_out(id);
    tile(call, id, cause.kind == CauseKind::child);
    if (connection) count(id, *connection, cause.kind, ns);
}

void Analysis::Implementation::settle(const SilentWaits::Settled& settled) {
    const Connection* answerer = settled.answerer;
    Cause cause{CauseKind::sleep, settled.meanwhile, 0, {}, false};
    if (answerer) cause = named_at_end({CauseKind::receive, {}, answerer->id + 1, {}, true}, answerer);
    for (const CauseId id : settled.causes) causes_.settle(id, cause);
    if (answerer) count(settled.causes.front(), *answerer, cause.kind, settled.ns);
}

// Whoever was not seen to end lived to the end of the run.
void Analysis::Implementation::close_lives() {
    for (auto& [id, process] : processes_) process.threads.clear();
    for (auto& [id, thread] : threads_) {
        if (!thread.ended) thread.tiling.end(end_ns_);
        std::vector<const ThreadTiling*>& threads = processes_[thread.process].threads;
        threads.insert(thread.main ? threads.begin() : threads.end(), &thread.tiling);
    }
    for (auto& [id, process] : processes_) {
        const auto others = process.threads.begin() + !process.threads.empty();
        std::stable_sort(others, process.threads.end(),
                         [](const auto* a, const auto* b) { return a->birth_ns() < b->birth_ns(); });
        std::stable_sort(process.children.begin(), process.children.end(),
                         [this](ProcessId a, ProcessId b) { return processes_[a].birth_ns < processes_[b].birth_ns; });
    }
}

// Names as they are known at the end: of peers, of processes at the other end, of children.
CauseLines::About Analysis::Implementation::about(const CauseTable::Entry& entry) const {
    const Cause& cause = entry.cause;
    CauseLines::About about{run_causes_.subject(cause), entry.endpoints};
    if (!is_about_peer(cause.kind)) return about;
    const FinalPeers::Peer* peer = cause.connection == 0 ? nullptr : ledger_.peers().find(cause.connection - 1);
    if (peer) about = {peer->name, {peer->endpoint}};
    if (const EndpointRow* row = ledger_.find(about.subject, false))
        about.subject = with_local_peer(about.subject, row->line.local_peer);
    return about;
}

CauseSection Analysis::Implementation::wall_section() {
    const OutsideCauses outside{causes_.intern({CauseKind::tracing, "starting the command", 0, {}, false}),
                                causes_.intern({CauseKind::tracing, "after the last thread ended", 0, {}, false})};
    CauseLines lines(causes_, [this](const CauseTable::Entry& entry) { return about(entry); });
    constexpr std::int64_t matters = 1'000;  // one part in this many of the wall clock
    Meanwhile meanwhile(
        causes_, [this](const CauseTable::Entry& entry) { return about(entry); },
        std::max(facts_.wall_ns / matters, shortest_wait_ns));
    std::map<CauseId, std::int64_t> by_cause;
    critical_ns_.clear();
    WallClock(processes_, causes_)
        .visit(root_.value_or(ProcessId{}), facts_.start_ns, facts_.start_ns + facts_.wall_ns, outside,
               [&](const Tile& tile, const TileOwner& owner) {
                   lines.add(tile);
                   meanwhile.saw(tile, owner);
                   if (causes_[tile.cause].cause.kind != CauseKind::computing) by_cause[tile.cause] += tile.ns;
               });
    for (const auto& [id, ns] : by_cause) add_critical(causes_[id], ns);
    CauseSection section = lines.section();
    meanwhile.tell(section);
    return section;
}

// Which endpoint the wall clock went to: a question to DNS counts for the server.
void Analysis::Implementation::add_critical(const CauseTable::Entry& entry, std::int64_t ns) {
    if (is_about_peer(entry.cause.kind)) critical_ns_[{false, about(entry).subject}] += ns;
    if (entry.cause.kind == CauseKind::dns && !entry.endpoints.empty())
        critical_ns_[{true, entry.endpoints.front().display()}] += ns;
}

CauseSection Analysis::Implementation::thread_section() {
    CauseLines lines(causes_, [this](const CauseTable::Entry& entry) { return about(entry); });
    for (const auto& [id, thread] : threads_)
        thread.tiling.visit(thread.tiling.birth_ns(), thread.tiling.end_ns(),
                            [&](const Tile& tile) { lines.add(tile); });
    return lines.section();
}

std::vector<EndpointLine> Analysis::Implementation::endpoint_lines() {
    std::vector<EndpointLine> lines = ledger_.finished();
    // One name may be reached over two transports; the first, the most waited for, takes the time.
    for (EndpointLine& line : lines)
        if (const auto known = critical_ns_.find({line.dns_server, line.name}); known != critical_ns_.end()) {
            line.critical_ns = known->second;
            critical_ns_.erase(known);
        }
    return lines;
}

Report Analysis::Implementation::report() {
    Report report;
    facts_.wall_ns = std::max<std::int64_t>(end_ns_ - facts_.start_ns, 0);
    facts_.processes = processes_.size();
    facts_.threads = threads_.size();
    close_lives();
    silent_waits_.finish();
    ledger_.finish();
    report.wall = wall_section();
    report.threads = thread_section();
    report.endpoints = endpoint_lines();
    report.downloads = ledger_.downloads();
    add_peers(report.wall, report.endpoints);
    add_peers(report.threads, report.endpoints);
    report.slowest = slow_calls_.finished();
    report.syscalls = statistics_.finished();
    report.run = facts_;
    if (facts_.truncated) {
        if (__builtin_mul_overflow(stop_cost_ns_, facts_.calls, &report.run.tracing_ns)) report.run.tracing_ns = 0;
    }
    // Tracing only ever slows what runs: it cannot have added more to the wall clock than was spent running.
    for (const CauseLine& line : report.wall.lines)
        if (line.kind == CauseKind::computing) report.run.tracing_ns = std::min(report.run.tracing_ns, line.total_ns);
    return report;
}

Analysis::Analysis() : implementation_(std::make_unique<Implementation>()) {}
Analysis::~Analysis() = default;

Report Analysis::report() const {
    return implementation_->report();
}

void Analysis::run(const model::Run& run) {
    RunFacts& facts = implementation_->facts_;
    facts.arguments.assign(run.argv().begin(), run.argv().end());
    facts.engine = run.engine();
    facts.selection = run.selection();
    facts.start_ns = sane(run.start_ns());
    facts.floor_ns = std::max<std::int64_t>(run.floor_ns(), 0);
    facts.attached.assign(run.attached_pids().begin(), run.attached_pids().end());
    facts.attached_names.resize(facts.attached.size());
    facts.redacted = run.redacted();
    implementation_->stop_cost_ns_ = std::max<std::int64_t>(run.stop_cost_ns(), 0);
    implementation_->saw(run.start_ns());
}

void Analysis::process_started(const resolve::Process& process) {
    implementation_->run_causes_.process_started(process);
    if (!implementation_->root_) implementation_->root_ = process.id;
    ProcessLife& life = implementation_->processes_[process.id];
    life.birth_ns = implementation_->saw(process.birth_ns);
    life.death_ns = INT64_MAX;
    if (process.parent && *process.parent != process.id)
        implementation_->processes_[*process.parent].children.push_back(process.id);
}

void Analysis::process_executed(const resolve::Process& process, std::int64_t time_ns) {
    implementation_->saw(time_ns);
    std::vector<std::string>& programs = implementation_->facts_.setuid_ignored;
    constexpr std::size_t limit = 5;
    if (process.setuid_ignored && programs.size() < limit &&
        std::find(programs.begin(), programs.end(), process.executable) == programs.end())
        programs.push_back(process.executable);
}

void Analysis::process_ended(const resolve::Process& process) {
    implementation_->run_causes_.process_ended(process);
    if (process.death_ns) implementation_->processes_[process.id].death_ns = implementation_->saw(*process.death_ns);
}

void Analysis::thread_started(const resolve::Thread& thread) {
    implementation_->saw(thread.birth_ns);
    implementation_->life(thread);
    // An attached process was not seen to begin: what it runs is told by its main thread's name.
    RunFacts& facts = implementation_->facts_;
    for (std::size_t i = 0; thread.main && i < facts.attached.size(); ++i)
        if (facts.attached[i] == thread.tid && facts.attached_names[i].empty()) facts.attached_names[i] = thread.name;
}

void Analysis::thread_ended(const resolve::Thread& thread) {
    ThreadLife& life = implementation_->life(thread);
    if (thread.death_ns) {
        life.ended = true;
        life.tiling.end(implementation_->saw(*thread.death_ns));
    }
    if (thread.run_ns) {
        RunFacts& facts = implementation_->facts_;
        facts.cpu_ns = saturating_add(facts.cpu_ns, std::max<std::int64_t>(*thread.run_ns, 0));
        ++facts.cpu_threads;
    }
}

void Analysis::call(const ResolvedCall& call) {
    Implementation& my = *implementation_;
    const std::int64_t ns = time_in_call(call.call);
    ++my.facts_.calls;
    my.saw(call.call.exit_ns());
    my.statistics_.add(call, ns, my.facts_.floor_ns);
    my.run_causes_.seen(call);
    my.silent_waits_.seen(call);
    const bool slow = my.slow_calls_.wants(ns);
    if (ns < shortest_wait_ns && !slow) return;
    const Cause cause =
        ns < shortest_wait_ns ? Cause{CauseKind::computing, {}, 0, {}, false} : my.run_causes_.cause_of(call);
    if (slow) my.slow_calls_.add(call, ns, cause);
    my.wait(call, ns, cause);
}

void Analysis::signal(const resolve::Thread& thread, const model::Signal& signal) {
    implementation_->run_causes_.signal(thread, signal);
}

void Analysis::job_stop(const resolve::Thread& thread, const model::JobStop& stop) {
    const CauseId id = implementation_->causes_.intern({CauseKind::stopped, {}, 0, {}, false});
    implementation_->life(thread).tiling.add(implementation_->saw(stop.from_ns()), implementation_->saw(stop.to_ns()),
                                             id);
}

void Analysis::connection_opened(const Connection& connection, std::int64_t) {
    implementation_->ledger_.opened(connection);
}

void Analysis::connect_attempt(const resolve::ConnectAttempt& attempt) {
    implementation_->ledger_.attempted(attempt);
}

void Analysis::phase(const Connection& connection, const resolve::PhaseStretch& stretch) {
    implementation_->ledger_.phase(connection, stretch);
}

void Analysis::connection_closed(const Connection& connection, std::int64_t) {
    implementation_->silent_waits_.closed(connection);
    implementation_->ledger_.closed(connection);
    implementation_->causes_.closed(connection.id + 1);
}

void Analysis::dns_exchange(const resolve::DnsExchange& exchange) {
    implementation_->ledger_.asked(exchange);
}

void Analysis::escape(const resolve::Thread&, const model::Escape&) {
    ++implementation_->facts_.escapes;
}

void Analysis::loss(const model::Loss& loss) {
    RunFacts& facts = implementation_->facts_;
    facts.lost_events += loss.events();
    constexpr std::size_t limit = 5;
    auto& reasons = facts.loss_reasons;
    if (reasons.size() < limit && std::find(reasons.begin(), reasons.end(), loss.reason()) == reasons.end())
        reasons.push_back(loss.reason());
}

void Analysis::end(const model::RunEnd& end) {
    RunFacts& facts = implementation_->facts_;
    const std::int64_t time_ns = sane(end.time_ns());
    if (time_ns > 0) implementation_->end_ns_ = std::max(time_ns, facts.start_ns);
    implementation_->ended_ = true;
    if (end.has_status()) facts.status = end.status();
    // A recording closed in order has handled stops; the one a Resolver makes up for a killed one has none.
    facts.truncated = !end.has_status() && end.stops() == 0 && !end.let_go();
    facts.tracing_ns = std::max<std::int64_t>(end.tracing_ns(), 0);
    facts.left_running = end.left_running();
    facts.let_go = end.let_go();
    facts.late_stamps = end.late_stamps();
    facts.late_ns = end.late_ns();
}

}  // namespace slowtrace::analyze
