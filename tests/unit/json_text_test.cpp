// JSON leaves: hostile bytes become text every viewer reads, integers stay exact.
#include "render/json_text.hpp"

#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "catch.hpp"

using namespace slowtrace::render;
using namespace std::string_literals;

namespace {

std::string as_json(std::string_view bytes) {
    std::string out;
    append_json_string(out, bytes);
    return out;
}

std::string microseconds(std::int64_t nanoseconds) {
    std::string out;
    append_microseconds(out, nanoseconds);
    return out;
}

}  // namespace

TEST_CASE("Plain text and valid UTF-8 stay raw", "[json]") {
    CHECK(as_json("") == R"("")");
    CHECK(as_json("read(3)") == "\"read(3)\"");
    CHECK(as_json("caf\u00e9 \u65e5\u672c \U0001f600") == "\"caf\u00e9 \u65e5\u672c \U0001f600\"");
    CHECK(as_json("\ufffd\uffff\U0010ffff") == "\"\ufffd\uffff\U0010ffff\"");
}

TEST_CASE("Quotes and backslashes are escaped", "[json]") {
    CHECK(as_json(R"(a"b\c)") == R"("a\"b\\c")");
}

TEST_CASE("Bytes that are not UTF-8 are shown", "[json]") {
    CHECK(as_json("caf\xe9") == R"("caf\\xe9")");
    CHECK(as_json("\xff\xfe") == R"("\\xff\\xfe")");
    CHECK(as_json("\x80") == R"("\\x80")");
    CHECK(as_json("\xc0\xaf") == R"("\\xc0\\xaf")");                    // overlong slash
    CHECK(as_json("\xe0\x80\xaf") == R"("\\xe0\\x80\\xaf")");           // overlong
    CHECK(as_json("\xed\xa0\x80") == R"("\\xed\\xa0\\x80")");           // a surrogate
    CHECK(as_json("\xf4\x90\x80\x80") == R"("\\xf4\\x90\\x80\\x80")");  // above U+10FFFF
    CHECK(as_json("\xf5") == R"("\\xf5")");
    CHECK(as_json("\xe6\x97") == R"("\\xe6\\x97")");      // cut off
    CHECK(as_json("\xe6\x97\"") == R"("\\xe6\\x97\"")");  // cut off by the closing quote
    CHECK(as_json("\xf0\x9f\x98z") == R"("\\xf0\\x9f\\x98z")");
}

TEST_CASE("Control characters are shown, never escaped as such", "[json]") {
    CHECK(as_json("a\0b"s) == R"("a\\x00b")");
    CHECK(as_json("a\nb\tc\rd") == R"("a\\nb\\tc\\rd")");
    CHECK(as_json("\x1b[31m\x7f") == R"("\\x1b[31m\\x7f")");
    CHECK(as_json("\u0085\u009b") == R"("\\u0085\\u009b")");
    CHECK(as_json("safe\u202efdp.exe\u2066") == R"("safe\\u202efdp.exe\\u2066")");
    CHECK(as_json("\u2028") == "\"\u2028\"");  // a line separator is no control character to JSON
}

TEST_CASE("Any bytes give a JSON string that parses and holds no control character", "[json]") {
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes(random() % 40, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random() % 3 == 0 ? random() % 256 : 0x20 + random() % 96);
        const std::string text = as_json(bytes);
        const auto parsed = nlohmann::json::parse(text, nullptr, false);
        REQUIRE(parsed.is_string());
        const auto& value = parsed.get_ref<const std::string&>();
        for (const char byte : value) REQUIRE((static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f));
        // And is UTF-8 from beginning to end.
        for (std::size_t position = 0; position < value.size(); position += utf8_length(value.substr(position)))
            REQUIRE(utf8_length(value.substr(position)) > 0);
    }
}

TEST_CASE("Microseconds are written from the integer", "[json]") {
    CHECK(microseconds(0) == "0.000");
    CHECK(microseconds(1) == "0.001");
    CHECK(microseconds(999) == "0.999");
    CHECK(microseconds(1000) == "1.000");
    CHECK(microseconds(1'700'000'000'123'456'789) == "1700000000123456.789");
    CHECK(microseconds(std::int64_t{1} << 62) == "4611686018427387.904");
}

TEST_CASE("Integers a double would round become hexadecimal text", "[json]") {
    std::string out;
    JsonObject object(out);
    object.integer("exact", largest_exact_integer);
    object.integer("negative", -largest_exact_integer);
    object.integer("large", largest_exact_integer + 1);
    object.integer("least", std::numeric_limits<std::int64_t>::min());
    object.size("huge", ~std::uint64_t{0});
    object.hex("address", 0x7fff0000);
    object.flag("unfinished");
    object.text("path", "/tmp/\xff");
    object.close();
    CHECK(out == R"({"exact":9007199254740991,"negative":-9007199254740991,"large":"0x20000000000000",)"
                 R"("least":"0x8000000000000000","huge":"0xffffffffffffffff","address":"0x7fff0000","unfinished":true,)"
                 R"("path":"/tmp/\\xff"})");
}
