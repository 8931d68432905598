// Lines through a pipe that nobody reads, for a while or for ever.
#include "cli/line_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "catch.hpp"
#include "slowtrace/unique_fd.hpp"

using namespace slowtrace;

namespace {

struct Pipe {
    UniqueFd from, to;
    Pipe() {
        std::array<int, 2> ends{};
        REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
        from = UniqueFd(ends[0]);
        to = UniqueFd(ends[1]);
    }
    std::string everything() {
        to = UniqueFd();
        std::string text;
        char buffer[4096];
        for (ssize_t got = 0; (got = read(from.get(), buffer, sizeof buffer)) > 0;)
            text.append(buffer, static_cast<std::size_t>(got));
        return text;
    }
};

std::string numbered(int number) {
    std::string line = std::to_string(number);
    line.resize(99, '.');
    return line + "\n";
}

}  // namespace

TEST_CASE("lines arrive in their order, the last of them before the writer is gone", "[live]") {
    Pipe pipe;
    {
        cli::LineWriter writer(pipe.to.get());
        for (int number = 0; number < 100; ++number) writer.say(numbered(number));
    }
    std::string expected;
    for (int number = 0; number < 100; ++number) expected += numbered(number);
    CHECK(pipe.everything() == expected);
}

TEST_CASE("who says more than a reader takes does not wait, and lines left out are counted", "[live]") {
    constexpr int said = 20'000;  // two million octets
    Pipe pipe;
    cli::LineWriter writer(pipe.to.get());
    for (int number = 0; number < said; ++number) writer.say(numbered(number));
    const std::unique_ptr<FILE, int (*)(FILE*)> lines(fdopen(dup(pipe.from.get()), "r"), fclose);
    REQUIRE(lines);
    int next = 0, shown = 0;
    char line[256];
    while (next < said && fgets(line, sizeof line, lines.get())) {
        int left_out = 0;
        if (sscanf(line, "slowtrace: %d lines not shown", &left_out) == 1) {
            next += left_out;
        } else {
            REQUIRE(line == numbered(next++));
            ++shown;
        }
    }
    CHECK(next == said);
    CHECK(shown > 0);
    CHECK(shown < said);
}

TEST_CASE("a reader that never reads keeps nobody for ever", "[live]") {
    Pipe pipe;
    {
        cli::LineWriter writer(pipe.to.get());
        for (int number = 0; number < 2000; ++number) writer.say(numbered(number));
    }
    // The thread's last write(2) ends with an error, now or while the process lives.
    CHECK(fcntl(pipe.to.get(), F_GETFD) >= 0);
}
