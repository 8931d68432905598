// Lines of text whose cells stand in columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slowtrace::render {

// Columns on a terminal, one per character; the text is valid UTF-8 without wide or combining characters
// worth caring about.
std::size_t text_width(std::string_view text);
// At most `width` characters, the last one "…" when something was cut. 0: no limit.
std::string fit(std::string_view text, std::size_t width);
// The same with the middle cut out: a path tells most at its ends.
std::string shorten(std::string_view text, std::size_t width);

class Columns {
   public:
    enum class Align : bool { left, right };
    // Two spaces before every column; the last one is not padded.
    explicit Columns(std::vector<Align> alignment) : alignment_(std::move(alignment)) {}
    void row(std::vector<std::string> cells);
    // A line that stands under the last column of the row before it.
    void under(std::string text);
    std::vector<std::string> lines(std::size_t width) const;

   private:
    struct Row {
        std::vector<std::string> cells;
        bool under = false;
    };
    std::vector<Align> alignment_;
    std::vector<Row> rows_;
};

}  // namespace slowtrace::render
