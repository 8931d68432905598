// Hand-made resolved calls for tests of what comes after the Resolver.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "slowtrace/resolved.hpp"

namespace slowtrace::test {

inline constexpr std::int64_t ms = 1'000'000;

// A call and everything it refers to.
struct MadeCall {
    model::Syscall call;
    const model::SyscallRow* row;
    resolve::Thread thread;
    resolve::Process process;
    std::vector<resolve::ResolvedDescriptor> descriptors, watched;
    std::optional<ProcessId> child;

    explicit MadeCall(const char* name, std::int64_t entry_ns = 0, std::int64_t exit_ns = 10 * ms,
                      std::int64_t result = 0)
        : row(model::find_syscall(name)) {
        if (!row) throw std::runtime_error(name);
        call.set_abi(model::X86_64);
        call.set_number(static_cast<std::uint32_t>(row->x86_64));
        call.set_entry_ns(entry_ns);
        call.set_exit_ns(exit_ns);
        call.set_result(result);
        for (int i = 0; i < 6; ++i) call.add_arguments(0);
        thread.main = true;
        process.arguments = {"program"};
    }
    MadeCall& of(const resolve::Process& a_process, const resolve::Thread& a_thread) {
        process = a_process;
        thread = a_thread;
        return *this;
    }
    MadeCall& about(resolve::ResolvedDescriptor descriptor, int argument = 0) {
        descriptor.argument = argument;
        descriptors.push_back(std::move(descriptor));
        return *this;
    }
    MadeCall& watching(resolve::ResolvedDescriptor descriptor, std::uint32_t wanted, std::uint32_t ready = 0) {
        descriptor.wanted = wanted;
        descriptor.ready = ready;
        if (ready) call.set_result(call.result() + 1);
        watched.push_back(std::move(descriptor));
        return *this;
    }
    MadeCall& argument(int i, std::uint64_t value) {
        call.set_arguments(i, value);
        return *this;
    }
    MadeCall& for_child(ProcessId id) {
        child = id;
        return *this;
    }
    MadeCall& piece(std::int64_t from_ns, std::int64_t to_ns) {
        auto* added = call.add_pieces();
        added->set_from_ns(from_ns);
        added->set_to_ns(to_ns);
        return *this;
    }
    resolve::ResolvedCall resolved() const { return {call, *row, thread, process, descriptors, watched, child}; }
};

inline resolve::ResolvedDescriptor file(resolve::FileKind kind, std::string path, std::uint64_t id = 1) {
    auto open = std::make_shared<resolve::OpenFile>();
    open->id = id;
    open->kind = kind;
    open->path = std::move(path);
    resolve::ResolvedDescriptor descriptor;
    descriptor.number = 3;
    descriptor.file = std::move(open);
    return descriptor;
}

// A TCP connection to extra.example.org:80, or what `change` makes of it.
template <typename Change>
resolve::ResolvedDescriptor connection(resolve::ConnectionState state, resolve::Direction last, Change change) {
    auto made = std::make_shared<resolve::Connection>();
    made->id = 7;
    made->transport = resolve::Transport::tcp;
    made->peer = {resolve::Transport::tcp, "extra.example.org", resolve::NameEvidence::dns, "", "203.0.113.9", 80};
    made->local = {resolve::Transport::tcp, "", resolve::NameEvidence::none, "", "192.0.2.1", 8080};
    made->state = state;
    change(*made);
    auto open = std::make_shared<resolve::OpenFile>();
    open->kind = resolve::FileKind::socket;
    open->path = "socket:[9]";
    open->connection = made;
    resolve::ResolvedDescriptor descriptor;
    descriptor.number = 4;
    descriptor.file = std::move(open);
    descriptor.state = state;
    descriptor.last_direction = last;
    return descriptor;
}
inline resolve::ResolvedDescriptor connection(resolve::ConnectionState state,
                                              resolve::Direction last = resolve::Direction::none) {
    return connection(state, last, [](resolve::Connection&) {});
}

}  // namespace slowtrace::test
