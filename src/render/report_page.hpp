// The lines of a report as they are written: headings, columns, a bound on their width.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "render/columns.hpp"
#include "render/report.hpp"

namespace slowtrace::render {

class ReportPage {
   public:
    explicit ReportPage(const ReportOptions& options);
    void heading(const std::string& line);
    void line(const std::string& line);
    void columns(const Columns& columns);
    std::size_t lines() const { return lines_; }  // written so far
    std::string finished() { return std::move(text_); }

   private:
    bool colour_;
    std::size_t width_;
    std::size_t lines_ = 0;
    std::string text_;
};

// "1 call", "48,211 calls".
std::string counted(std::uint64_t count, std::string_view one, std::string_view many);
// How connect attempts went: "4 ok, 3 timed out".
std::string attempt_outcomes(const analyze::Attempts& attempts, bool with_ok);

// The endpoints section, and the strip of downloads in flight.
void report_endpoints(ReportPage& page, const analyze::Report& report);
void report_downloads(ReportPage& page, const analyze::Report& report);

}  // namespace slowtrace::render
