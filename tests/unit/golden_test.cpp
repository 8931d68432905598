// fixtures/traces/report-*.txtpb → the report and the timeline a user would read, compared with what is kept
// in fixtures/expected. SLOWTRACE_REGENERATE=1 writes those files instead.
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "analyze/analysis.hpp"
#include "catch.hpp"
#include "render/json_endpoints.hpp"
#include "render/report.hpp"
#include "render/timeline.hpp"
#include "slowtrace/resolved.hpp"

using namespace slowtrace;
namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::vector<fs::path> fixtures() {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator("fixtures/traces"))
        if (entry.path().filename().string().starts_with("report-") && entry.path().extension() == ".txtpb")
            paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
}

void play(const fs::path& path, resolve::ResolvedSink& sink, const std::function<void()>& at_end) {
    model::Trace trace;
    REQUIRE(google::protobuf::TextFormat::ParseFromString(contents(path), &trace));
    resolve::Resolver resolver(sink);
    for (const model::Event& event : trace.events()) {
        if (event.has_syscall())
            resolver.syscall(event.syscall());
        else
            resolver.event(event);
    }
    resolver.finish();
    at_end();
}

// The resolver must outlive the report: an analysis asks its processes for their names.
analyze::Report analysed(const fs::path& path) {
    analyze::Analysis analysis;
    analyze::Report report;
    play(path, analysis, [&] { report = analysis.report(); });
    return report;
}

void compare(const fs::path& fixture, const std::string& extension, const std::string& text) {
    const fs::path kept = fs::path("fixtures/expected") / (fixture.stem().string() + extension);
    if (std::getenv("SLOWTRACE_REGENERATE")) {
        fs::create_directories(kept.parent_path());
        std::ofstream(kept, std::ios::binary) << text;
        return;
    }
    INFO(kept.string() << " (SLOWTRACE_REGENERATE=1 writes it anew)");
    CHECK(text == contents(kept));
}

// Tab and newline apart, nothing a terminal would obey.
bool printable(const std::string& text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f; });
}

}  // namespace

TEST_CASE("every report fixture gives the report and timeline that were kept", "[golden]") {
    const std::vector<fs::path> paths = fixtures();
    REQUIRE(paths.size() >= 14);
    for (const fs::path& path : paths) {
        INFO(path.string());
        const analyze::Report report = analysed(path);
        const std::string text = render::render_report(report);
        CHECK(printable(text));
        CHECK(std::count(text.begin(), text.end(), '\n') <= 60);
        compare(path, ".report.txt", text);
        std::ostringstream timeline;
        {
            render::Timeline sink(timeline);
            play(path, sink, [] {});
        }
        CHECK(printable(timeline.str()));
        compare(path, ".timeline.txt", timeline.str());
        if (!report.endpoints.empty()) compare(path, ".endpoints.json", render::endpoints_json(report));
    }
}

TEST_CASE("the wall clock of every fixture is tiled to the nanosecond") {
    for (const fs::path& path : fixtures()) {
        INFO(path.string());
        const analyze::Report report = analysed(path);
        CHECK(report.wall.total_ns == report.run.wall_ns);
        std::int64_t sum = 0;
        for (const analyze::CauseLine& line : report.wall.lines) sum += line.total_ns;
        CHECK(sum == report.run.wall_ns);
    }
}

TEST_CASE("the endpoints of every fixture account for every octet its connections moved, once") {
    struct Totals : resolve::ResolvedSink {
        std::uint64_t sent = 0, received = 0, connections = 0, requests = 0;
        void connection_opened(const resolve::Connection&, std::int64_t) override { ++connections; }
        void connection_closed(const resolve::Connection& connection, std::int64_t) override {
            sent += connection.bytes_sent;
            received += connection.bytes_received;
            requests += connection.requests;
        }
    };
    for (const fs::path& path : fixtures()) {
        INFO(path.string());
        Totals totals;
        play(path, totals, [] {});
        for (const analyze::EndpointLine& line : analysed(path).endpoints) {
            totals.sent -= line.bytes_sent;
            totals.received -= line.bytes_received;
            totals.connections -= line.counted_connections;
            totals.requests -= line.requests;
        }
        CHECK(totals.sent == 0);
        CHECK(totals.received == 0);
        CHECK(totals.connections == 0);
        CHECK(totals.requests == 0);
    }
}

TEST_CASE("an endpoint's part of the wall clock is what its causes took there") {
    for (const fs::path& path : fixtures()) {
        INFO(path.string());
        const analyze::Report report = analysed(path);
        std::int64_t of_endpoints = 0, of_causes = 0;
        for (const analyze::EndpointLine& line : report.endpoints) of_endpoints += line.critical_ns;
        for (const analyze::CauseLine& line : report.wall.lines)
            for (const analyze::CauseKind kind :
                 {analyze::CauseKind::dns, analyze::CauseKind::connect, analyze::CauseKind::tls,
                  analyze::CauseKind::reply, analyze::CauseKind::receive, analyze::CauseKind::send,
                  analyze::CauseKind::local_socket})
                if (line.kind == kind) of_causes += line.total_ns;
        CHECK(of_endpoints == of_causes);
    }
}

TEST_CASE("the first line of pip's report names the host that never answered") {
    const analyze::Report report = analysed("fixtures/traces/report-pip.txtpb");
    const analyze::CauseLine& first = report.wall.lines.front();
    CHECK(first.kind == analyze::CauseKind::connect);
    CHECK(first.subject == "extra.example.org:80");
    REQUIRE(first.attempts);
    CHECK(first.attempts->count == 5);
    CHECK(first.attempts->of(resolve::AttemptOutcome::timed_out) +
              first.attempts->of(resolve::AttemptOutcome::abandoned) ==
          5);
    CHECK(first.total_ns >= 75'000'000'000);
}
