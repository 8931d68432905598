// Descriptor tables and the life of what they refer to: references counted as the kernel counts them.
#include "resolve/run_state.hpp"

#include "resolve/connection_life.hpp"
#include "resolve/local_pairs.hpp"

namespace slowtrace::resolve {

namespace {

// Another file may have taken the name meanwhile.
void forget(std::unordered_map<std::string, std::weak_ptr<TrackedFile>>& registry, const std::string& key,
            const TrackedFile& file) {
    if (auto entry = registry.find(key); entry != registry.end() && entry->second.lock().get() == &file)
        registry.erase(entry);
}

}  // namespace

FilePointer RunState::new_file(FileKind kind, std::string path) {
    auto file = std::make_shared<TrackedFile>();
    file->id = next_file_id++;
    file->kind = kind;
    file->path = std::move(path);
    return file;
}

void RunState::bind(FileTable& table, int number, Slot slot) {
    std::int64_t time_ns = slot.since_ns;
    retain(*slot.file);
    if (FilePointer displaced = table.bind(number, std::move(slot))) release(displaced, Closing::closed, time_ns);
}

void RunState::unbind(FileTable& table, int number, Closing closing, std::int64_t time_ns) {
    if (FilePointer file = table.unbind(number, time_ns)) release(file, closing, time_ns);
}

void RunState::release(const FilePointer& file, Closing closing, std::int64_t time_ns) {
    // Sockets may be in flight inside sockets: a list, not recursion.
    std::vector<FilePointer> orphans{file};
    while (!orphans.empty()) {
        FilePointer next = std::move(orphans.back());
        orphans.pop_back();
        if (next->references > 0 && --next->references == 0) close_file(*next, closing, time_ns, orphans);
    }
}

void RunState::close_file(TrackedFile& file, Closing closing, std::int64_t time_ns, std::vector<FilePointer>& orphans) {
    for (auto& [id, watcher] : file.watchers)
        if (FilePointer epoll = watcher.lock(); epoll != nullptr && epoll->interest)
            epoll->interest->remove_file(file.id);
    file.watchers.clear();
    if (file.interest) {
        for (const auto& [key, interest] : file.interest->all())
            if (FilePointer watched = interest.file.lock()) watched->watchers.erase(file.id);
        file.interest->clear();
    }
    if (!file.registry_key.empty()) forget(by_target, file.registry_key, file);
    if (!file.socket) return;

    const std::size_t first_notice = notices.size();
    const std::optional<PendingAttempt> attempt = file.socket->attempt;
    std::shared_ptr<AttemptOutcome> later = attempts.gone(file, closing, time_ns);
    exchanges.gone(file, time_ns);
    if (file.socket->life) file.socket->life->close(time_ns);
    file.socket->life = nullptr;
    if (auto passed = in_flight.find(file.pair.value_or(UINT64_MAX)); passed != in_flight.end()) {
        for (const auto& files : passed->second) orphans.insert(orphans.end(), files.begin(), files.end());
        in_flight.erase(passed);
    }
    file.socket->awaited.clear();
    forget_addresses(*this, file);
    if (file.connection->state == ConnectionState::listening) forget(listeners, file.connection->local.address, file);
    file.connection->state = ConnectionState::closed;
    file.connection->closed_ns = time_ns;
    if (file.socket->announced) notices.closed(file.connection, time_ns);
    if (later != nullptr)
        races.hold({*file.connection, attempt->thread, attempt->from_ns}, file.connection, std::move(later),
                   first_notice, time_ns);
}

std::shared_ptr<FileTable> RunState::copy_of(const FileTable& table) {
    auto copy = std::make_shared<FileTable>(table.copy());
    for (auto& [number, slot] : copy->slots()) retain(*slot.file);
    return copy;
}

void RunState::unshare(ThreadState& thread) {
    if (thread.files == nullptr || !thread.files->shared()) return;
    std::shared_ptr<FileTable> own = copy_of(*thread.files);
    thread.files->remove_user();
    thread.files = std::move(own);
}

void RunState::drop_table(ThreadState& thread, std::int64_t time_ns) {
    std::shared_ptr<FileTable> table = std::move(thread.files);
    thread.files = nullptr;
    if (table == nullptr || !table->remove_user()) return;
    // Ascending, so that what is told of several sockets does not depend on a hash.
    for (int number : table->numbers(0, UINT32_MAX)) unbind(*table, number, Closing::process_gone, time_ns);
}

}  // namespace slowtrace::resolve
