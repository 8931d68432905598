// Everything known about a run at one instant, and the operations all calls are made of.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "resolve/connect_attempts.hpp"
#include "resolve/connections.hpp"
#include "resolve/dns_exchanges.hpp"
#include "resolve/name_book.hpp"
#include "resolve/notices.hpp"
#include "resolve/process_table.hpp"

namespace slowtrace::resolve {

struct RunState {
    explicit RunState(ResolvedSink& out) : sink(out) {}

    ResolvedSink& sink;
    Notices notices;
    ProcessTable processes;
    NameBook names;
    Connections connections{sink, notices, names};
    Races races{notices};
    ConnectAttempts attempts{notices, races};
    DnsExchanges exchanges{notices, names};
    // Objects the kernel names alike in every process ("pipe:[7]r"), and UNIX listeners by their address.
    std::unordered_map<std::string, std::weak_ptr<TrackedFile>> by_target, listeners;
    // TCP connections that wait for their other end, by both addresses.
    std::unordered_map<std::string, std::weak_ptr<TrackedFile>> by_addresses;
    // SCM_RIGHTS sent through a UNIX socket (by the sending one's id) and not received yet. Kept here, as a
    // socket may carry itself, and by sender, as it may send before anyone has accepted it.
    std::unordered_map<std::uint64_t, std::deque<std::vector<FilePointer>>> in_flight;
    std::uint64_t next_file_id = 0;

    FilePointer new_file(FileKind kind, std::string path);

    // Descriptors. A file whose last reference goes is closed: attempts end, epolls forget it, the sink is told.
    void bind(FileTable& table, int number, Slot slot);
    void unbind(FileTable& table, int number, Closing closing, std::int64_t time_ns);
    void retain(TrackedFile& file) { ++file.references; }
    void release(const FilePointer& file, Closing closing, std::int64_t time_ns);

    // Tables.
    std::shared_ptr<FileTable> copy_of(const FileTable& table);
    void unshare(ThreadState& thread);
    void drop_table(ThreadState& thread, std::int64_t time_ns);

   private:
    void close_file(TrackedFile& file, Closing closing, std::int64_t time_ns, std::vector<FilePointer>& orphans);
};

}  // namespace slowtrace::resolve
