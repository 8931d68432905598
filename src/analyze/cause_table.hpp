// Every distinct cause of a run once, under a small number; what is known about its endpoints beside it.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "analyze/thread_tiling.hpp"
#include "slowtrace/causes.hpp"

namespace slowtrace::analyze {

class CauseTable {
   public:
    // More distinct causes than this share one line per kind.
    static constexpr std::size_t limit = 200'000;
    static constexpr std::size_t endpoints_limit = 4;

    struct Entry {
        Cause cause;  // kind, subject and process count; the rest is of the first wait seen
        std::uint64_t timed_out = 0;
        std::vector<resolve::Endpoint> endpoints;  // distinct ones, the first few
    };

    CauseTable();
    CauseId intern(const Cause& cause);
    void met(CauseId id, const resolve::Endpoint& endpoint);
    void timed_out(CauseId id) { ++entries_[id].timed_out; }
    const Entry& operator[](CauseId id) const { return entries_[id]; }
    std::size_t size() const { return entries_.size(); }

   private:
    using Key = std::tuple<CauseKind, std::string, std::int64_t>;
    std::map<Key, CauseId> ids_;
    std::vector<Entry> entries_;
};

}  // namespace slowtrace::analyze
