// Padding, measured in characters rather than bytes.
#include "render/columns.hpp"

#include <algorithm>

namespace slowtrace::render {
namespace {

bool starts_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
}

}  // namespace

std::size_t text_width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string fit(std::string_view text, std::size_t width) {
    if (width == 0 || text_width(text) <= width) return std::string(text);
    std::size_t bytes = 0;
    for (std::size_t characters = 0; bytes < text.size(); ++bytes)
        if (starts_character(text[bytes]) && ++characters == width) break;
    return std::string(text.substr(0, bytes)) + "…";
}

std::string shorten(std::string_view text, std::size_t width) {
    const std::size_t length = text_width(text);
    if (width == 0 || length <= width) return std::string(text);
    std::size_t end = text.size();
    for (std::size_t characters = 0; end > 0 && characters < width / 2; --end)
        if (starts_character(text[end - 1])) ++characters;
    return fit(text, width - width / 2) + std::string(text.substr(end));
}

void Columns::row(std::vector<std::string> cells) {
    cells.resize(alignment_.size());
    rows_.push_back({std::move(cells), false});
}

void Columns::under(std::string text) {
    std::vector<std::string> cells(alignment_.size());
    cells.back() = std::move(text);
    rows_.push_back({std::move(cells), true});
}

std::vector<std::string> Columns::lines(std::size_t width) const {
    std::vector<std::size_t> widths(alignment_.size());
    for (const Row& row : rows_)
        for (std::size_t i = 0; i < widths.size(); ++i)
            if (i + 1 < widths.size() || alignment_[i] == Align::right)
                widths[i] = std::max(widths[i], text_width(row.cells[i]));
    std::vector<std::string> lines;
    for (const Row& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const std::string padding(widths[i] - std::min(widths[i], text_width(row.cells[i])), ' ');
            line += "  ";
            line += alignment_[i] == Align::right ? padding + row.cells[i] : row.cells[i] + padding;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        lines.push_back(fit(line, width));
    }
    return lines;
}

}  // namespace slowtrace::render
