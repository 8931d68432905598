// Runs in other forms than today's file: as text, and in every format ever written.
#include "catch.hpp"
#include "events_for_test.hpp"
#include "slowtrace/trace_file.hpp"
#include "temporary_directory.hpp"

namespace slowtrace::trace {
namespace {

using test::write_file;

TEST_CASE("a run is read from text, by name or by content", "[trace]") {
    const test::TemporaryDirectory directory;
    const std::string text =
        "# What the run is about.\nevents { run { argv: 'ls' } }\nevents { syscall { thread: 3 number: 60 } }\n";
    for (const char* name : {"run.txtpb", "run"}) {
        write_file(directory.file(name), text);
        test::KeepAll kept;
        open_trace(directory.file(name))->replay(kept);
        REQUIRE(kept.events.size() == 2);
        REQUIRE(kept.events[1].syscall().thread() == 3);
    }
    write_file(directory.file("bad.txtpb"), "events {\n  run { nonsense: 1 } }");
    test::KeepAll nothing;
    REQUIRE_THROWS_WITH(open_trace(directory.file("bad.txtpb"))->replay(nothing),
                        Catch::StartsWith(directory.file("bad.txtpb") + ":2:") && Catch::Contains("nonsense"));
}

// Hidden: writes the binary fixture anew. Only for a new format; what is released stays as it is.
TEST_CASE("write the fixture of the present format", "[.format-fixture]") {
    test::KeepAll text;
    const std::string name = "fixtures/traces/format-v" + std::to_string(format_version);
    open_trace(name + ".txtpb")->replay(text);
    TraceWriter writer(name + ".slowtrace", true);
    test::play(text.events, writer);
}

TEST_CASE("files of every format ever written are read", "[trace]") {
    for (const char* name : {"fixtures/traces/format-v1", "fixtures/traces/format-v2"}) {
        test::KeepAll text, binary;
        open_trace(std::string(name) + ".txtpb")->replay(text);
        open_trace(std::string(name) + ".slowtrace")->replay(binary);
        REQUIRE(text.events.size() > 20);
        REQUIRE(test::same(text.events, binary.events));
    }
}

}  // namespace
}  // namespace slowtrace::trace
