// Events with their meaning: which process, which open file, which connection, which host by name.
//
// A Resolver is fed a run's events and tells a ResolvedSink what they meant at that instant. It is pure: it
// never looks at the machine, so a live run, a file and a fixture give the same answers. Its memory grows
// with what is alive (processes, descriptors, connections), not with the number of calls.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "slowtrace/events.hpp"
#include "slowtrace/ids.hpp"
#include "slowtrace/syscalls.hpp"

namespace slowtrace::resolve {

// Bytes from the run (names, paths, arguments) are kept as recorded, possibly not UTF-8; renderers escape.

struct Process {
    ProcessId id{};
    int pid = 0;
    std::optional<ProcessId> parent;
    std::string executable;              // of the last exec; the parent's until then
    std::vector<std::string> arguments;  // argv of the last exec
    std::int64_t birth_ns = 0;
    std::optional<std::int64_t> death_ns;
    std::optional<int> status;  // wait status
    bool setuid_ignored = false;
    std::string name() const;  // basename of argv[0] without directories, or of the executable, or "?"
};

struct Thread {
    ThreadId id{};
    int tid = 0;
    ProcessId process{};
    bool main = false;  // the process' first thread
    std::optional<ThreadId> creator;
    std::string name;  // comm
    std::int64_t birth_ns = 0;
    std::optional<std::int64_t> death_ns;
    model::ThreadDeath::Cause death = model::ThreadDeath::UNKNOWN;
    std::optional<std::int64_t> run_ns, queued_ns;  // schedstat at death
};

enum class FileKind : std::uint8_t {
    unknown,
    regular,  // or not known to be anything else with this path
    directory,
    terminal,
    device,
    pipe,
    socket,
    eventfd,
    timerfd,
    signalfd,
    epoll,
    inotify,
    memfd,
    pidfd,
    io_uring,
    other,  // another anon_inode
};

// `name` as openat(2) understands it: below `directory` unless absolute or the directory is not known by an absolute
// path. "." and ".." are resolved where that is exact: `directory` is an open file, so it is no symbolic link.
std::string path_below(const std::string& directory, const std::string& name);

enum class Transport : std::uint8_t { tcp, udp, unix_socket, netlink, packet, other };

// Where a host name came from. A name the program put on this very connection (from tls_sni on) is better than one
// that only led to its address; among those, the last wins: the innermost layer says who was meant.
enum class NameEvidence : std::uint8_t {
    none,
    reverse_lookup,
    hosts_file,
    dns,
    http2_authority,
    http_host,
    socks,         // through a proxy: the target, not what was connected to
    http_target,   // likewise
    http_connect,  // likewise
    quic_sni,
    tls_sni,
};

// One piece of evidence for who is at the other end. All are kept; the endpoint's host is the best of them.
struct NameClaim {
    NameEvidence evidence = NameEvidence::none;
    std::string name;
    std::uint16_t port = 0;  // 0 where the evidence did not say
    bool operator==(const NameClaim&) const = default;
};

// The other end: the name the program asked for, the address it reached. "No name" is an empty host.
struct Endpoint {
    Transport transport = Transport::other;
    std::string host;
    NameEvidence evidence = NameEvidence::none;
    std::string canonical_name;  // the end of the CNAME chain, empty when it is the host itself
    std::string address;         // "203.0.113.9", "2001:db8::1" (v4-mapped shown as IPv4), UNIX path, "@abstract"
    std::uint16_t port = 0;
    // The proxy that carries the connection, as display() would show it; empty when it goes there directly. The
    // endpoint is then the proxy's target, and `address` the proxy's.
    std::string carrier = {};
    // "extra.example.org:80", "203.0.113.9:80", "[2001:db8::1]:80", "/run/x.sock", "netlink".
    std::string display() const;
    bool operator==(const Endpoint&) const = default;
};

enum class ConnectionState : std::uint8_t { fresh, listening, connecting, connected, failed, closed };
enum class Direction : std::uint8_t { none, sent, received };

// A stretch of a connection's life; consecutive, disjoint, together its whole life from the first that has begun. Every
// octet is in exactly one; what blocked calls received at their end may be in a stretch without length. On an accepted
// connection the peer asks: `request` is then received and `transfer` sent (connection_life.hpp has the rules).
enum class Phase : std::uint8_t {
    connect,
    tls,         // from the client hello to the end of the handshake
    request,     // sending, from the first octet of an exchange to the last
    first_byte,  // a request is out, nothing has come back yet
    transfer,    // receiving, from the first octet of the answer to the last
    idle,
};

struct PhaseStretch {
    Phase phase = Phase::idle;
    std::int64_t from_ns = 0, to_ns = 0;
    std::uint64_t bytes_sent = 0, bytes_received = 0;
    std::uint64_t exchange = 0;  // the number of the request it belongs to, from 1; 0: none
    Endpoint peer;               // whom it was with: a proxied connection's target changes from request to request
};

// Who holds the other end inside this machine.
struct LocalPeer {
    int pid = 0;
    std::string name;
    std::optional<ProcessId> process;  // when it is traced
    bool listener = false;             // it holds the listening socket; the connection itself may be in other hands
};

// One socket's life. Datagram sockets are connections to the peer of their last exchange.
struct Connection {
    std::uint64_t id = 0;  // dense, in order of appearance
    ProcessId process{};   // that opened it
    Transport transport = Transport::other;
    Endpoint peer;  // default until known
    Endpoint local;
    bool accepted = false;   // the peer connected to us
    bool inherited = false;  // opened before or outside the recording
    ConnectionState state = ConnectionState::fresh;
    Direction last_direction = Direction::none;
    std::int64_t opened_ns = 0;
    std::optional<std::int64_t> connected_ns, closed_ns;
    std::uint64_t bytes_sent = 0, bytes_received = 0;
    std::string question;           // a connection to a DNS server or name service: the name last asked for
    std::string name_service;       // "systemd-resolved" or "nscd" where it answers for DNS, else empty
    std::vector<NameClaim> claims;  // all evidence for the peer's name, in order of appearance, distinct
    std::uint64_t requests = 0;     // exchanges begun: the first and every turn from receiving back to sending
    // It carries HTTP/2 or HTTP/3, or may: several requests at once, of which `requests` counts the turns only.
    bool may_multiplex = false;
    std::optional<std::int64_t> dns_from_ns,
        dns_to_ns;  // the questions that led to its address, for the first to use it
    std::optional<std::int64_t> tunnel_from_ns, tunnel_to_ns;  // from asking a proxy for the target to its answer
    std::optional<std::int64_t> tls_from_ns, tls_to_ns;
    std::uint32_t tls_version = 0;  // 0x0304 is TLS 1.3; 0: none or not known
    std::optional<std::int64_t> first_request_ns, first_byte_ns;
    std::optional<model::TcpReport> tcp;  // the kernel's last word
    std::optional<LocalPeer> local_peer;
    std::uint32_t http_status = 0;  // of the last answer that was read in the clear
    bool lost_race = false;         // given up because another address of the same name was faster
    bool is_dns() const { return !name_service.empty() || (transport != Transport::unix_socket && peer.port == 53); }
};

// An open file description (open(2)): what a descriptor refers to, shared by dup, fork and SCM_RIGHTS.
struct OpenFile {
    std::uint64_t id = 0;
    FileKind kind = FileKind::unknown;
    std::string path;  // or "pipe:[7]", "anon_inode:[eventfd]", …
    bool nonblocking = false;
    std::shared_ptr<Connection> connection;  // sockets only
    std::optional<std::uint64_t> pair;       // pipe and socketpair: the OpenFile at the other end
    int subject_pid = 0;                     // pidfd: of this process
};

enum class AttemptOutcome : std::uint8_t {
    connected,
    refused,
    timed_out,
    unreachable,
    reset,
    failed,
    abandoned,
    unfinished,
    lost_race,  // closed because a racing connect to another address of the same name won (RFC 8305)
};

// One connect, from the call to the moment the program learned (or gave up learning) how it went.
struct ConnectAttempt {
    const Connection* connection = nullptr;
    ThreadId thread{};
    std::int64_t from_ns = 0, to_ns = 0;
    AttemptOutcome outcome = AttemptOutcome::unfinished;
    int error = 0;  // errno where one was seen
};

// One question the program put to DNS and what came back. `answered` false: nothing came before it gave up.
struct DnsExchange {
    ProcessId process{};
    ThreadId thread{};
    Endpoint server;
    std::string name;
    std::uint32_t type = 0;
    model::DnsMessage::Carrier carrier = model::DnsMessage::DNS;
    std::int64_t asked_ns = 0, answered_ns = 0;
    bool answered = false;
    std::uint32_t response_code = 0;
    std::vector<std::string> addresses;
    std::string canonical_name;
};

// A descriptor a call is about, as it was when the call began.
struct ResolvedDescriptor {
    int argument = -1;  // its index; -1: the call's result, or a member of a poll, select or epoll set
    int number = -1;
    std::shared_ptr<const OpenFile> file;            // null: not open
    ConnectionState state = ConnectionState::fresh;  // of its connection, before this call
    Direction last_direction = Direction::none;      // likewise
    std::uint32_t wanted = 0;  // POLL* or EPOLL* bits waited for (members only; select is told as POLL*)
    std::uint32_t ready = 0;   // what was reported
};

struct ResolvedCall {
    const model::Syscall& call;
    const model::SyscallRow& row;
    const Thread& thread;
    const Process& process;
    std::span<const ResolvedDescriptor> descriptors;  // arguments, then the result when it is a descriptor
    std::span<const ResolvedDescriptor> watched;      // what a poll, select or epoll_wait waited for (epoll: the
                                                      // interest list, nested sets included; what was ready
                                                      // comes first, and of a long list only a part)
    std::optional<ProcessId> child;                   // wait4 and waitid: the child reported; vfork, and clone
                                                      // with CLONE_VFORK: the child

    // The first descriptor argument, where there is one.
    const ResolvedDescriptor* subject() const {
        return descriptors.empty() || descriptors.front().argument < 0 ? nullptr : &descriptors.front();
    }
};

// Receives a run with its meaning, in event order. References are valid during the call only, except
// Process and Thread, which live as long as the Resolver. What a call opens is told before the call; the
// attempts and connections it ends, after it. Every connection opened is closed, once; one that never had a
// peer (a listening socket, a socketpair) is told by neither.
class ResolvedSink {
   public:
    virtual ~ResolvedSink() = default;
    virtual void run(const model::Run&) {}
    virtual void process_started(const Process&) {}
    virtual void process_executed(const Process&, std::int64_t /*time_ns*/) {}  // a new program in the same process
    virtual void process_ended(const Process&) {}
    virtual void thread_started(const Thread&) {}
    virtual void thread_renamed(const Thread&) {}
    virtual void thread_ended(const Thread&) {}
    virtual void call(const ResolvedCall&) {}
    virtual void job_stop(const Thread&, const model::JobStop&) {}
    virtual void signal(const Thread&, const model::Signal&) {}
    virtual void connection_opened(const Connection&, std::int64_t /*time_ns*/) {}  // peer known for the first time
    virtual void connect_attempt(const ConnectAttempt&) {}
    // Stretches of one connection come in order, each once, the last before the connection is closed.
    virtual void phase(const Connection&, const PhaseStretch&) {}
    virtual void connection_closed(const Connection&, std::int64_t /*time_ns*/) {}  // last descriptor gone, or run end
    virtual void dns_exchange(const DnsExchange&) {}
    // `call` is null while the thread runs its own code.
    virtual void moment(const Thread&, const Process&, const ResolvedCall* /*call*/, const model::Moment&) {}
    virtual void escape(const Thread&, const model::Escape&) {}
    virtual void loss(const model::Loss&) {}
    virtual void end(const model::RunEnd&) {}
};

class Resolver : public EventSink {
   public:
    explicit Resolver(ResolvedSink& sink);
    ~Resolver() override;
    void event(const model::Event& event) override;
    void syscall(const model::Syscall& call) override;
    // After the last event: closes what is still open (attempts, questions, connections, threads, processes)
    // at the last time seen. A run that has no RunEnd gets one without status. Must be called once.
    void finish();

   private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace slowtrace::resolve
