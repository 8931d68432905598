// Interning; number 0 is computing.
#include "analyze/cause_table.hpp"

#include <algorithm>

namespace slowtrace::analyze {

CauseTable::CauseTable() {
    intern({CauseKind::computing, {}, 0, {}, false});
}

CauseId CauseTable::intern(const Cause& cause) {
    Key key{cause.kind, cause.subject, cause.process ? static_cast<std::int64_t>(index(*cause.process)) : -1};
    if (auto known = ids_.find(key); known != ids_.end()) return known->second;
    if (ids_.size() >= limit && cause.subject != "(others)") return intern({cause.kind, "(others)", 0, {}, false});
    const auto id = static_cast<CauseId>(entries_.size());
    entries_.push_back({cause, 0, {}});
    ids_.emplace(std::move(key), id);
    return id;
}

void CauseTable::met(CauseId id, const resolve::Endpoint& endpoint) {
    std::vector<resolve::Endpoint>& known = entries_[id].endpoints;
    if (known.size() < endpoints_limit && std::find(known.begin(), known.end(), endpoint) == known.end())
        known.push_back(endpoint);
}

}  // namespace slowtrace::analyze
