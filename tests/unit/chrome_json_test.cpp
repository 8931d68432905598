// The JSON export of hand-made runs: order, nesting, lives of reused pids, phases, bounded memory.
#include "render/chrome_json.hpp"

#include <google/protobuf/text_format.h>
#include <sys/socket.h>

#include <cerrno>
#include <deque>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "catch.hpp"
#include "slowtrace/syscalls.hpp"

using namespace slowtrace;
using namespace slowtrace::render;
using nlohmann::json;

namespace {

class StringSink : public ByteSink {
   public:
    void write(std::string_view bytes) override { text += bytes; }
    void commit() override {}
    std::string text;
};

// Times as integers again: "12.345" is 12345 ns.
std::int64_t nanoseconds(const json& event, const char* key) {
    return static_cast<std::int64_t>(event.at(key).get<double>() * 1000 + 0.5);
}

// Tells a ChromeJson a run, call by call.
class Story {
   public:
    explicit Story(std::int64_t start_ns = 1'000'000'000, ExportOptions options = {},
                   std::size_t window_bytes = 24 << 20)
        : start_ns_(start_ns), sink_(options, out_, window_bytes) {
        model::Run run;
        run.set_start_ns(start_ns);
        sink_.run(run);
    }

    resolve::Process& process(int pid, const std::string& name) {
        resolve::Process& process = processes_.emplace_back();
        process.id = ProcessId(static_cast<std::uint32_t>(processes_.size() - 1));
        process.pid = pid;
        process.arguments = {name};
        process.birth_ns = start_ns_;
        sink_.process_started(process);
        return process;
    }
    resolve::Thread& thread(const resolve::Process& process, int tid) {
        resolve::Thread& thread = threads_.emplace_back();
        thread.id = ThreadId(static_cast<std::uint32_t>(threads_.size() - 1));
        thread.tid = tid;
        thread.process = process.id;
        thread.main = tid == process.pid;
        thread.name = "thread " + std::to_string(tid);
        sink_.thread_started(thread);
        return thread;
    }
    resolve::Thread& single(int pid, const std::string& name) { return thread(process(pid, name), pid); }

    static model::Syscall syscall(const char* name, std::int64_t from_ns, std::int64_t to_ns, std::int64_t result = 0) {
        model::Syscall call;
        call.set_abi(model::X86_64);
        call.set_number(static_cast<std::uint32_t>(model::find_syscall(name)->x86_64));
        for (int argument = 0; argument < 6; ++argument) call.add_arguments(0);
        call.set_entry_ns(from_ns);
        call.set_exit_ns(to_ns);
        call.set_result(result);
        return call;
    }
    // Times since the run's start.
    void call(const resolve::Thread& thread, const char* name, std::int64_t from_ns, std::int64_t to_ns,
              std::int64_t result = 0) {
        call(thread, syscall(name, start_ns_ + from_ns, start_ns_ + to_ns, result));
    }
    void call(const resolve::Thread& thread, const model::Syscall& call,
              std::vector<resolve::ResolvedDescriptor> descriptors = {}) {
        sink_.call({.call = call,
                    .row = model::syscall_row(call.abi(), call.number()),
                    .thread = thread,
                    .process = processes_.at(index(thread.process)),
                    .descriptors = descriptors,
                    .watched = {},
                    .child = {}});
    }
    void end(resolve::Thread& thread, std::int64_t time_ns) {
        thread.death_ns = start_ns_ + time_ns;
        sink_.thread_ended(thread);
        ended_threads_.push_back(thread.id);
    }
    void end(resolve::Process& process) {
        sink_.process_ended(process);
        ended_processes_.push_back(process.id);
    }

    // Ends what is alive, as the resolver does for a run without RunEnd, and gives the document.
    const json& finish(std::int64_t time_ns = 1'000'000'000) {
        for (resolve::Thread& thread : threads_)
            if (std::find(ended_threads_.begin(), ended_threads_.end(), thread.id) == ended_threads_.end())
                end(thread, time_ns);
        for (resolve::Process& process : processes_)
            if (std::find(ended_processes_.begin(), ended_processes_.end(), process.id) == ended_processes_.end())
                end(process);
        spilled = sink_.spilled_runs();
        sink_.finish();
        document_ = json::parse(out_.text);
        return document_;
    }
    std::vector<json> of(const std::string& phase) const {
        std::vector<json> events;
        for (const json& event : document_.at("traceEvents"))
            if (event.at("ph") == phase) events.push_back(event);
        return events;
    }
    json named(const std::string& phase, const std::string& name) const {
        for (const json& event : of(phase))
            if (event.at("name") == name) return event;
        FAIL("no " << phase << " named " << name);
        return {};
    }
    std::string process_name(std::uint32_t pid) const {
        for (const json& event : of("M"))
            if (event.at("name") == "process_name" && event.at("pid") == pid) return event.at("args").at("name");
        return "";
    }

    ChromeJson& sink() { return sink_; }
    const std::string& text() const { return out_.text; }
    std::int64_t start_ns() const { return start_ns_; }
    std::size_t spilled = 0;

   private:
    std::int64_t start_ns_;
    StringSink out_;
    ChromeJson sink_;
    std::deque<resolve::Process> processes_;
    std::deque<resolve::Thread> threads_;
    std::vector<ThreadId> ended_threads_;
    std::vector<ProcessId> ended_processes_;
    json document_;
};

// Sorted, longer first, and on each track nested or disjoint; returns the deepest nesting.
std::size_t check_order(const Story& story) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::int64_t>> open;
    std::int64_t time = 0;
    std::size_t deepest = 0;
    for (const char* phase : {"X"})
        for (const json& event : story.of(phase)) {
            const std::int64_t from = nanoseconds(event, "ts"), to = from + nanoseconds(event, "dur");
            REQUIRE(from >= time);
            time = from;
            auto& ends = open[{event.at("pid"), event.at("tid")}];
            while (!ends.empty() && ends.back() <= from) ends.pop_back();
            if (!ends.empty()) REQUIRE(to <= ends.back());
            ends.push_back(to);
            deepest = std::max(deepest, ends.size());
        }
    return deepest;
}

std::shared_ptr<resolve::Connection> tcp_connection(std::uint64_t id, const std::string& host) {
    auto connection = std::make_shared<resolve::Connection>();
    connection->id = id;
    connection->transport = resolve::Transport::tcp;
    connection->peer.transport = resolve::Transport::tcp;
    connection->peer.host = host;
    connection->peer.evidence = resolve::NameEvidence::dns;
    connection->peer.address = "203.0.113.9";
    connection->peer.port = 80;
    connection->state = resolve::ConnectionState::connected;
    return connection;
}

std::vector<resolve::ResolvedDescriptor> on(const std::shared_ptr<resolve::Connection>& connection) {
    auto file = std::make_shared<resolve::OpenFile>();
    file->kind = resolve::FileKind::socket;
    file->connection = connection;
    resolve::ResolvedDescriptor descriptor;
    descriptor.argument = 0;
    descriptor.number = 3;
    descriptor.file = file;
    descriptor.state = connection->state;
    return {descriptor};
}

}  // namespace

TEST_CASE("A call is a slice with its exact times, relative to the start", "[chrome_json]") {
    Story story(1'700'000'000'123'456'789);
    const auto& thread = story.single(42, "sh");
    story.call(thread, "getpid", 1'234'567, 1'234'890, 42);
    const json& document = story.finish();
    CHECK(document.at("displayTimeUnit") == "ns");
    CHECK_THAT(story.text(), Catch::Contains(R"("pid":42,"tid":42,"ts":1234.567,"dur":0.323,"name":"getpid")"));
    CHECK(story.named("X", "getpid").at("args").at("result") == 42);
    CHECK(story.process_name(42) == "sh");
}

TEST_CASE("Metadata comes first and names every process and thread", "[chrome_json]") {
    Story story;
    auto& process = story.process(10, "python3");
    const auto& main = story.thread(process, 10);
    const auto& worker = story.thread(process, 11);
    story.call(worker, "read", 100, 200);
    story.call(main, "read", 50, 400);
    const json& document = story.finish();
    bool events = false;
    for (const json& event : document.at("traceEvents")) {
        if (event.at("ph") != "M") events = true;
        if (event.at("ph") == "M") CHECK_FALSE(events);
    }
    CHECK(story.named("M", "thread_name").at("pid") == 10);
    CHECK(story.of("M").size() == 6);
    CHECK(story.of("X").at(0).at("tid") == 10);
    CHECK(story.of("X").at(1).at("tid") == 11);
}

TEST_CASE("Calls told out of order are written in order, longer first", "[chrome_json]") {
    Story story;
    const auto& thread = story.single(7, "sh");
    const auto& other = story.single(8, "sh");
    story.call(thread, "read", 500, 600);
    story.call(thread, "write", 600, 600);
    story.call(other, "close", 599, 700);
    story.call(thread, "wait4", 400, 900);
    story.call(other, "poll", 0, 599);
    story.finish();
    check_order(story);
    std::vector<std::string> names;
    for (const json& event : story.of("X")) names.push_back(event.at("name"));
    CHECK(names == std::vector<std::string>{"poll", "wait4", "read", "close", "write"});
}

TEST_CASE("An interrupted call encloses the calls of the signal handler", "[chrome_json]") {
    Story story;
    const auto& thread = story.single(7, "sh");
    story.call(thread, "write", 2'000'000, 2'010'000);
    story.call(thread, "rt_sigreturn", 2'020'000, 2'020'000);
    auto call = Story::syscall("read", story.start_ns() + 1'000'000, story.start_ns() + 4'000'000, 5);
    for (const auto& [from, to] : {std::pair{1'000'000, 1'900'000}, std::pair{2'030'000, 4'000'000}}) {
        auto* piece = call.add_pieces();
        piece->set_from_ns(story.start_ns() + from);
        piece->set_to_ns(story.start_ns() + to);
    }
    story.call(thread, call);
    story.finish();
    CHECK(check_order(story) == 2);
    CHECK(story.of("X").at(0).at("name") == "read");
    CHECK(story.of("X").at(0).at("args").at("restarted") == 1);
    CHECK(story.of("X").at(0).at("dur") == 3000);
}

TEST_CASE("A call with the very times of the one it encloses comes first", "[chrome_json]") {
    Story story;
    const auto& thread = story.single(7, "sh");
    story.call(thread, "write", 100, 200);
    story.call(thread, "pause", 100, 200);
    story.finish();
    CHECK(story.of("X").at(0).at("name") == "pause");
}

TEST_CASE("Slices that overlap in part are cut, and say so", "[chrome_json]") {
    Story story;
    const auto& thread = story.single(7, "sh");
    story.call(thread, "read", 100, 300);
    story.call(thread, "write", 200, 400);
    story.finish();
    check_order(story);
    CHECK(story.named("X", "write").at("args").at("cut") == true);
    CHECK(story.named("X", "write").at("dur") == 0.099);
    CHECK_FALSE(story.named("X", "read").at("args").contains("cut"));
}

TEST_CASE("Slices that touch are a nanosecond apart, for viewers compute in doubles", "[chrome_json]") {
    Story story;
    const auto& thread = story.single(7, "sh");
    std::mt19937 random(5);
    std::int64_t time = 1'234'567'890'123;
    for (int number = 0; number < 500; ++number) {
        const std::int64_t end = time + 3 + random() % 999'999;
        story.call(thread, "pause", time, end);
        time = end;  // the next begins with this one's end
    }
    for (int number = 0; number < 500; ++number) {
        const std::int64_t end = time + 10 + random() % 999'999;
        story.call(thread, "write", time + 2 + random() % (end - time - 4), end);  // ends with its parent
        story.call(thread, "pause", time + 1, end);
        time = end;
    }
    story.finish();
    CHECK(check_order(story) == 2);
    std::set<std::int64_t> ends;
    for (const json& event : story.of("X")) {
        const std::int64_t from = nanoseconds(event, "ts"), to = from + nanoseconds(event, "dur");
        REQUIRE(ends.count(from) == 0);
        REQUIRE(ends.insert(to).second);
    }
}

TEST_CASE("The second life of a pid gets a number of its own", "[chrome_json]") {
    Story story;
    auto& first = story.process(42, "first");
    auto& first_thread = story.thread(first, 42);
    story.call(first_thread, "read", 0, 10);
    story.end(first_thread, 20);
    story.end(first);
    auto& second = story.process(42, "second");
    story.call(story.thread(second, 42), "write", 30, 40);
    auto& third = story.process(42, "third");
    story.call(story.thread(third, 42), "close", 50, 60);
    story.finish();
    const auto first_slice = story.named("X", "read"), second_slice = story.named("X", "write"),
               third_slice = story.named("X", "close");
    CHECK(first_slice.at("pid") == 42);
    CHECK(second_slice.at("pid") != 42);
    CHECK(second_slice.at("pid") == second_slice.at("tid"));
    CHECK(third_slice.at("pid") != 42);
    CHECK(third_slice.at("pid") != second_slice.at("pid"));
    CHECK(story.process_name(42) == "first");
    CHECK_THAT(story.process_name(second_slice.at("pid")), Catch::StartsWith("second") && Catch::Contains("42"));
}

TEST_CASE("Reused tids and impossible numbers become numbers that are free", "[chrome_json]") {
    Story story;
    auto& process = story.process(100, "sh");
    auto& first = story.thread(process, 101);
    story.call(first, "read", 0, 10);
    story.end(first, 10);
    story.call(story.thread(process, 101), "write", 20, 30);
    story.call(story.single(-5, "negative"), "close", 40, 50);
    story.call(story.single(0, "zero"), "dup", 40, 50);
    story.call(story.single(2'000'000'000, "huge"), "poll", 40, 50);
    story.finish();
    std::map<std::pair<std::uint32_t, std::uint32_t>, int> tracks;
    for (const json& event : story.of("X")) {
        CHECK(event.at("pid").get<std::int64_t>() > 0);
        CHECK(event.at("pid").get<std::int64_t>() < std::int64_t{1} << 31);
        ++tracks[{event.at("pid"), event.at("tid")}];
    }
    CHECK(tracks.size() == 5);
}

TEST_CASE("Thousands of processes share lanes, each a slice of its own there", "[chrome_json]") {
    Story story;
    const int count = 2500;
    for (int number = 0; number < count; ++number) {
        const std::int64_t birth = number * 10'000;
        auto& process = story.process(10 + number * 3, "job " + std::to_string(number));
        process.birth_ns = story.start_ns() + birth;
        auto& main = story.thread(process, process.pid);
        auto& worker = story.thread(process, process.pid + 1);
        story.call(main, "read", birth + 1000, birth + 2000);
        story.call(worker, "write", birth + 3000, birth + 4000);
        story.end(worker, birth + 8000);
        story.end(main, birth + 9000);
        process.death_ns = story.start_ns() + birth + 9000;
        story.end(process);
    }
    story.finish();
    CHECK(check_order(story) == 2);
    std::set<std::uint32_t> pids, names;
    std::set<std::pair<std::uint32_t, std::uint32_t>> tracks;
    int calls = 0;
    for (const json& event : story.of("X")) {
        pids.insert(event.at("pid").get<std::uint32_t>());
        tracks.emplace(event.at("pid"), event.at("tid"));
        CHECK_FALSE(event.at("args").contains("cut"));
        if (event.at("cat") != "life") ++calls;
    }
    for (const json& event : story.of("M"))
        if (event.at("name") == "process_name") CHECK(names.insert(event.at("pid").get<std::uint32_t>()).second);
    CHECK(calls == 2 * count);
    CHECK(pids.size() == 1000);
    CHECK(pids == names);
    CHECK(tracks.size() == 2000);
    CHECK(story.named("X", "job 7").at("args").at("pid") == 31);
    CHECK(story.named("X", "job 2499").at("ts") == 24'990);
}

TEST_CASE("A call cut short by death is unfinished and ends with its thread", "[chrome_json]") {
    Story story;
    auto& thread = story.single(7, "sh");
    auto ended = Story::syscall("pause", story.start_ns() + 100, story.start_ns() + 700);
    ended.set_ending(model::Syscall::DIED);
    auto open = Story::syscall("read", story.start_ns() + 50, 0);
    open.set_ending(model::Syscall::DIED);
    story.call(thread, ended);
    story.call(thread, open);
    story.end(thread, 900);
    story.finish();
    check_order(story);
    CHECK(story.named("X", "pause").at("args").at("unfinished") == true);
    CHECK(story.named("X", "pause").at("dur") == 0.6);
    CHECK(story.named("X", "read").at("args").at("unfinished") == true);
    CHECK(story.named("X", "read").at("dur") == 0.85);
    CHECK_FALSE(story.named("X", "read").at("args").contains("result"));
}

TEST_CASE("A call that began before the recording begins with it", "[chrome_json]") {
    Story story;
    const auto& thread = story.single(7, "sh");
    auto call = Story::syscall("poll", story.start_ns() - 500, story.start_ns() + 1000, 1);
    call.set_began_before(true);
    story.call(thread, call);
    story.finish();
    CHECK_THAT(story.text(), Catch::Contains(R"("ts":0.000,"dur":1.000)"));
    CHECK(story.named("X", "poll").at("args").at("at_least") == true);
}

TEST_CASE("Names and paths that are not UTF-8 stay readable text", "[chrome_json]") {
    Story story;
    const auto& thread = story.single(7, "caf\xe9\n\x1b[31m");
    auto call = Story::syscall("openat", story.start_ns(), story.start_ns() + 10, -ENOENT);
    auto* captured = call.add_captured();
    captured->set_argument(1);
    captured->set_path("/tmp/\xff\xfe \U0001f600");
    story.call(thread, call);
    story.finish();
    CHECK(story.process_name(7) == R"(caf\xe9\n\x1b[31m)");
    CHECK(story.named("X", "openat").at("args").at("error") == "ENOENT");
    CHECK(story.named("X", "openat").at("args").dump().find("\U0001f600") != std::string::npos);
    for (const char byte : story.text()) REQUIRE((static_cast<unsigned char>(byte) >= 0x20 || byte == '\n'));
}

TEST_CASE("Sixty-four bits are written as text", "[chrome_json]") {
    Story story;
    const auto& thread = story.single(7, "sh");
    auto call = Story::syscall("mmap", story.start_ns(), story.start_ns() + 10, 0x7fff'ffff'f000);
    call.set_arguments(0, ~std::uint64_t{0});
    story.call(thread, call);
    story.call(thread, "lseek", 20, 30, std::int64_t{1} << 60);
    story.finish();
    CHECK(story.named("X", "mmap").at("args").at("result") == "0x7ffffffff000");
    CHECK(story.named("X", "lseek").at("args").at("result") == "0x1000000000000000");
}

TEST_CASE("Calls below the minimum are left out", "[chrome_json]") {
    Story story(0, {.min_duration_ns = 1000});
    const auto& thread = story.single(7, "sh");
    story.call(thread, "read", 0, 999);
    story.call(thread, "write", 2000, 3000);
    story.finish();
    REQUIRE(story.of("X").size() == 1);
    CHECK(story.of("X").at(0).at("name") == "write");
}

TEST_CASE("A wait's category is its cause, a quick call's its class", "[chrome_json]") {
    Story story;
    const auto& thread = story.single(7, "sh");
    story.call(thread, "clock_nanosleep", 0, 5'000'000);
    story.call(thread, "openat", 6'000'000, 6'000'100, 3);
    story.finish();
    CHECK(story.named("X", "clock_nanosleep").at("cat") == "sleep");
    CHECK_FALSE(story.named("X", "clock_nanosleep").at("args").at("cause").get<std::string>().empty());
    CHECK(story.named("X", "openat").at("cat") == "file");
    CHECK_FALSE(story.named("X", "openat").at("args").contains("cause"));
}

TEST_CASE("Signals are instants, job stops are slices", "[chrome_json]") {
    Story story;
    const auto& thread = story.single(7, "sh");
    model::Signal signal;
    signal.set_time_ns(story.start_ns() + 100);
    signal.set_number(17);
    signal.set_sender_pid(8);
    story.sink().signal(thread, signal);
    model::JobStop stop;
    stop.set_from_ns(story.start_ns() + 200);
    stop.set_to_ns(story.start_ns() + 500);
    stop.set_signal(20);
    story.sink().job_stop(thread, stop);
    story.call(thread, "read", 150, 600);
    story.finish();
    check_order(story);
    CHECK(story.named("i", "SIGCHLD").at("args").at("detail") == "SIGCHLD from pid 8");
    CHECK(story.named("i", "SIGCHLD").at("s") == "t");
    CHECK(story.named("X", "stopped by SIGTSTP").at("dur") == 0.3);
}

namespace {

// Tells the stretches of one exchange: request, first byte and transfer of `ms` milliseconds each.
void tell_exchange(Story& story, const resolve::Connection& connection, std::uint64_t number, std::int64_t from_ns,
                   std::int64_t each_ns, std::uint64_t sent, std::uint64_t received) {
    using resolve::Phase;
    const auto tell = [&](Phase phase, std::int64_t at, std::uint64_t out, std::uint64_t in) {
        story.sink().phase(connection, {.phase = phase,
                                        .from_ns = story.start_ns() + from_ns + at * each_ns,
                                        .to_ns = story.start_ns() + from_ns + (at + 1) * each_ns,
                                        .bytes_sent = out,
                                        .bytes_received = in,
                                        .exchange = number,
                                        .peer = connection.peer});
    };
    tell(Phase::request, 0, sent, 0);
    tell(Phase::first_byte, 1, 0, 0);
    tell(Phase::transfer, 2, 0, received);
}

std::map<std::string, std::vector<std::int64_t>> counters_of(const Story& story) {
    std::map<std::string, std::vector<std::int64_t>> counters;
    for (const json& event : story.of("C")) counters[event.at("name")].push_back(event.at("args").begin().value());
    return counters;
}

}  // namespace

TEST_CASE("A connection is a track with its phases inside its life", "[chrome_json]") {
    Story story;
    const std::int64_t start = story.start_ns(), ms = 1'000'000;
    const auto& thread = story.single(7, "curl");
    const auto connection = tcp_connection(0, "pypi.example.com");
    connection->claims = {{resolve::NameEvidence::dns, "pypi.example.com", 0},
                          {resolve::NameEvidence::http_host, "pypi.example.com", 80}};
    connection->requests = 1;
    connection->tcp.emplace().set_rtt_ns(12 * ms);
    connection->tcp->set_retransmits(2);
    story.sink().connection_opened(*connection, start + 1 * ms);
    story.sink().connect_attempt({.connection = connection.get(),
                                  .thread = thread.id,
                                  .from_ns = start + 1 * ms,
                                  .to_ns = start + 3 * ms,
                                  .outcome = resolve::AttemptOutcome::connected});
    story.sink().phase(*connection, {.phase = resolve::Phase::connect,
                                     .from_ns = start + 1 * ms,
                                     .to_ns = start + 3 * ms,
                                     .peer = connection->peer});
    connection->bytes_sent = 100;
    story.call(thread, Story::syscall("sendto", start + 4 * ms, start + 5 * ms, 100), on(connection));
    connection->bytes_received = 3000;
    story.call(thread, Story::syscall("recvfrom", start + 9 * ms, start + 12 * ms, 3000), on(connection));
    tell_exchange(story, *connection, 1, 3 * ms, 3 * ms, 100, 3000);
    story.sink().connection_closed(*connection, start + 30 * ms);
    story.finish();
    CHECK(check_order(story) == 2);

    std::vector<std::pair<std::string, std::int64_t>> track;
    std::int64_t end = -1;
    for (const json& event : story.of("X")) {
        if (event.at("cat") != "connection") continue;
        track.emplace_back(event.at("name"), (nanoseconds(event, "dur") + 2) / ms);
        // Phases leave no gap but the nanosecond that keeps them apart in doubles.
        if (track.size() > 2) CHECK(nanoseconds(event, "ts") == end + 1);
        end = nanoseconds(event, "ts") + nanoseconds(event, "dur");
    }
    CHECK(track ==
          std::vector<std::pair<std::string, std::int64_t>>{
              {"pypi.example.com:80", 29}, {"connect", 2}, {"request", 3}, {"first byte", 3}, {"transfer", 3}});
    const json life = story.named("X", "pypi.example.com:80");
    CHECK(story.process_name(life.at("pid")) == "connections");
    const json& arguments = life.at("args");
    CHECK(arguments.at("bytes_received") == 3000);
    CHECK(arguments.at("claims") == "the program's DNS answer: pypi.example.com; HTTP Host: pypi.example.com");
    CHECK(arguments.at("requests") == 1);
    CHECK(arguments.at("rtt") == "12.0ms");
    CHECK(arguments.at("retransmits") == 2);
    CHECK(story.named("X", "connect").at("args").at("detail") == "connected");
    CHECK(story.named("X", "transfer").at("args").at("bytes_received") == 3000);
    CHECK(story.named("X", "transfer").at("args").at("request") == 1);
    CHECK(story.named("X", "recvfrom").at("args").at("endpoint") == "pypi.example.com:80");

    auto counters = counters_of(story);
    CHECK(counters["open connections"] == std::vector<std::int64_t>{1, 0});
    CHECK(counters["bytes received"] == std::vector<std::int64_t>{3000});
    CHECK(counters["bytes sent"] == std::vector<std::int64_t>{100});
    CHECK(counters["in flight, pypi.example.com:80"] == std::vector<std::int64_t>{1, 0});
    CHECK(counters["received, pypi.example.com:80"].empty());  // too short to time
}

TEST_CASE("A proxied connection tells its target, its proxy and the process that serves it", "[chrome_json]") {
    Story story;
    story.single(7, "curl");
    const auto connection = tcp_connection(0, "files.example.com");
    connection->peer.port = 443;
    connection->peer.evidence = resolve::NameEvidence::http_connect;
    connection->peer.carrier = "proxy.test:3128";
    connection->local_peer = resolve::LocalPeer{77, "tinyproxy", {}, true};
    story.sink().connection_opened(*connection, story.start_ns());
    story.sink().connection_closed(*connection, story.start_ns() + 5'000'000);
    story.finish();
    const json life = story.named("X", "files.example.com:443 (through proxy.test:3128) (tinyproxy)");
    CHECK(life.at("args").at("carrier") == "proxy.test:3128");
    CHECK(life.at("args").at("evidence") == "HTTP CONNECT target");
    CHECK(life.at("args").at("local_peer") == "tinyproxy");
    CHECK(life.at("args").at("local_peer_pid") == 77);
}

TEST_CASE("The tracks of one endpoint's connections stand together", "[chrome_json]") {
    Story story;
    story.single(7, "crawler");
    for (const int number : {0, 1, 2, 3, 4, 5}) {
        const auto connection =
            tcp_connection(static_cast<std::uint64_t>(number), number % 2 ? "b.example.org" : "a.example.org");
        story.sink().connection_opened(*connection, story.start_ns() + number);
        story.sink().connection_closed(*connection, story.start_ns() + 1'000'000 + number);
    }
    story.finish();
    std::map<std::uint32_t, std::string> names;
    std::map<std::uint32_t, std::uint32_t> positions;
    const json life = story.named("X", "a.example.org:80");
    for (const json& event : story.of("M")) {
        if (event.at("pid") != life.at("pid")) continue;
        if (event.at("name") == "thread_name") names[event.at("tid")] = event.at("args").at("name");
        if (event.at("name") == "thread_sort_index") positions[event.at("args").at("sort_index")] = event.at("tid");
    }
    std::vector<std::string> order;
    for (const auto& [position, tid] : positions) order.push_back(names.at(tid));
    CHECK(order == std::vector<std::string>{"a.example.org:80", "a.example.org:80", "a.example.org:80",
                                            "b.example.org:80", "b.example.org:80", "b.example.org:80"});
}

TEST_CASE("Only the busiest endpoints get counters", "[chrome_json]") {
    Story story;
    story.single(7, "crawler");
    for (std::uint64_t number = 0; number < 50; ++number) {
        const auto connection = tcp_connection(number, "host" + std::to_string(number) + ".test");
        story.sink().connection_opened(*connection, story.start_ns());
        tell_exchange(story, *connection, 1, static_cast<std::int64_t>(number), 20'000'000, 10, 1000 * (number + 1));
        story.sink().connection_closed(*connection, story.start_ns() + 200'000'000);
    }
    story.finish();
    const auto counters = counters_of(story);
    CHECK(counters.count("in flight, host49.test:80") == 1);
    CHECK(counters.count("in flight, host30.test:80") == 1);
    CHECK(counters.count("in flight, host29.test:80") == 0);
    CHECK(counters.at("received, host49.test:80") == std::vector<std::int64_t>{2'500'000, 0});
}

TEST_CASE("Many connections share tracks, one after the other", "[chrome_json]") {
    Story story;
    story.single(7, "crawler");
    const int count = 2000;
    for (int number = 0; number < count; ++number) {
        const auto connection = tcp_connection(static_cast<std::uint64_t>(number), "cdn.example.net");
        story.sink().connection_opened(*connection, story.start_ns() + number * 1000);
        story.sink().connection_closed(*connection, story.start_ns() + number * 1000 + 900);
    }
    story.finish();
    check_order(story);
    std::map<std::uint32_t, int> tracks;
    for (const json& event : story.of("X"))
        if (event.at("name") == "cdn.example.net:80") ++tracks[event.at("tid")];
    int slices = 0;
    for (const auto& [tid, number] : tracks) slices += number;
    CHECK(slices == count);
    CHECK(tracks.size() < 1000);
}

TEST_CASE("A small window spills to a file and gives the same document", "[chrome_json]") {
    const auto tell = [](std::size_t window_bytes, std::size_t& spilled) {
        Story story(5, {}, window_bytes);
        std::mt19937 random(11);
        std::vector<resolve::Thread*> threads;
        for (int pid = 100; pid < 110; ++pid) threads.push_back(&story.single(pid, "worker"));
        for (std::int64_t number = 0; number < 3000; ++number) {
            const std::int64_t from = number * 1000;
            story.call(*threads[random() % threads.size()], "read", from, from + random() % 900);
            if (number % 1000 == 999) story.call(*threads[0], "wait4", 0, from + 950);  // from the very beginning
        }
        story.finish();
        spilled = story.spilled;
        check_order(story);
        CHECK(story.of("X").size() == 3003);
        return story.text();
    };
    std::size_t without = 1, with = 0;
    const std::string whole = tell(24 << 20, without);
    const std::string merged = tell(10'000, with);
    CHECK(without == 0);
    CHECK(with > 30);
    CHECK(whole == merged);
}

TEST_CASE("A run without events is a whole document", "[chrome_json]") {
    Story story;
    CHECK(story.finish().at("traceEvents").empty());
}

TEST_CASE("Times of a damaged trace stay in range", "[chrome_json]") {
    Story story(std::numeric_limits<std::int64_t>::max() - 10);
    const auto& thread = story.single(7, "sh");
    auto call =
        Story::syscall("read", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
    story.call(thread, call);
    call.set_exit_ns(std::numeric_limits<std::int64_t>::min());
    story.call(thread, call);
    model::JobStop stop;
    stop.set_from_ns(std::numeric_limits<std::int64_t>::max());
    story.sink().job_stop(thread, stop);
    story.finish(5);
    for (const json& event : story.of("X")) {
        CHECK(event.at("ts").get<double>() >= 0);
        CHECK(event.at("dur").get<double>() >= 0);
    }
}

TEST_CASE("Lost events are told on the root's track", "[chrome_json]") {
    Story story;
    story.single(7, "sh");
    model::Loss loss;
    loss.set_time_ns(story.start_ns() + 100);
    loss.set_events(12);
    loss.set_reason("the file ends in the middle of a block");
    story.sink().loss(loss);
    story.finish();
    CHECK(story.named("i", "events lost").at("args").at("events") == 12);
    CHECK(story.named("i", "events lost").at("pid") == 7);
}

namespace {

// A run in text, played as a reader would.
class TextRun : public EventSource {
   public:
    explicit TextRun(const std::string& text) { REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &trace_)); }
    void replay(EventSink& sink) override {
        for (const model::Event& event : trace_.events())
            if (event.has_syscall())
                sink.syscall(event.syscall());
            else
                sink.event(event);
    }

   private:
    model::Trace trace_;
};

json export_run(const std::string& text) {
    TextRun run(text);
    StringSink out;
    const Exporter* exporter = find_exporter("json");
    REQUIRE(exporter != nullptr);
    exporter->write(run, {}, out);
    return json::parse(out.text);
}

json event_named(const json& document, const std::string& phase, const std::string& name) {
    for (const json& event : document.at("traceEvents"))
        if (event.at("ph") == phase && event.at("name") == name) return event;
    FAIL("no " << phase << " named " << name);
    return {};
}

}  // namespace

TEST_CASE("A run that was killed is a whole document", "[chrome_json]") {
    const json document = export_run(R"(
        events { run { argv: "sh" start_ns: 1000000 } }
        events { birth { thread: 0 process: 0 tid: 50 pid: 50 kind: ROOT time_ns: 1000000 name: "sh" } }
        events { exec { thread: 0 time_ns: 1100000 path: "/bin/sh" argv: "sh" argv: "-c" } }
        events { birth { thread: 1 process: 1 tid: 51 pid: 51 kind: FORK has_parent: true parent_thread: 0
                         time_ns: 2000000 name: "sh" } }
        events { syscall { thread: 0 abi: X86_64 number: 39 entry_ns: 3000000 exit_ns: 3000500 result: 50 } }
        events { syscall { thread: 1 abi: X86_64 number: 34 entry_ns: 2500000 exit_ns: 9000000 ending: DIED } })");
    CHECK(event_named(document, "X", "getpid").at("pid") == 50);
    const json pause = event_named(document, "X", "pause");
    CHECK(pause.at("pid") == 51);
    CHECK(pause.at("args").at("unfinished") == true);
    CHECK(pause.at("dur") == 6500);
    CHECK(event_named(document, "i", "exec sh").at("args").at("detail") == "sh -c");
    CHECK(event_named(document, "M", "process_name").at("args").at("name") == "sh");
}

TEST_CASE("A connection the resolver tells has its phases and its name", "[chrome_json]") {
    const json document = export_run(R"(
        events { run { argv: "curl" start_ns: 0 } }
        events { birth { thread: 0 process: 0 tid: 50 pid: 50 kind: ROOT time_ns: 0 name: "curl" } }
        events { syscall { thread: 0 abi: X86_64 number: 41 arguments: [2, 1, 0, 0, 0, 0]
                           entry_ns: 1000000 exit_ns: 1001000 result: 3 } }
        events { syscall { thread: 0 abi: X86_64 number: 42 arguments: [3, 4096, 16, 0, 0, 0]
                           entry_ns: 2000000 exit_ns: 5000000 result: -111
                           captured { argument: 1 address { family: 2 ip: "\313\000\161\011" port: 80 } } } }
        events { syscall { thread: 0 abi: X86_64 number: 3 arguments: [3, 0, 0, 0, 0, 0]
                           entry_ns: 6000000 exit_ns: 6001000 } }
        events { end { time_ns: 7000000 has_status: true } })");
    json connect, phase;  // the call's, and the connection's
    for (const json& event : document.at("traceEvents"))
        if (event.at("name") == "connect") (event.at("cat") == "connection" ? phase : connect) = event;
    CHECK(connect.at("cat") == "connect");
    CHECK(connect.at("args").at("endpoint") == "203.0.113.9:80");
    CHECK(connect.at("args").at("error") == "ECONNREFUSED");
    const json life = event_named(document, "X", "203.0.113.9:80");
    CHECK(life.at("args").at("connect") == "refused");
    CHECK(phase.at("args").at("detail") == "refused");
    CHECK(phase.at("dur") == 3000);
    CHECK(phase.at("tid") == life.at("tid"));
    CHECK(life.at("dur") == 4001);
}

namespace {

json export_fixture(const std::string& name) {
    std::ifstream in("fixtures/traces/" + name + ".txtpb");
    REQUIRE(in);
    return export_run({std::istreambuf_iterator<char>(in), {}});
}

// How many slices of connections are called so.
std::size_t lives_named(const json& document, const std::string& name) {
    std::size_t lives = 0;
    for (const json& event : document.at("traceEvents"))
        lives += event.at("ph") == "X" && event.at("cat") == "connection" && event.at("name") == name;
    return lives;
}

}  // namespace

TEST_CASE("Two hosts at one address, a proxy's target and a race are told apart in the viewer", "[chrome_json]") {
    const json names = export_fixture("report-two-names");
    CHECK(lives_named(names, "a.example.com:443") == 1);
    CHECK(lives_named(names, "b.example.com:443") == 1);
    CHECK(lives_named(names, "tls") == 2);
    CHECK(event_named(names, "X", "a.example.com:443").at("args").at("evidence") == "TLS SNI");
    CHECK(event_named(names, "C", "in flight, b.example.com:443").at("args").at("requests") == 1);

    const json proxy = export_fixture("report-proxy");
    const json tunnel = event_named(proxy, "X", "files.example.com:443 (through proxy.test:3128)");
    CHECK(tunnel.at("args").at("carrier") == "proxy.test:3128");
    CHECK(tunnel.at("args").at("retransmits") == 2);
    std::set<std::string> requested;
    for (const json& event : proxy.at("traceEvents"))
        if (event.at("name") == "request") requested.insert(event.at("args").at("endpoint"));
    CHECK(requested.count("pypi.example.com:80 (through proxy.test:3128)") == 1);
    CHECK(requested.count("mirror.example.org:80 (through proxy.test:3128)") == 1);

    const json race = export_fixture("report-race");
    CHECK(lives_named(race, "dual.example.com:80") == 2);
    std::size_t lost = 0;
    for (const json& event : race.at("traceEvents"))
        if (event.at("name") == "dual.example.com:80") lost += event.at("args").contains("lost_race");
    CHECK(lost == 1);
}
