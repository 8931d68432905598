// An open file with what only the resolver needs: who refers to it, who watches it, what is pending on it.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "resolve/epoll_interest.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

struct TrackedFile;
struct ProcessState;
struct Lookup;
class Life;
class FileTable;
using FilePointer = std::shared_ptr<TrackedFile>;

// A connect whose outcome the program has not learned yet.
struct PendingAttempt {
    ThreadId thread{};
    std::int64_t from_ns = 0;
    std::optional<std::int64_t> ready_ns;       // reported readable or writable
    bool ready_is_success = false;              // …by a call that would have told of an error
    std::optional<std::int64_t> error_ns;       // reported with ERR or HUP
    std::optional<std::int64_t> waited_out_ns;  // the last wait for it that timed out
};

struct PendingQuestion {
    const ProcessState* process = nullptr;
    ThreadId thread{};
    Endpoint server;
    std::string name;
    std::uint32_t type = 0;
    std::uint32_t id = 0;
    model::DnsMessage::Carrier carrier = model::DnsMessage::DNS;
    std::int64_t asked_ns = 0;
};

// Descriptors received before their sending was told: stand-ins to be replaced.
struct AwaitedFiles {
    std::weak_ptr<FileTable> table;
    std::vector<std::pair<int, std::weak_ptr<TrackedFile>>> stand_ins;
};

// One end of a UNIX connection whose other end is not known yet; it may have closed since.
struct UnmatchedEnd {
    std::uint64_t id = 0;
    std::weak_ptr<TrackedFile> file;
};

struct SocketState {
    bool stream = false;     // SOCK_STREAM or SOCK_SEQPACKET: has a connect worth timing
    bool fixed = false;      // the peer is settled: connected, accepted
    bool announced = false;  // connection_opened was told
    std::string peer_key;    // the raw address `peer` was made of
    std::optional<PendingAttempt> attempt;
    std::vector<PendingQuestion> questions;
    std::shared_ptr<Lookup> lookup;  // that led to the peer's address, until it is used
    std::deque<AwaitedFiles> awaited;
    // Of a UNIX listener: who connected, and who was accepted before its connect was told.
    std::deque<UnmatchedEnd> clients, servers;
    std::vector<std::string> address_keys;  // under which its other end may find it
    std::shared_ptr<Life> life;             // once announced, until closed; where there are phases to tell
};

struct TrackedFile : OpenFile, std::enable_shared_from_this<TrackedFile> {
    std::uint64_t references = 0;  // descriptor slots and messages in flight
    std::string registry_key;      // of /proc targets that name one object, "pipe:[7]r"; empty when unknown
    std::unique_ptr<SocketState> socket;
    std::unique_ptr<EpollInterest> interest;                                 // epoll only
    std::unordered_map<std::uint64_t, std::weak_ptr<TrackedFile>> watchers;  // the epolls it is registered in
    std::weak_ptr<TrackedFile> other_end;                                    // pipe, socketpair, UNIX connection
};

// Every OpenFile a Resolver hands out is a TrackedFile of its own.
inline TrackedFile* tracked(const OpenFile* file) {
    return const_cast<TrackedFile*>(static_cast<const TrackedFile*>(file));
}

inline void join(TrackedFile& one, TrackedFile& other) {
    one.pair = other.id;
    other.pair = one.id;
    one.other_end = other.weak_from_this();
    other.other_end = one.weak_from_this();
}

}  // namespace slowtrace::resolve
