// Descriptors the recorder looked up because no recorded call had opened them.
#include "resolve/seen_descriptors.hpp"

#include <fcntl.h>

#include "resolve/file_kinds.hpp"
#include "resolve/local_pairs.hpp"
#include "resolve/unix_pairs.hpp"

namespace slowtrace::resolve {

namespace {

// Where the target names one kernel object: a socket, or one end of a pipe.
std::string registry_key(const model::DescriptorBinding& binding, std::uint32_t access) {
    const std::string& target = binding.target();
    if (target.starts_with("socket:[")) return target;
    if (!target.starts_with("pipe:[")) return {};
    return target + (access == O_RDONLY ? "r" : access == O_WRONLY ? "w" : "rw");
}

std::string registry_key(const model::DescriptorBinding& binding) {
    return registry_key(binding, binding.flags() & O_ACCMODE);
}

FilePointer registered(const RunState& run, const std::string& key) {
    auto entry = key.empty() ? run.by_target.end() : run.by_target.find(key);
    return entry == run.by_target.end() ? nullptr : entry->second.lock();
}

bool has_path(FileKind kind) {
    return kind == FileKind::regular || kind == FileKind::directory || kind == FileKind::terminal ||
           kind == FileKind::device || kind == FileKind::memfd;
}

// Whether what was opened by recorded calls may be what was seen. Relative paths end like absolute ones.
bool agree(const TrackedFile& file, const model::DescriptorBinding& binding) {
    FileKind seen = kind_of_target(binding.target());
    if (has_path(file.kind) && has_path(seen))
        return file.path.empty() || !file.path.starts_with('/') || file.path == binding.target();
    if (file.kind != seen) return false;
    return file.registry_key.empty() || file.registry_key == registry_key(binding);
}

void fill_socket(RunState& run, TrackedFile& file, const ThreadState& thread, const model::DescriptorBinding& binding) {
    const model::Socket& socket = binding.socket();
    const ProcessState& process = *thread.process;
    Connection& connection = *file.connection;
    if (connection.local.address.empty() && socket.has_local())
        run.connections.set_local(file, socket.local(), process, binding.time_ns());
    if (file.socket->peer_key.empty() && socket.has_peer())
        run.connections.set_peer(file, socket.peer(), process, binding.time_ns());
    if (connection.state != ConnectionState::fresh) return;
    if (socket.listening()) {
        connection.state = ConnectionState::listening;
        start_listening(run, file);
    } else if (socket.connected()) {
        connection.state = ConnectionState::connected;
        file.socket->fixed = true;
        match_addresses(run, file);
    } else if (socket.has_peer() && connection.transport == Transport::tcp) {
        run.attempts.found(file, thread.thread.id, binding.time_ns());
    }
}

void join_pipe(const RunState& run, TrackedFile& file, const model::DescriptorBinding& binding) {
    std::uint32_t access = binding.flags() & O_ACCMODE;
    if (file.pair || access == O_RDWR) return;
    FilePointer other = registered(run, registry_key(binding, access == O_RDONLY ? O_WRONLY : O_RDONLY));
    if (other != nullptr && other.get() != &file) join(file, *other);
}

// Tells a file, new or so far unknown, what it is.
void describe_file(RunState& run, TrackedFile& file, const ThreadState& thread,
                   const model::DescriptorBinding& binding) {
    file.kind = (binding.flags() & O_DIRECTORY) != 0 ? FileKind::directory : kind_of_target(binding.target());
    file.path = binding.target();
    file.nonblocking = (binding.flags() & O_NONBLOCK) != 0;
    if (file.kind == FileKind::epoll && !file.interest) file.interest = std::make_unique<EpollInterest>();
    if (file.kind == FileKind::pipe) join_pipe(run, file, binding);
    if (file.kind != FileKind::socket) return;
    const model::Socket& socket = binding.socket();
    run.connections.make(file, socket.family(), socket.type(), socket.protocol(), thread.process->process.id,
                         binding.time_ns());
    file.connection->inherited = true;
}

// The list as the kernel told it, of numbers that mean now what they meant when they were added.
void join_interests(TrackedFile& epoll, FileTable& table, const model::DescriptorBinding& binding) {
    if (epoll.interest == nullptr || !epoll.interest->all().empty()) return;
    for (const auto& told : binding.interests()) {
        const Slot* slot = table.find(told.fd());
        if (slot == nullptr || slot->file.get() == &epoll) continue;
        epoll.interest->set({slot->file, slot->file->id, told.fd(), told.events(), told.data(), true});
        slot->file->watchers[epoll.id] = epoll.weak_from_this();
    }
}

void complete(RunState& run, TrackedFile& file, const ThreadState& thread, const model::DescriptorBinding& binding) {
    if (has_path(file.kind) && !binding.target().empty()) file.path = binding.target();
    if (std::string key = registry_key(binding); !key.empty() && file.registry_key.empty()) {
        run.by_target.try_emplace(key, file.weak_from_this());
        file.registry_key = std::move(key);
    }
    if (file.kind == FileKind::pipe) join_pipe(run, file, binding);
    if (file.kind == FileKind::epoll) join_interests(file, *thread.files, binding);
    if (file.socket && binding.has_socket()) fill_socket(run, file, thread, binding);
}

}  // namespace

void bind_seen(RunState& run, ThreadState& thread, const model::DescriptorBinding& binding) {
    if (thread.files == nullptr || binding.fd() < 0) return;
    FileTable& table = *thread.files;
    Slot* slot = table.find(binding.fd());
    bool close_on_exec = (binding.flags() & O_CLOEXEC) != 0;
    FilePointer file = registered(run, registry_key(binding));
    if (slot != nullptr && (slot->file == file || file == nullptr)) {
        if (slot->file->kind == FileKind::unknown) describe_file(run, *slot->file, thread, binding);
        if (agree(*slot->file, binding)) {
            slot->close_on_exec = close_on_exec;
            return complete(run, *FilePointer(slot->file), thread, binding);
        }
    }
    if (file == nullptr) {
        file = run.new_file(FileKind::unknown, {});
        describe_file(run, *file, thread, binding);
    }
    // It meant this before the call that made the recorder look began.
    std::int64_t since_ns = slot != nullptr ? slot->since_ns : table.free_since(binding.fd());
    run.bind(table, binding.fd(), {file, since_ns, thread.thread.id, close_on_exec});
    complete(run, *file, thread, binding);
}

}  // namespace slowtrace::resolve
