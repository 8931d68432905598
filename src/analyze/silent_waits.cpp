// Waits that ran out while nothing came from a connection: for the rest of an answer, or for nothing but the time?
#include "analyze/silent_waits.hpp"

#include <algorithm>

#include "analyze/distribution.hpp"
#include "analyze/peers.hpp"
#include "analyze/wait_rules.hpp"

namespace slowtrace::analyze {

using resolve::Connection;

bool SilentWaits::Stretch::like(const Stretch& other) const {
    const auto same = [](const Silent& a, const Silent& b) { return a.connection == b.connection; };
    return standing == other.standing && alone == other.alone &&
           std::equal(silent.begin(), silent.end(), other.silent.begin(), other.silent.end(), same);
}

std::vector<SilentWaits::Silent> SilentWaits::silent_in(const resolve::ResolvedCall& call) {
    std::vector<Silent> found;
    for (const Wait& wait : waits_of(call)) {
        if (!ran_out_in_silence(wait)) continue;
        const Connection& connection = *wait.descriptor->file->connection;
        found.push_back({connection.id, connection.bytes_received, connection.bytes_sent, connection.requests});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.connection < b.connection; });
    const auto same = [](const auto& a, const auto& b) { return a.connection == b.connection; };
    found.erase(std::unique(found.begin(), found.end(), same), found.end());  // one may be there twice, by dup(2)
    return found;
}

// Under TLS a server says goodbye to an idle connection: an alert (24 to 31 octets), after a GOAWAY (RFC 9113 §6.8) of
// about 40. What a client sends to acknowledge is no request (connection_life.hpp).
SilentWaits::Event SilentWaits::since(const Silent& silent, const Connection& connection) {
    constexpr std::uint64_t goodbye = 71;
    const std::uint64_t received = connection.bytes_received - silent.received;
    if (received > (connection.tls_from_ns ? goodbye : 0)) return Event::answered;
    const bool counted = connection.requests != 0;
    const bool asked = counted ? connection.requests != silent.requests : connection.bytes_sent != silent.sent;
    return asked ? Event::asked : Event::none;
}

std::optional<CauseId> SilentWaits::add(const resolve::ResolvedCall& call, std::int64_t ns, const Cause& cause) {
    const bool in_doubt =
        cause.kind == CauseKind::receive || cause.kind == CauseKind::sleep || cause.kind == CauseKind::idle;
    if (!in_doubt || call.watched.empty()) return {};
    Stretch stretch{silent_in(call), is_standing(call), false, ns, {}};
    if (stretch.silent.empty() || stretch.silent.size() > connections_limit) return {};
    const bool among = std::any_of(stretch.silent.begin(), stretch.silent.end(),
                                   [&](const Silent& one) { return one.connection + 1 == cause.connection; });
    if (cause.kind == CauseKind::receive && !among) return {};
    stretch.alone = stretch.silent.size() == 1;
    const auto known =
        std::find_if(open_.begin(), open_.end(), [&](const Stretch& open) { return open.like(stretch); });
    if (known != open_.end()) {
        known->ns = saturating_add(known->ns, ns);
        return known->causes.front();
    }
    const std::optional<CauseId> id = open_.size() < open_limit ? causes_.undecided() : std::nullopt;
    if (!id) return {};
    stretch.causes.push_back(*id);
    open_.push_back(std::move(stretch));
    return id;
}

// Whether the stretch is settled by what happened on one of its connections.
bool SilentWaits::advance(Stretch& stretch, Event event, const Connection& connection) {
    if (event == Event::answered || (event == Event::closed && !stretch.standing)) {
        on_settled_({stretch.causes, &connection, stretch.ns, {}});
        return true;
    }
    std::erase_if(stretch.silent, [&](const Silent& one) { return one.connection == connection.id; });
    if (!stretch.silent.empty()) return joins_another(stretch);
    const bool open = event == Event::closed && stretch.alone;
    on_settled_(
        {stretch.causes, nullptr, stretch.ns, open ? "while " + peer_name(connection) + " was silent" : std::string()});
    return true;
}

// With a connection less, it may be about the same ones as another.
bool SilentWaits::joins_another(const Stretch& stretch) {
    for (Stretch& other : open_) {
        if (&other == &stretch || !other.like(stretch)) continue;
        other.causes.insert(other.causes.end(), stretch.causes.begin(), stretch.causes.end());
        other.ns = saturating_add(other.ns, stretch.ns);
        return true;
    }
    return false;
}

void SilentWaits::happened(const Connection& connection, bool closed) {
    for (std::size_t i = open_.size(); i-- > 0;) {
        const std::vector<Silent>& silent = open_[i].silent;
        const auto one = std::find_if(silent.begin(), silent.end(),
                                      [&](const Silent& candidate) { return candidate.connection == connection.id; });
        if (one == silent.end()) continue;
        const Event event = closed ? Event::closed : since(*one, connection);
        if (event != Event::none && advance(open_[i], event, connection))
            open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

void SilentWaits::seen(const resolve::ResolvedCall& call) {
    if (open_.empty()) return;
    for (const resolve::ResolvedDescriptor& descriptor : call.descriptors)
        if (descriptor.file && descriptor.file->connection) happened(*descriptor.file->connection, false);
}

void SilentWaits::closed(const Connection& connection) {
    happened(connection, true);
}

void SilentWaits::finish() {
    for (const Stretch& stretch : open_) on_settled_({stretch.causes, nullptr, stretch.ns, {}});
    open_.clear();
}

}  // namespace slowtrace::analyze
