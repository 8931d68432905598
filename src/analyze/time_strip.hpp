// Exchanges in flight and bytes received along the time axis, in bounded memory.
//
// Kept in equal cells that double in width whenever the time seen no longer fits; what lies in a cell is exact, where
// in it is not. A strip drawn from it is therefore off by at most a cell at either end of each of its stretches.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/report.hpp"

namespace slowtrace::analyze {

class TimeStrip {
   public:
    static constexpr std::size_t most_cells = 8'192;

    // An exchange, from its request to the last byte of its answer.
    void in_flight(std::int64_t from_ns, std::int64_t to_ns);
    // Bytes that came evenly between.
    void received(std::int64_t from_ns, std::int64_t to_ns, std::uint64_t bytes);
    // From the first beginning to the last end, in at most `stretches` stretches; nothing without an exchange.
    ConcurrencyStrip strip(std::size_t stretches) const;

   private:
    struct Cell {
        double exchange_ns = 0, bytes = 0;           // what only touches the cell
        double exchanges_begin = 0, rate_begin = 0;  // what covers this cell and all from here on, and bytes a ns of it
    };
    void cover(std::int64_t from_ns, std::int64_t to_ns);
    void widen();
    std::vector<Cell> flattened() const;
    template <typename Touch, typename Fill>
    void spread(std::int64_t from_ns, std::int64_t to_ns, Touch touch, Fill fill);

    std::vector<Cell> cells_;
    std::int64_t origin_ns_ = 0, width_ns_ = 1'000;
    std::int64_t first_ns_ = INT64_MAX, last_ns_ = INT64_MIN;
    std::uint64_t bytes_ = 0;
};

}  // namespace slowtrace::analyze
