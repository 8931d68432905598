// What was told of a connection beside the calls on it: its octets' meaning, the kernel's report, the other process.
#include "resolve/connection_facts.hpp"

#include <algorithm>

#include "resolve/claims.hpp"
#include "resolve/connection_life.hpp"

namespace slowtrace::resolve {

namespace {

constexpr std::size_t longest_name = 253;  // of a host, RFC 1035 §2.3.4 without the final dot

// The recorder checked it; the file may come from elsewhere.
bool is_sound(const std::string& name) {
    if (name.empty() || name.size() > longest_name) return false;
    for (const char octet : name)
        if (static_cast<unsigned char>(octet) <= ' ' || octet == '\x7f') return false;
    return true;
}

constexpr std::uint32_t http2 = 20;

// What ALPN offered or chose (RFC 7301). The server's choice is encrypted from TLS 1.3 on: then the offer bounds it.
bool may_multiplex(const model::TlsRecord& hello, bool offered) {
    constexpr std::uint32_t client_hello = 1, server_hello = 2, version_1_3 = 0x0304;
    const bool chosen =
        hello.handshake_type() == server_hello && (hello.version() < version_1_3 || !hello.protocols().empty());
    if (hello.handshake_type() != client_hello && !chosen) return offered;
    return std::find(hello.protocols().begin(), hello.protocols().end(), "h2") != hello.protocols().end();
}

bool may_multiplex(const model::StreamFact& fact, bool known) {
    const auto source = fact.name().source();
    if (source == model::NameClaim::QUIC_SNI || source == model::NameClaim::HTTP2_AUTHORITY) return true;
    if (fact.has_request() && fact.request().version() == http2) return true;
    return fact.has_tls() ? may_multiplex(fact.tls(), known) : known;
}

// RFC 9110 §15.2: the final response is still to come; 101 is one, for another protocol follows it.
bool is_interim(const model::HttpResponse& response) {
    constexpr std::uint32_t first_final = 200, switching_protocols = 101;
    return response.status() < first_final && response.status() != switching_protocols;
}

void pass_on(Life& life, const model::StreamFact& fact) {
    if (fact.has_tls()) life.tls_record(fact.sent(), fact.tls());
    if (fact.has_response()) life.response(is_interim(fact.response()));
    if (fact.has_proxy()) life.tunnel_answered();
    if (fact.has_request() && fact.request().version() == http2) life.speaks_http2();
    const auto source = fact.name().source();
    if (source == model::NameClaim::HTTP_CONNECT || source == model::NameClaim::SOCKS) life.asks_for_tunnel();
}

// A proxy that refused may be asked again.
void note_tunnel(Connection& connection, const model::StreamFact& fact) {
    const auto source = fact.name().source();
    if (source == model::NameClaim::HTTP_CONNECT || source == model::NameClaim::SOCKS) {
        connection.tunnel_from_ns = fact.time_ns();
        connection.tunnel_to_ns.reset();
    }
    if (fact.has_proxy()) connection.tunnel_to_ns = fact.time_ns();
}

}  // namespace

TrackedFile* socket_at(const ThreadState& thread, int descriptor, std::int64_t time_ns) {
    if (thread.files == nullptr) return nullptr;
    const FilePointer& file = thread.files->at(descriptor, time_ns, thread.thread.id);
    return file != nullptr && file->socket != nullptr ? file.get() : nullptr;
}

void heard(RunState& run, ThreadState& thread, const model::StreamFact& fact) {
    TrackedFile* socket = socket_at(thread, fact.fd(), fact.time_ns());
    if (socket == nullptr) return;
    note_tunnel(*socket->connection, fact);
    if (fact.has_peer() && !socket->socket->fixed)
        run.connections.set_peer(*socket, fact.peer(), *thread.process, fact.time_ns());
    if (fact.has_name() && is_sound(fact.name().name()))
        run.connections.set_name(
            *socket,
            {evidence_of(fact.name().source()), fact.name().name(), static_cast<std::uint16_t>(fact.name().port())},
            *thread.process, fact.time_ns());
    socket->connection->may_multiplex = may_multiplex(fact, socket->connection->may_multiplex);
    if (socket->socket->life) pass_on(*socket->socket->life, fact);
    if (fact.has_response() && !is_interim(fact.response())) socket->connection->http_status = fact.response().status();
}

void heard(RunState&, ThreadState& thread, const model::TcpReport& report) {
    TrackedFile* socket = socket_at(thread, report.fd(), report.time_ns());
    if (socket == nullptr) return;
    std::optional<model::TcpReport>& last = socket->connection->tcp;
    if (!last || report.closing() || !last->closing()) last = report;
}

void heard(RunState& run, ThreadState& thread, const model::PeerProcess& peer) {
    TrackedFile* socket = socket_at(thread, peer.fd(), peer.time_ns());
    if (socket == nullptr) return;
    std::optional<LocalPeer>& known = socket->connection->local_peer;
    if (known && !known->listener && peer.listener()) return;
    known = LocalPeer{peer.pid(), peer.name(), {}, peer.listener()};
    if (const ProcessState* process = run.processes.alive(peer.pid(), peer.time_ns()))
        known->process = process->process.id;
}

}  // namespace slowtrace::resolve
