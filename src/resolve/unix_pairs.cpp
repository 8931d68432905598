// Which two UNIX sockets of the run are each other's other end: connects and accepts matched in order.
#include "resolve/unix_pairs.hpp"

#include "resolve/local_pairs.hpp"

namespace slowtrace::resolve {

namespace {

constexpr std::size_t unmatched_kept = 4096;  // the largest default backlog (listen(2))

// Takes the oldest of `waiting` as the other end; the end joins `others` when there is none.
void match(RunState& run, TrackedFile& end, std::deque<UnmatchedEnd>& waiting, std::deque<UnmatchedEnd>& others) {
    if (waiting.empty()) {
        if (others.size() == unmatched_kept) others.pop_front();
        others.push_back({end.id, end.weak_from_this()});
        return;
    }
    UnmatchedEnd other = waiting.front();
    waiting.pop_front();
    if (FilePointer alive = other.file.lock()) {
        join(end, *alive);
        introduce(run, end, *alive);
    } else {
        end.pair = other.id;
    }
}

}  // namespace

void start_listening(RunState& run, TrackedFile& listener) {
    if (listener.connection->transport != Transport::unix_socket) return;
    const std::string& address = listener.connection->local.address;
    if (!address.empty()) run.listeners[address] = listener.weak_from_this();
}

void match_client(RunState& run, TrackedFile& client) {
    if (client.connection->transport != Transport::unix_socket || client.pair) return;
    auto entry = run.listeners.find(client.connection->peer.address);
    if (entry == run.listeners.end()) return;
    FilePointer listener = entry->second.lock();
    if (listener != nullptr) match(run, client, listener->socket->servers, listener->socket->clients);
}

void match_server(RunState& run, TrackedFile& listener, TrackedFile& server) {
    if (server.connection->transport == Transport::unix_socket)
        match(run, server, listener.socket->clients, listener.socket->servers);
}

}  // namespace slowtrace::resolve
