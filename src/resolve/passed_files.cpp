// Descriptors that travel through UNIX sockets (SCM_RIGHTS, unix(7)): what is received is what was sent.
#include "resolve/passed_files.hpp"

namespace slowtrace::resolve {

namespace {

constexpr std::size_t messages_kept = 4096;  // in flight through one socket

using Files = std::vector<FilePointer>;

FilePointer known_meaning(CallContext& context, int descriptor) {
    if (const FilePointer& file = context.meaning(descriptor)) return file;
    FilePointer unseen = context.run.new_file(FileKind::unknown, {});
    if (descriptor >= 0)
        context.run.bind(context.table(), descriptor,
                         {unseen, context.table().free_since(descriptor), context.thread.thread.id, false});
    return unseen;
}

// The receiver was told of first: its stand-ins become what is sent now.
void replace_stand_ins(CallContext& context, AwaitedFiles awaited, const Files& files) {
    std::shared_ptr<FileTable> table = awaited.table.lock();
    for (std::size_t i = 0; table != nullptr && i < files.size() && i < awaited.stand_ins.size(); ++i) {
        const auto& [descriptor, stand_in] = awaited.stand_ins[i];
        Slot* slot = table->find(descriptor);
        if (slot == nullptr || slot->file != stand_in.lock() || slot->file->kind != FileKind::unknown) continue;
        FilePointer placeholder = std::exchange(slot->file, files[i]);
        context.run.retain(*files[i]);
        context.run.release(placeholder, Closing::closed, context.time_ns());
    }
}

// Empty when the sender is not in the run or has not been told of yet.
Files sent_to(CallContext& context, TrackedFile& socket, bool peeked) {
    auto queue = context.run.in_flight.find(socket.pair.value_or(UINT64_MAX));
    if (queue == context.run.in_flight.end() || queue->second.empty()) return {};
    Files files = queue->second.front();
    if (peeked) return files;
    queue->second.pop_front();
    if (queue->second.empty()) context.run.in_flight.erase(queue);
    return files;
}

}  // namespace

void send_files(CallContext& context, TrackedFile& socket, const model::SocketMessages::Message& message) {
    if (message.passed_descriptors().empty()) return;
    Files files;
    for (int descriptor : message.passed_descriptors()) files.push_back(known_meaning(context, descriptor));
    if (FilePointer receiver = socket.other_end.lock();
        receiver && receiver->socket && !receiver->socket->awaited.empty()) {
        AwaitedFiles awaited = std::move(receiver->socket->awaited.front());
        receiver->socket->awaited.pop_front();
        return replace_stand_ins(context, std::move(awaited), files);
    }
    if (socket.connection->transport != Transport::unix_socket) return;
    auto& queue = context.run.in_flight[socket.id];
    if (queue.size() == messages_kept) return;
    for (const FilePointer& file : files) context.run.retain(*file);
    queue.push_back(std::move(files));
}

void receive_files(CallContext& context, TrackedFile& socket, const model::SocketMessages::Message& message,
                   bool close_on_exec, bool peeked) {
    if (message.passed_descriptors().empty()) return;
    Files files = sent_to(context, socket, peeked);
    AwaitedFiles awaited{context.thread.files, {}};
    std::size_t position = 0;
    for (int descriptor : message.passed_descriptors()) {
        FilePointer file = position < files.size() ? files[position] : context.run.new_file(FileKind::unknown, {});
        if (position >= files.size()) awaited.stand_ins.emplace_back(descriptor, file);
        context.bind_result(descriptor, std::move(file), close_on_exec);
        ++position;
    }
    if (files.empty() && !peeked) {
        if (socket.socket->awaited.size() == messages_kept) socket.socket->awaited.pop_front();
        socket.socket->awaited.push_back(std::move(awaited));
    }
    // The message's own references end as the descriptors' begin.
    if (!peeked)
        for (const FilePointer& file : files) context.run.release(file, Closing::closed, context.time_ns());
}

}  // namespace slowtrace::resolve
