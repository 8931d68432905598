// How many intervals lie over one another: exchanges in flight, connections that transfer.
//
// Intervals arrive in the order they end on each connection, in no order across them. They are kept until settled;
// settling turns the older half into sums, and a straggler that began before what was settled counts from there.
#pragma once

#include <cstdint>
#include <vector>

namespace slowtrace::analyze {

class Overlap {
   public:
    void add(std::int64_t from_ns, std::int64_t to_ns);
    // Gives up the older half of what is kept. Exact for all intervals that are added in the order they begin.
    void settle_half();
    std::size_t kept() const { return intervals_.size(); }

    struct Sums {
        std::uint64_t peak = 0;       // at one instant
        std::int64_t covered_ns = 0;  // by at least one
        std::int64_t total_ns = 0;    // of all lengths
        // How many lie over one another where there is one at all; 0 where there is none.
        double mean() const {
            return covered_ns > 0 ? static_cast<double>(total_ns) / static_cast<double>(covered_ns) : 0;
        }
    };
    Sums sums() const;

   private:
    struct Interval {
        std::int64_t from_ns, to_ns;
    };
    // Adds what lies before `until_ns`; the intervals are sorted by beginning.
    static void sweep(const std::vector<Interval>& intervals, std::int64_t until_ns, Sums& sums);

    std::vector<Interval> intervals_;
    std::int64_t settled_ns_ = INT64_MIN;
    Sums settled_;
};

}  // namespace slowtrace::analyze
