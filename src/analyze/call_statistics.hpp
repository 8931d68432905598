// How often each system call was made and how long it took.
#pragma once

#include <map>
#include <string>

#include "analyze/distribution.hpp"
#include "analyze/report.hpp"

namespace slowtrace::analyze {

class CallStatistics {
   public:
    // `ns` as measured; the floor is taken off, never below 0.
    void add(const resolve::ResolvedCall& call, std::int64_t ns, std::int64_t floor_ns);
    std::vector<SyscallLine> finished() const;

   private:
    struct Row {
        std::uint64_t errors = 0;
        std::int64_t total_ns = 0, max_ns = 0;
        Distribution durations;
    };
    static SyscallLine line(std::string name, const Row& row);

    std::vector<Row> known_ = std::vector<Row>(static_cast<std::size_t>(model::Call::count));
    std::map<std::string, Row> unknown_;  // calls without a row in the table, by number
};

}  // namespace slowtrace::analyze
