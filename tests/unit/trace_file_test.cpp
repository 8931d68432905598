// The trace file keeps every fact, costs little, and tells what it cannot give back.
#include "slowtrace/trace_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <iostream>

#include "catch.hpp"
#include "events_for_test.hpp"
#include "slowtrace/error.hpp"
#include "temporary_directory.hpp"
#include "trace/format.hpp"

namespace slowtrace::trace {
namespace {

using Events = std::vector<model::Event>;
using test::read_file;
using test::write_file;

Events read_back(const std::string& path) {
    test::KeepAll kept;
    TraceReader(path).replay(kept);
    return kept.events;
}

void write_trace(const std::string& path, const Events& events) {
    TraceWriter writer(path);
    test::play(events, writer);
}

std::string error_of(const std::string& path) {
    try {
        test::KeepAll kept;
        open_trace(path)->replay(kept);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

model::Event run_event() {
    model::Event event;
    event.mutable_run()->add_argv("dd");
    event.mutable_run()->set_start_ns(1'000);
    return event;
}

model::Event end_event(std::int64_t time_ns) {
    model::Event event;
    event.mutable_end()->set_time_ns(time_ns);
    event.mutable_end()->set_has_status(true);
    return event;
}

// What `dd bs=1` looks like: read and write in turn, times that jitter as measured ones do.
class CopyTraffic {
   public:
    const model::Syscall& next() {
        const bool writing = (count_++ & 1) != 0;
        call_.set_abi(model::X86_64);
        call_.set_number(writing ? 1 : 0);
        call_.mutable_arguments()->Resize(6, 0);
        call_.set_arguments(0, writing ? 1 : 0);
        call_.set_arguments(1, 0x55d0c0ffe000);
        call_.set_arguments(2, 1);
        call_.set_arguments(3, 22);
        call_.set_result(1);
        call_.set_instruction_pointer(writing ? 0x7f0000114a90 : 0x7f00001149f0);
        call_.set_entry_ns(now_ += 4'000 + jitter_(random_));
        call_.set_exit_ns(now_ += 3'000 + jitter_(random_));
        call_.set_queue_delay_ns(0);
        return call_;
    }

   private:
    model::Syscall call_;
    std::uint64_t count_ = 0;
    std::int64_t now_ = 1'000'000'000;
    std::mt19937 random_{1};
    std::geometric_distribution<std::int64_t> jitter_{0.003};
};

TEST_CASE("every kind of event and every captured value comes back as it was", "[trace]") {
    const test::TemporaryDirectory directory;
    for (unsigned seed = 0; seed < 150; ++seed) {
        test::RandomMessages random(seed);
        Events events;
        for (int i = 0; i < 3; ++i)
            for (model::Event& event : random.one_of_each_kind()) events.push_back(std::move(event));
        for (model::Event& event : events)
            if (event.has_syscall()) *event.mutable_syscall() = random.call();
        events.push_back(end_event(1));
        const std::string path = directory.file(std::to_string(seed));
        write_trace(path, events);
        INFO("seed " << seed);
        REQUIRE(test::same(events, read_back(path)));
    }
}

TEST_CASE("calls keep their order and values across blocks", "[trace]") {
    const test::TemporaryDirectory directory;
    test::RandomMessages random(7);
    Events events;
    for (int i = 0; i < 60'000; ++i) {
        model::Syscall& call = *events.emplace_back().mutable_syscall();
        call.set_thread(static_cast<std::uint32_t>(i % 3));
        call.set_number(static_cast<std::uint32_t>(random.number() % 400));
        for (int n = 0; n < 6; ++n) call.add_arguments(random.number());
        call.set_entry_ns(i * 1'000);
        call.set_exit_ns(i * 1'000 + 700);
        call.set_result(static_cast<std::int64_t>(random.number()));
        if (i % 1'000 == 0) {
            call.add_captured()->set_path("/usr/lib/" + std::to_string(i % 7));
            *events.emplace_back().mutable_run() = run_event().run();
        }
    }
    write_trace(directory.file("t"), events);
    REQUIRE(test::same(events, read_back(directory.file("t"))));
}

TEST_CASE("a call with fewer than six arguments keeps their number", "[trace]") {
    const test::TemporaryDirectory directory;
    Events events(3);
    events[0].mutable_syscall()->add_arguments(3);
    events[1].mutable_syscall();
    for (int i = 0; i < 6; ++i) events[2].mutable_syscall()->add_arguments(9);
    write_trace(directory.file("t"), events);
    REQUIRE(test::same(events, read_back(directory.file("t"))));
}

TEST_CASE("a trace can be played again", "[trace]") {
    const test::TemporaryDirectory directory;
    write_trace(directory.file("t"), {run_event(), end_event(5)});
    TraceReader reader(directory.file("t"));
    test::KeepAll first, second;
    reader.replay(first);
    reader.replay(second);
    REQUIRE(first.events.size() == 2);
    REQUIRE(test::same(first.events, second.events));
}

TEST_CASE("a call costs few octets and little time", "[trace]") {
    const test::TemporaryDirectory directory;
    constexpr int calls = 1'000'000;
    TraceWriter writer(directory.file("t"));
    CopyTraffic traffic;
    std::chrono::nanoseconds making{}, writing{};
    using Clock = std::chrono::steady_clock;
    for (int i = 0; i < calls; ++i) traffic.next();
    CopyTraffic again;
    auto start = Clock::now();
    for (int i = 0; i < calls; ++i) again.next();
    making = Clock::now() - start;
    CopyTraffic written;
    start = Clock::now();
    for (int i = 0; i < calls; ++i) writer.syscall(written.next());
    writer.close();
    writing = Clock::now() - start;
    const double octets = static_cast<double>(writer.bytes_written()) / calls;
    std::cout << "trace file: " << octets << " octets a call, " << (writing - making).count() / calls
              << " ns a call to write\n";
    REQUIRE(octets <= 16);
    REQUIRE(read_back(directory.file("t")).size() == calls);
}

TEST_CASE("a writer that is never closed has lost a second at most", "[trace]") {
    const test::TemporaryDirectory directory;
    TraceWriter writer(directory.file("t"));
    model::Syscall call;
    for (std::int64_t second = 1; second <= 10; ++second) {
        call.set_entry_ns(second * 400'000'000);
        call.set_exit_ns(second * 400'000'000 + 5);
        writer.syscall(call);
    }
    const Events events = read_back(directory.file("t"));
    REQUIRE(events.size() >= 8);
    REQUIRE(events.back().has_loss());
    REQUIRE(events.back().loss().reason().find("end mark is missing") != std::string::npos);
}

TEST_CASE("a writer that is never closed has told the command from its exec on", "[trace]") {
    const test::TemporaryDirectory directory;
    TraceWriter writer(directory.file("t"));
    model::Event exec;
    exec.mutable_exec()->set_path("/usr/bin/sleep");
    writer.event(run_event());
    writer.event(exec);
    const Events events = read_back(directory.file("t"));
    REQUIRE(events.size() == 3);
    REQUIRE(events[0].has_run());
    REQUIRE(events[1].has_exec());
    REQUIRE(events[2].has_loss());
}

TEST_CASE("a trace is private and never overwritten unasked", "[trace]") {
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("t");
    write_trace(path, {run_event()});
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    REQUIRE((status.st_mode & 07777) == 0600);
    REQUIRE_THROWS_WITH(TraceWriter(path), Catch::Contains(path) && Catch::Contains("exists already"));
    REQUIRE(read_back(path).size() == 1);

    REQUIRE(::chmod(path.c_str(), 0644) == 0);
    {
        TraceWriter writer(path, true);
        test::play({run_event(), end_event(2)}, writer);
    }
    REQUIRE(read_back(path).size() == 2);
    REQUIRE(::stat(path.c_str(), &status) == 0);
    REQUIRE((status.st_mode & 07777) == 0600);
}

TEST_CASE("only a regular file is overwritten", "[trace]") {
    const test::TemporaryDirectory directory;
    REQUIRE_THROWS_WITH(TraceWriter("/dev/null", true), Catch::Contains("not a regular file"));
    REQUIRE(::mkfifo(directory.file("fifo").c_str(), 0600) == 0);
    REQUIRE_THROWS_AS(TraceWriter(directory.file("fifo"), true), Error);
    REQUIRE_THROWS_AS(TraceWriter(directory.file(""), true), Error);
    REQUIRE_THROWS_WITH(TraceWriter(directory.file("no/such/t")), Catch::Contains("No such file"));
}

// Limits the size of files this process writes, as a full disk would.
class FileSizeLimit {
   public:
    explicit FileSizeLimit(rlim_t octets) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        former_handler_ = ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{octets, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        ::signal(SIGXFSZ, former_handler_);
    }

   private:
    rlimit before_{};
    void (*former_handler_)(int) = SIG_DFL;
};

TEST_CASE("on a full disk the trace stays readable and says what was lost", "[trace]") {
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("t");
    constexpr int calls = 200'000;
    std::uint64_t lost = 0;
    {
        const FileSizeLimit limit(300'000);
        TraceWriter writer(path);
        writer.event(run_event());
        CopyTraffic traffic;
        for (int i = 0; i < calls; ++i) writer.syscall(traffic.next());
        writer.event(end_event(9));
        writer.close();
        lost = writer.lost_events();
        REQUIRE(writer.lost_reason().find("File too large") != std::string::npos);
        REQUIRE(writer.bytes_written() == std::filesystem::file_size(path));
    }
    const Events events = read_back(path);
    REQUIRE(lost > 0);
    REQUIRE(events.size() == 1 + (calls - lost) + 2);
    REQUIRE(events.front().has_run());
    REQUIRE(events[events.size() - 2].loss().events() == lost);
    REQUIRE(events.back().has_end());
}

TEST_CASE("a disk full from the start does not stop the writer", "[trace]") {
    const test::TemporaryDirectory directory;
    {
        const FileSizeLimit limit(4);
        TraceWriter writer(directory.file("t"));
        test::play({run_event(), end_event(1)}, writer);
        writer.close();
        REQUIRE(writer.lost_events() == 2);
        REQUIRE(writer.bytes_written() == 0);
    }
    REQUIRE(error_of(directory.file("t")).find("empty") != std::string::npos);
}

TEST_CASE("an event too large to keep is counted, the others stay", "[trace]") {
    const test::TemporaryDirectory directory;
    model::Event large;
    large.mutable_exec()->set_path(std::string(max_event_bytes + 1, 'x'));
    write_trace(directory.file("t"), {run_event(), large, end_event(3)});
    const Events events = read_back(directory.file("t"));
    REQUIRE(events.size() == 3);
    REQUIRE(events[1].loss().events() == 1);
    REQUIRE(events[2].has_end());
}

// A small trace of three blocks, and how many events are whole up to each of its octets.
Events small_run() {
    Events events{run_event()};
    CopyTraffic traffic;
    for (int i = 0; i < 30; ++i) {
        model::Syscall& call = *events.emplace_back().mutable_syscall();
        call = traffic.next();
        call.set_entry_ns(call.entry_ns() + i / 10 * 2'000'000'000LL);
        call.set_exit_ns(call.exit_ns() + i / 10 * 2'000'000'000LL);
        call.add_captured()->set_path("/etc/hosts");
    }
    events.push_back(end_event(9'000'000'000));
    return events;
}

// Plays a damaged file: what comes must be a true beginning of the run, then the loss; or an Error.
void require_beginning(const std::string& path, const Events& run) {
    test::KeepAll kept;
    try {
        TraceReader(path).replay(kept);
    } catch (const Error& error) {
        REQUIRE(kept.events.empty());
        REQUIRE(std::string(error.what()).find(path) != std::string::npos);
        return;
    }
    REQUIRE(kept.events.back().has_loss());
    REQUIRE(kept.events.back().loss().reason().find("octet") != std::string::npos);
    kept.events.pop_back();
    REQUIRE(kept.events.size() <= run.size());
    REQUIRE(test::same(kept.events, Events(run.begin(), run.begin() + static_cast<long>(kept.events.size()))));
}

TEST_CASE("cut off anywhere, a trace plays its whole blocks", "[trace]") {
    const test::TemporaryDirectory directory;
    const Events run = small_run();
    write_trace(directory.file("whole"), run);
    const std::string whole = read_file(directory.file("whole"));
    REQUIRE(test::same(run, read_back(directory.file("whole"))));
    for (std::size_t size = 1; size < whole.size(); ++size) {
        write_file(directory.file("cut"), whole.substr(0, size));
        INFO("cut to " << size << " of " << whole.size());
        require_beginning(directory.file("cut"), run);
    }
    write_file(directory.file("more"), whole + "x");
    require_beginning(directory.file("more"), run);
}

TEST_CASE("no flipped bit passes for a fact", "[trace]") {
    const test::TemporaryDirectory directory;
    const Events run = small_run();
    write_trace(directory.file("whole"), run);
    const std::string whole = read_file(directory.file("whole"));
    for (std::size_t bit = 0; bit < whole.size() * 8; bit += 1 + bit % 3) {
        std::string damaged = whole;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
        write_file(directory.file("damaged"), damaged);
        INFO("bit " << bit);
        require_beginning(directory.file("damaged"), run);
    }
}

TEST_CASE("files that are no trace are refused in words", "[trace]") {
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("f");
    const auto refusal = [&](std::string_view content) {
        write_file(path, content);
        return error_of(path);
    };
    const std::string header(magic);
    REQUIRE_THAT(refusal(header + std::string("\x07\0\0\0", 4)),
                 Catch::Equals(path + ": written by a newer slowtrace (format 7; this one reads up to " +
                               std::to_string(format_version) +
                               "): "
                               "update slowtrace"));
    REQUIRE_THAT(refusal(header + std::string(4, '\0')), Catch::Contains("damaged"));
    REQUIRE_THAT(refusal(header), Catch::Contains("cut off"));
    REQUIRE_THAT(refusal(header + std::string("\x01\0\0\0", 4)), Catch::Contains("record again"));
    REQUIRE_THAT(refusal(""), Catch::Contains(path) && Catch::Contains("empty"));
    REQUIRE_THAT(refusal("hello"), Catch::Equals(path + ": not a slowtrace trace"));
    REQUIRE_THAT(refusal(" [{\"ph\":\"X\"}]"), Catch::Contains("not a slowtrace trace") && Catch::Contains("JSON"));
    REQUIRE_THAT(refusal("1234 12:00:01.5 openat(AT_FDCWD, \"/etc/hosts\", O_RDONLY) = 3\n"),
                 Catch::Contains("strace"));
    REQUIRE_THAT(refusal("[pid   77] futex(0x1, FUTEX_WAKE, 1) = 0\n"), Catch::Contains("strace"));
    REQUIRE_THAT(refusal("execve(\"/bin/true\", [\"true\"], 0x7ffe /* 9 vars */) = 0\n"), Catch::Contains("strace"));
    REQUIRE_THAT(refusal("\x1f\x8b\x08"), Catch::Contains("gzip -d"));
    REQUIRE_THAT(refusal("\x28\xb5\x2f\xfd"), Catch::Contains("zstd -d"));
    REQUIRE_THAT(refusal("\x93slowtrace\n\x01"), Catch::Contains("binary mode"));
    REQUIRE_THAT(error_of(directory.file("missing")), Catch::Contains("No such file") && Catch::Contains("record"));
    REQUIRE_THAT(error_of(directory.file("")), Catch::Contains("directory"));
    REQUIRE_THAT(error_of("/dev/null"), Catch::Contains("regular file"));
    if (::geteuid() != 0) {
        ::chmod(path.c_str(), 0);
        REQUIRE_THAT(error_of(path), Catch::Contains("Permission denied"));
    }
}

}  // namespace
}  // namespace slowtrace::trace
