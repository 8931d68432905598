// Tiles in, lines out: all waits of one kind for one subject become one CauseLine.
#pragma once

#include <functional>

#include "analyze/cause_table.hpp"
#include "analyze/distribution.hpp"
#include "analyze/report.hpp"

namespace slowtrace::analyze {

class CauseLines {
   public:
    // What a cause's line is about: its subject, the name of the process it waited for, the final name of its peer.
    struct About {
        std::string subject;
        std::vector<resolve::Endpoint> endpoints;
    };
    CauseLines(const CauseTable& causes, std::function<About(const CauseTable::Entry&)> about);
    void add(const Tile& tile);
    // Of all that was added; lines sum to total_ns exactly.
    CauseSection section();

   private:
    struct Building {
        CauseLine line;
        Distribution waits;
        std::vector<Tile> open;  // the last few waits, which later tiles may continue
    };
    Building& building(CauseId cause);
    void gather_small_files();
    static void close(Building& building, std::size_t leave);

    const CauseTable& causes_;
    std::function<About(const CauseTable::Entry&)> about_;
    std::map<std::pair<CauseKind, std::string>, std::size_t> by_key_;
    std::vector<std::size_t> by_cause_;  // index + 1 into lines_
    std::vector<Building> lines_;
};

}  // namespace slowtrace::analyze
