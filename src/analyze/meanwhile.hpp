// What the other threads of a process did while one of them waited for a lock, or for whatever would wake it.
//
// No claim about who woke whom: only what is seen to happen at the same time. It says where to look next.
#pragma once

#include <map>
#include <string>

#include "analyze/cause_lines.hpp"
#include "analyze/wall_clock.hpp"

namespace slowtrace::analyze {

class Meanwhile {
   public:
    using About = std::function<CauseLines::About(const CauseTable::Entry&)>;
    // Waits shorter than `shortest_ns` are left aside: that bounds how often other threads are looked at.
    Meanwhile(const CauseTable& causes, About about, std::int64_t shortest_ns)
        : causes_(causes), about_(std::move(about)), shortest_ns_(shortest_ns) {}

    void saw(const Tile& tile, const TileOwner& owner);
    // Gives each line that waited so long what went on meanwhile, the most first.
    void tell(CauseSection& section);

   private:
    const CauseTable& causes_;
    About about_;
    std::int64_t shortest_ns_;
    std::map<std::pair<CauseKind, std::string>, CauseLines> lines_;  // by the line that waited
};

}  // namespace slowtrace::analyze
