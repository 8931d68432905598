// Every distinct cause of a run once, under a small number; what is known about its endpoints beside it.
//
// A wait for a connection is kept by its connection, not by the name known at that moment: better evidence may come
// later, and two connections to one address may turn out to be to two hosts. Beyond a bound the name of the moment
// has to do.
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
    // More causes of single connections than this are kept by name.
    static constexpr std::size_t connections_limit = 100'000;
    static constexpr std::size_t endpoints_limit = 4;

    struct Entry {
        Cause cause;  // kind, subject and process count; the rest is of the first wait seen
        std::uint64_t timed_out = 0;
        std::vector<resolve::Endpoint> endpoints;  // distinct ones, the first few
    };

    CauseTable();
    // By connection where the cause has one and there is room: its subject is then left out.
    CauseId intern(const Cause& cause);
    // A cause that settle() will tell, once; nothing when there are too many of single connections.
    std::optional<CauseId> undecided();
    void settle(CauseId id, const Cause& cause);
    void met(CauseId id, const resolve::Endpoint& endpoint);
    void timed_out(CauseId id) { ++entries_[id].timed_out; }
    // Nothing more will be said about this connection.
    void closed(std::uint64_t connection);
    const Entry& operator[](CauseId id) const { return entries_[id]; }
    std::size_t size() const { return entries_.size(); }

   private:
    using Key = std::tuple<std::uint64_t, CauseKind, std::string, std::int64_t>;  // the first is Cause::connection
    CauseId add(Key key, Cause cause);

    std::map<Key, CauseId> ids_;
    std::vector<Entry> entries_;
    std::size_t of_connections_ = 0;  // how many of the entries
};

}  // namespace slowtrace::analyze
