// Lines of text, counted.
#include "render/report_page.hpp"

#include <algorithm>
#include <array>

#include "render/text.hpp"

namespace slowtrace::render {

using resolve::AttemptOutcome;

ReportPage::ReportPage(const ReportOptions& options)
    : colour_(options.colour), width_(static_cast<std::size_t>(std::max(options.width, 0))) {}

void ReportPage::heading(const std::string& line) {
    lines_ += text_.empty() ? 1 : 2;
    if (!text_.empty()) text_ += '\n';
    const std::string fitted = fit(line, width_);
    text_ += colour_ ? "\x1b[1m" + fitted + "\x1b[0m\n" : fitted + "\n";
}

void ReportPage::line(const std::string& line) {
    ++lines_;
    text_ += fit(line, width_) + "\n";
}

void ReportPage::columns(const Columns& columns) {
    for (const std::string& one : columns.lines(width_)) line(one);
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
    return format_count(count).append(" ").append(count == 1 ? one : many);
}

namespace {

struct OutcomeWord {
    AttemptOutcome outcome;
    std::string_view word;
};
constexpr std::array outcome_words{
    OutcomeWord{AttemptOutcome::connected, "ok"},
    OutcomeWord{AttemptOutcome::refused, "refused"},
    OutcomeWord{AttemptOutcome::timed_out, "timed out"},
    OutcomeWord{AttemptOutcome::unreachable, "unreachable"},
    OutcomeWord{AttemptOutcome::reset, "reset"},
    OutcomeWord{AttemptOutcome::failed, "failed"},
    OutcomeWord{AttemptOutcome::abandoned, "abandoned"},
    OutcomeWord{AttemptOutcome::unfinished, "unfinished"},
    OutcomeWord{AttemptOutcome::lost_race, "lost the race"},
};
static_assert(outcome_words.size() == analyze::outcome_count);

}  // namespace

std::string attempt_outcomes(const analyze::Attempts& attempts, bool with_ok) {
    std::string words;
    for (const OutcomeWord& row : outcome_words)
        if (attempts.of(row.outcome) > 0 && (with_ok || row.outcome != AttemptOutcome::connected))
            words.append(words.empty() ? "" : ", ")
                .append(format_count(attempts.of(row.outcome)))
                .append(" ")
                .append(row.word);
    return words;
}

}  // namespace slowtrace::render
