// The invariant: a thread's tiles sum to its life, the run's tiles to its wall clock, whatever happened.
#include <deque>
#include <map>
#include <random>

#include "analyze/analysis.hpp"
#include "analyze/thread_tiling.hpp"
#include "analyze/wall_clock.hpp"
#include "catch.hpp"
#include "resolved_calls.hpp"

using namespace slowtrace;
using namespace slowtrace::test;
using analyze::ThreadTiling;
using analyze::Tile;

namespace {

std::map<analyze::CauseId, std::int64_t> sums(const ThreadTiling& tiling, std::int64_t from, std::int64_t to) {
    std::map<analyze::CauseId, std::int64_t> by_cause;
    tiling.visit(from, to, [&](const Tile& tile) { by_cause[tile.cause] += tile.ns; });
    return by_cause;
}

std::int64_t whole(const ThreadTiling& tiling, std::int64_t from, std::int64_t to) {
    std::int64_t sum = 0, now = from;
    tiling.visit(from, to, [&](const Tile& tile) {
        CHECK(tile.ns > 0);
        CHECK(tile.from_ns >= from);
        CHECK(tile.to_ns <= to);
        if (tile.whole()) {
            CHECK(tile.from_ns == now);
            now = tile.to_ns;
        } else {
            now = tile.to_ns;
        }
        sum += tile.ns;
    });
    return sum;
}

}  // namespace

TEST_CASE("between waits a thread computes") {
    ThreadTiling tiling(100);
    tiling.add(200, 300, 1);
    tiling.add(400, 450, 2);
    tiling.end(1000);
    CHECK(sums(tiling, 0, 5000) == std::map<analyze::CauseId, std::int64_t>{{0, 750}, {1, 100}, {2, 50}});
    CHECK(sums(tiling, 250, 420) == std::map<analyze::CauseId, std::int64_t>{{0, 100}, {1, 50}, {2, 20}});
}

TEST_CASE("a wait that others overtook keeps what they left") {
    ThreadTiling tiling(0);
    tiling.add(20, 30, 2);  // the handler's
    tiling.add(40, 60, 3);  // a stop
    CHECK(tiling.add(10, 25, 1));
    CHECK(tiling.add(35, 80, 1, false));
    CHECK_FALSE(tiling.add(20, 30, 4));
    tiling.end(100);
    CHECK(sums(tiling, 0, 100) ==
          std::map<analyze::CauseId, std::int64_t>{{0, 10 + 5 + 20}, {1, 10 + 5 + 20}, {2, 10}, {3, 20}});
    std::uint64_t waits = 0;
    tiling.visit(0, 100, [&](const Tile& tile) { waits += tile.cause == 1 ? tile.waits : 0; });
    CHECK(waits == 1);
}

TEST_CASE("an end cuts what was said to be later") {
    ThreadTiling tiling(100);
    tiling.add(50, 200, 1);
    tiling.add(300, 400, 2);
    tiling.end(350);
    CHECK(sums(tiling, 0, 1000) == std::map<analyze::CauseId, std::int64_t>{{0, 100}, {1, 100}, {2, 50}});
    tiling.end(50);
    CHECK(sums(tiling, 0, 1000).empty());
}

TEST_CASE("merging loses places, not time nor waits; placed waits stay") {
    constexpr std::size_t limit = 256;
    ThreadTiling tiling(0, limit);
    constexpr int count = 100'000;
    for (int i = 0; i < count; ++i) {
        const bool placed = i % 5'000 == 0;
        tiling.add(i * 10, i * 10 + 4 + i % 3, placed ? 9 : 1 + static_cast<unsigned>(i % 2), true, placed);
    }
    tiling.end(count * 10);
    CHECK(tiling.stored() <= limit);
    std::map<analyze::CauseId, std::int64_t> expected;
    std::map<analyze::CauseId, std::uint64_t> waits, expected_waits;
    for (int i = 0; i < count; ++i) {
        const analyze::CauseId cause = i % 5'000 == 0 ? 9 : 1 + static_cast<unsigned>(i % 2);
        expected[cause] += 4 + i % 3;
        ++expected_waits[cause];
    }
    expected[0] = count * 10 - expected[1] - expected[2] - expected[9];
    CHECK(sums(tiling, 0, count * 10) == expected);
    tiling.visit(0, count * 10, [&](const Tile& tile) {
        if (tile.cause != 0) waits[tile.cause] += tile.waits;
        if (tile.cause == 9) CHECK((tile.whole() && tile.from_ns % 50'000 == 0));
    });
    CHECK(waits == expected_waits);
    for (std::int64_t from = 0; from < count * 10; from += 77'777)
        CHECK(whole(tiling, from, std::min<std::int64_t>(from + 77'777, count * 10)) ==
              std::min<std::int64_t>(77'777, count * 10 - from));
}

TEST_CASE("the wall clock follows waits for children, and ends where a trace bites its tail") {
    analyze::CauseTable causes;
    const auto wait_for = [&](unsigned id) {
        return causes.intern({analyze::CauseKind::child, "", 0, ProcessId{id}, false});
    };
    const auto any = causes.intern({analyze::CauseKind::child, "", 0, {}, false});
    const auto sleep = causes.intern({analyze::CauseKind::sleep, "", 0, {}, false});
    const auto outside = causes.intern({analyze::CauseKind::tracing, "", 0, {}, false});
    ThreadTiling root(10), first(100), second(400);
    root.add(50, 300, wait_for(1), true, true);
    root.add(350, 900, any, true, true);
    root.end(950);
    first.add(150, 290, sleep);
    first.add(290, 295, wait_for(0), true, true);  // its own ancestor
    first.end(295);
    second.add(500, 800, sleep);
    second.end(850);
    const std::map<ProcessId, analyze::ProcessLife> processes{
        {ProcessId{0}, {{&root}, 10, 950, {ProcessId{1}, ProcessId{2}}}},
        {ProcessId{1}, {{&first}, 100, 295, {}}},
        {ProcessId{2}, {{&second}, 400, 850, {ProcessId{0}}}},
    };
    std::map<analyze::CauseId, std::int64_t> by_cause;
    std::int64_t now = 0;
    analyze::WallClock(processes, causes)
        .visit(ProcessId{0}, 0, 1000, {outside, outside}, [&](const Tile& tile, const auto&) {
            CHECK(tile.from_ns == now);
            now = tile.to_ns;
            by_cause[tile.cause] += tile.ns;
        });
    CHECK(now == 1000);
    CHECK(by_cause[outside] == 10 + 50);
    CHECK(by_cause[sleep] == 140 + 300);
    CHECK(by_cause[wait_for(0)] == 5);
    CHECK(by_cause[wait_for(1)] == (100 - 50) + (300 - 295));
    CHECK(by_cause[any] == (400 - 350) + (900 - 850));
}

namespace {

// A run in which anything may happen at any time: nested calls, stops, children, stamps out of order.
class RandomRun {
   public:
    explicit RandomRun(unsigned seed) : random_(seed) {}

    analyze::Report play() {
        model::Run run;
        run.set_start_ns(stamp());
        analysis_.run(run);
        start_ns_ = run.start_ns();
        const std::uint32_t process_count = 1 + below(6);
        for (std::uint32_t i = 0; i < process_count; ++i) start_process(i);
        for (int i = 0; i < 400; ++i) step();
        for (resolve::Thread& thread : threads_)
            if (below(4) != 0) {
                thread.death_ns = stamp();
                analysis_.thread_ended(thread);
            }
        model::RunEnd end;
        end.set_time_ns(end_ns_ = 20 * ms + static_cast<std::int64_t>(below(5)) * ms);
        analysis_.end(end);
        return analysis_.report();
    }
    std::int64_t wall() const { return std::max<std::int64_t>(end_ns_ - start_ns_, 0); }
    std::int64_t lifetimes() const {
        std::int64_t sum = 0;
        for (const resolve::Thread& thread : threads_)
            sum += std::max<std::int64_t>(thread.death_ns.value_or(end_ns_) - thread.birth_ns, 0);
        return sum;
    }

   private:
    std::uint32_t below(std::uint32_t limit) {
        return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(random_);
    }
    std::int64_t stamp() { return static_cast<std::int64_t>(below(20'000)) * 1'000; }

    void start_process(std::uint32_t i) {
        resolve::Process& process = processes_.emplace_back();
        process.id = ProcessId{i};
        process.pid = 100 + static_cast<int>(i);
        if (i > 0) process.parent = ProcessId{below(i + 1)};
        process.birth_ns = stamp();
        process.arguments = {"p" + std::to_string(i % 3)};
        analysis_.process_started(process);
        for (std::uint32_t t = 0; t <= below(3); ++t) {
            resolve::Thread& thread = threads_.emplace_back();
            thread.id = ThreadId{static_cast<std::uint32_t>(threads_.size() - 1)};
            thread.process = process.id;
            thread.main = t == 0;
            thread.birth_ns = stamp();
            analysis_.thread_started(thread);
        }
    }
    void step() {
        const resolve::Thread& thread = threads_[below(static_cast<std::uint32_t>(threads_.size()))];
        if (below(10) == 0) {
            model::JobStop stop;
            stop.set_from_ns(stamp());
            stop.set_to_ns(stamp());
            return analysis_.job_stop(thread, stop);
        }
        static const char* const names[] = {"nanosleep", "wait4", "futex", "read", "semop", "getpid"};
        MadeCall call(names[below(6)], stamp(), stamp());
        call.of(processes_[index(thread.process)], thread);
        if (call.row->name == "wait4" && below(2)) call.for_child(ProcessId{below(8)});
        if (below(4) == 0) call.piece(stamp(), stamp()).piece(stamp(), stamp());
        analysis_.call(call.resolved());
    }

    std::mt19937 random_;
    analyze::Analysis analysis_;
    std::deque<resolve::Process> processes_;
    std::deque<resolve::Thread> threads_;
    std::int64_t start_ns_ = 0, end_ns_ = 0;
};

}  // namespace

TEST_CASE("causes of random runs sum to lifetimes and wall clock, to the nanosecond") {
    for (unsigned seed = 0; seed < 300; ++seed) {
        RandomRun run(seed);
        const analyze::Report report = run.play();
        INFO("seed " << seed);
        CHECK(report.run.wall_ns == run.wall());
        CHECK(report.wall.total_ns == run.wall());
        CHECK(report.threads.total_ns == run.lifetimes());
        std::int64_t wall = 0, threads = 0;
        for (const analyze::CauseLine& line : report.wall.lines) wall += line.total_ns;
        for (const analyze::CauseLine& line : report.threads.lines) threads += line.total_ns;
        CHECK(wall == run.wall());
        CHECK(threads == run.lifetimes());
    }
}
