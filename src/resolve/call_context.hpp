// One ended call as its handler sees it, and the rows that say which handler a call has.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "resolve/run_state.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

struct CallContext {
    RunState& run;
    const model::Syscall& call;
    const model::SyscallRow& row;
    ThreadState& thread;
    bool succeeded;
    int error;  // 0 unless it failed
    std::vector<ResolvedDescriptor>& descriptors;
    std::vector<ResolvedDescriptor>& watched;
    std::optional<ProcessId> child = {};

    FileTable& table() { return *thread.files; }
    std::int64_t time_ns() const { return call.exit_ns(); }
    // Longer than a call that need not wait takes (analyze::shortest_wait_ns says the same of all calls).
    bool lasted() const {
        constexpr std::uint64_t shortest_wait_ns = 50'000;
        const auto entry_ns = static_cast<std::uint64_t>(call.entry_ns());
        const auto exit_ns = static_cast<std::uint64_t>(call.exit_ns());
        return call.exit_ns() > call.entry_ns() && exit_ns - entry_ns >= shortest_wait_ns;
    }
    std::uint64_t argument(int position) const {
        return position < call.arguments_size() ? call.arguments(position) : 0;
    }
    int number(int position) const { return static_cast<int>(static_cast<std::uint32_t>(argument(position))); }
    bool has_flag(int position, std::uint64_t flag) const { return (argument(position) & flag) != 0; }
    const model::Captured* captured(int position) const;
    const model::Captured* captured(model::Captured::ValueCase value) const;

    // The open file an argument meant when the call began; nullptr when it is not known to be open.
    TrackedFile* file(int position) const;
    // The same for a call that succeeded: the descriptor was open even if nobody saw it opened.
    TrackedFile& known_file(int position);
    // What a number that is no argument (a poll member) meant then.
    const FilePointer& meaning(int descriptor) const;

    // Binds a number in the caller's table; nothing for a negative one.
    void bind(int descriptor, FilePointer file, bool close_on_exec);
    // …and reports it as the call's result.
    void bind_result(int descriptor, FilePointer file, bool close_on_exec);
};

ResolvedDescriptor describe(int argument, int number, const FilePointer& file);

using Handler = void (*)(CallContext&);

struct HandlerRow {
    model::Call call;
    Handler handler;
};

std::span<const HandlerRow> open_handlers();        // new files and descriptors out of nothing
std::span<const HandlerRow> descriptor_handlers();  // dup, close, fcntl and their kin
std::span<const HandlerRow> socket_handlers();      // socket, connect, accept and their kin
std::span<const HandlerRow> traffic_handlers();     // bytes through sockets
std::span<const HandlerRow> wait_handlers();        // poll, select, epoll
std::span<const HandlerRow> process_handlers();     // wait, vfork, unshare, pidfds

// nullptr for a call without consequences.
Handler handler_of(model::Call call);

}  // namespace slowtrace::resolve
