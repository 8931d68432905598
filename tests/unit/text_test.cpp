// Escaping and numbers in words.
#include "render/text.hpp"

#include <limits>

#include "catch.hpp"

using namespace slowtrace::render;

TEST_CASE("printing text is kept, everything else becomes visible") {
    CHECK(visible("/tmp/größe 日本.txt") == "/tmp/größe 日本.txt");
    CHECK(visible("a\nb\tc\rd") == "a\\nb\\tc\\rd");
    CHECK(visible("\x1b[31m\x7f") == "\\x1b[31m\\x7f");
    CHECK(visible(std::string_view("\0x", 2)) == "\\x00x");
    CHECK(visible("back\\slash") == "back\\\\slash");
    CHECK(visible("\xff\xfe") == "\\xff\\xfe");
    CHECK(visible("\xc3") == "\\xc3");                             // cut short
    CHECK(visible("\xc0\xaf") == "\\xc0\\xaf");                    // overlong
    CHECK(visible("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // surrogate
    CHECK(visible("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond Unicode
    CHECK(visible("\xc2\x9b") == "\\u009b");                       // C1 control: CSI
    CHECK(visible("exe\xe2\x80\xaegpj") == "exe\\u202egpj");       // right-to-left override
    CHECK(visible("\xe2\x81\xa6") == "\\u2066");
    CHECK(visible("\xe2\x80\xa8") == "\\u2028");
    CHECK(visible("\xf3\xa0\x80\x81") == "\\U000e0001");
    CHECK(visible("") == "");
    CHECK(visible("\"") == "\"");
}

TEST_CASE("quotes are escaped inside quotes") {
    CHECK(quote("a\"b") == "\"a\\\"b\"");
    CHECK(quote("") == "\"\"");
    CHECK(quote("long", true) == "\"long\"...");
}

TEST_CASE("every byte escapes to one line of ASCII or UTF-8") {
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const std::string text = visible(std::string_view(&c, 1));
        CHECK_FALSE(text.empty());
        for (const char shown : text) CHECK((shown >= 0x20 && shown < 0x7f));
    }
}

TEST_CASE("durations round into the unit that suits them") {
    struct Sample {
        std::int64_t nanoseconds;
        const char* text;
    };
    const Sample samples[] = {{0, "0ns"},
                              {890, "890ns"},
                              {999, "999ns"},
                              {1'000, "1.0µs"},
                              {9'949, "9.9µs"},
                              {9'950, "10µs"},
                              {42'000, "42µs"},
                              {999'499, "999µs"},
                              {999'500, "1.00ms"},
                              {1'234'000, "1.23ms"},
                              {9'995'000, "10.0ms"},
                              {12'345'678, "12.3ms"},
                              {178'400'000, "178ms"},
                              {999'500'000, "1.000s"},
                              {1'234'000'000, "1.234s"},
                              {9'999'500'000, "10.0s"},
                              {15'000'000'000, "15.0s"},
                              {59'949'999'999, "59.9s"},
                              {59'950'000'000, "1m 0.0s"},
                              {799'800'000'000, "13m 19.8s"},
                              {3'599'949'999'999, "59m 59.9s"},
                              {3'599'950'000'000, "1h 0m 0s"},
                              {7'384'000'000'000, "2h 3m 4s"},
                              {-42'000, "-42µs"}};
    for (const Sample& sample : samples) CHECK(format_duration(sample.nanoseconds) == sample.text);
    CHECK(format_duration(std::numeric_limits<std::int64_t>::min()) == "-2562047h 47m 17s");
    CHECK(format_duration(std::numeric_limits<std::int64_t>::max()) == "2562047h 47m 17s");
}

TEST_CASE("bytes, counts and shares") {
    CHECK(format_bytes(0) == "0 B");
    CHECK(format_bytes(1023) == "1023 B");
    CHECK(format_bytes(1536) == "1.5 KiB");
    CHECK(format_bytes(1024 * 1024 - 1) == "1.0 MiB");
    CHECK(format_bytes(std::numeric_limits<std::uint64_t>::max()) == "16.0 EiB");
    CHECK(format_count(0) == "0");
    CHECK(format_count(999) == "999");
    CHECK(format_count(48211) == "48,211");
    CHECK(format_count(1234567) == "1,234,567");
    CHECK(percent(957, 1000) == "95.7 %");
    CHECK(percent(1, 1000000) == "<0.1 %");
    CHECK(percent(0, 5) == "0.0 %");
    CHECK(percent(5, 0) == "0.0 %");
    CHECK(percent(7, 7) == "100.0 %");
}
