// Finds a cause's connection, and gives its line what the ledger knows.
#include "analyze/cause_peers.hpp"

#include <map>
#include <string_view>

namespace slowtrace::analyze {

const resolve::Connection* connection_of(const resolve::ResolvedCall& call, const Cause& cause) {
    if (cause.connection == 0) return nullptr;
    for (const auto& set : {call.descriptors, call.watched})
        for (const resolve::ResolvedDescriptor& descriptor : set)
            if (descriptor.file && descriptor.file->connection &&
                descriptor.file->connection->id + 1 == cause.connection)
                return descriptor.file->connection.get();
    return nullptr;
}

bool is_about_peer(CauseKind kind) {
    switch (kind) {
        case CauseKind::connect:
        case CauseKind::tls:
        case CauseKind::reply:
        case CauseKind::receive:
        case CauseKind::send:
        case CauseKind::local_socket:
            return true;
        default:
            return false;
    }
}

void add_peers(CauseSection& section, const std::vector<EndpointLine>& endpoints) {
    std::map<std::string_view, const EndpointLine*> by_name;
    for (const EndpointLine& endpoint : endpoints)
        if (!endpoint.dns_server) by_name.emplace(endpoint.name, &endpoint);
    for (CauseLine& line : section.lines) {
        const auto known = is_about_peer(line.kind) ? by_name.find(line.subject) : by_name.end();
        if (known == by_name.end()) continue;
        line.claims = known->second->claims;
        if (line.kind == CauseKind::connect && known->second->attempts.count > 0)
            line.attempts = known->second->attempts;
    }
}

}  // namespace slowtrace::analyze
