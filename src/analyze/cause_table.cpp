// Interning; number 0 is computing.
#include "analyze/cause_table.hpp"

#include <algorithm>

namespace slowtrace::analyze {

CauseTable::CauseTable() {
    intern({CauseKind::computing, {}, 0, {}, false});
}

CauseId CauseTable::add(Key key, Cause cause) {
    const auto id = static_cast<CauseId>(entries_.size());
    entries_.push_back({std::move(cause), 0, {}});
    ids_.emplace(std::move(key), id);
    return id;
}

CauseId CauseTable::intern(const Cause& cause) {
    const std::int64_t process = cause.process ? static_cast<std::int64_t>(index(*cause.process)) : -1;
    if (cause.connection != 0) {
        Key own{cause.connection, cause.kind, {}, process};
        if (auto known = ids_.find(own); known != ids_.end()) return known->second;
        if (of_connections_ < connections_limit) {
            ++of_connections_;
            return add(std::move(own), {cause.kind, {}, cause.connection, cause.process, cause.timed_out});
        }
    }
    Key key{0, cause.kind, cause.subject, process};
    if (auto known = ids_.find(key); known != ids_.end()) return known->second;
    if (entries_.size() - of_connections_ >= limit && cause.subject != "(others)")
        return intern({cause.kind, "(others)", 0, {}, false});
    return add(std::move(key), {cause.kind, cause.subject, 0, cause.process, cause.timed_out});
}

std::optional<CauseId> CauseTable::undecided() {
    if (of_connections_ >= connections_limit) return {};
    ++of_connections_;
    entries_.push_back({{CauseKind::unexplained, {}, 0, {}, false}, 0, {}});
    return static_cast<CauseId>(entries_.size() - 1);
}

// Only a wait for somebody can give up.
void CauseTable::settle(CauseId id, const Cause& cause) {
    Entry& entry = entries_[id];
    entry.cause = cause;
    if (cause.kind == CauseKind::sleep) entry.timed_out = 0;
}

void CauseTable::met(CauseId id, const resolve::Endpoint& endpoint) {
    std::vector<resolve::Endpoint>& known = entries_[id].endpoints;
    if (known.size() < endpoints_limit && std::find(known.begin(), known.end(), endpoint) == known.end())
        known.push_back(endpoint);
}

void CauseTable::closed(std::uint64_t connection) {
    if (connection == 0) return;
    const auto first = ids_.lower_bound(Key{connection, CauseKind{}, {}, -1});
    auto last = first;
    while (last != ids_.end() && std::get<0>(last->first) == connection) ++last;
    ids_.erase(first, last);
}

}  // namespace slowtrace::analyze
