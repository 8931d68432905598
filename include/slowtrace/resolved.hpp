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

// Where a host name came from, best first.
enum class NameEvidence : std::uint8_t { none, dns, hosts_file, reverse_lookup };

// The other end: the name the program asked for, the address it reached. "No name" is an empty host.
struct Endpoint {
    Transport transport = Transport::other;
    std::string host;
    NameEvidence evidence = NameEvidence::none;
    std::string canonical_name;  // the end of the CNAME chain, empty when it is the host itself
    std::string address;         // "203.0.113.9", "2001:db8::1" (v4-mapped shown as IPv4), UNIX path, "@abstract"
    std::uint16_t port = 0;
    // "extra.example.org:80", "203.0.113.9:80", "[2001:db8::1]:80", "/run/x.sock", "netlink".
    std::string display() const;
    bool operator==(const Endpoint&) const = default;
};

enum class ConnectionState : std::uint8_t { fresh, listening, connecting, connected, failed, closed };
enum class Direction : std::uint8_t { none, sent, received };

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
    std::string question;  // a connection to a DNS server: the name last asked for
    bool is_dns() const { return transport != Transport::unix_socket && peer.port == 53; }
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
    unfinished
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
    virtual void connection_closed(const Connection&, std::int64_t /*time_ns*/) {}  // last descriptor gone, or run end
    virtual void dns_exchange(const DnsExchange&) {}
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
