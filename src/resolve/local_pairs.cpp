// Which two sockets of the run are each other's other end, by their addresses (TCP).
#include "resolve/local_pairs.hpp"

namespace slowtrace::resolve {

namespace {

bool is_any(const Endpoint& end) {
    return end.address == "0.0.0.0" || end.address == "::";
}

bool is_known(const Endpoint& end) {
    return !end.address.empty() && end.port != 0;
}

std::string text(const Endpoint& end) {
    return (is_any(end) ? "*" : end.address) + ' ' + std::to_string(end.port);
}

std::string anywhere(const Endpoint& end) {
    return "* " + std::to_string(end.port);
}

void tell(RunState& run, Connection& connection, const Connection& other) {
    std::optional<LocalPeer>& known = connection.local_peer;
    if (known && !known->listener) return;
    if (const ProcessState* process = run.processes.find_process(index(other.process)))
        known = LocalPeer{process->process.pid, process->process.name(), process->process.id, false};
}

FilePointer find(RunState& run, const std::string& key) {
    auto entry = run.by_addresses.find(key);
    return entry == run.by_addresses.end() ? nullptr : entry->second.lock();
}

}  // namespace

void match_addresses(RunState& run, TrackedFile& end) {
    const Connection& connection = *end.connection;
    const Endpoint &local = connection.local, &peer = connection.peer;
    if (connection.transport != Transport::tcp || end.pair || connection.state == ConnectionState::listening) return;
    // A proxied connection's peer is the proxy's target.
    if (!is_known(local) || !is_known(peer) || !peer.carrier.empty()) return;
    if (is_any(local) && !connection.accepted) return;
    forget_addresses(run, end);
    FilePointer other = find(run, text(peer) + '|' + text(local));
    if (other == nullptr && !connection.accepted) other = find(run, anywhere(peer) + '|' + text(local));
    if (other != nullptr && other.get() != &end && !other->pair) {
        forget_addresses(run, *other);
        join(end, *other);
        return introduce(run, end, *other);
    }
    end.socket->address_keys = {text(local) + '|' + text(peer)};
    // The other end may know itself by its port alone.
    if (!connection.accepted) end.socket->address_keys.push_back(text(local) + '|' + anywhere(peer));
    for (const std::string& key : end.socket->address_keys) run.by_addresses[key] = end.weak_from_this();
}

void forget_addresses(RunState& run, TrackedFile& end) {
    for (const std::string& key : end.socket->address_keys)
        if (auto entry = run.by_addresses.find(key);
            entry != run.by_addresses.end() && entry->second.lock().get() == &end)
            run.by_addresses.erase(entry);
    end.socket->address_keys.clear();
}

void introduce(RunState& run, TrackedFile& one, TrackedFile& other) {
    tell(run, *one.connection, *other.connection);
    tell(run, *other.connection, *one.connection);
}

}  // namespace slowtrace::resolve
