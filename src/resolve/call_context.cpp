// One ended call as its handler sees it, and the table of handlers.
#include "resolve/call_context.hpp"

#include <array>
#include <limits>

namespace slowtrace::resolve {

namespace {

using HandlerTable = std::array<Handler, static_cast<std::size_t>(model::Call::count)>;

HandlerTable collect_handlers() {
    HandlerTable table{};
    for (auto rows : {open_handlers(), descriptor_handlers(), socket_handlers(), traffic_handlers(), wait_handlers(),
                      process_handlers()})
        for (const HandlerRow& row : rows) table[static_cast<std::size_t>(row.call)] = row.handler;
    return table;
}

}  // namespace

Handler handler_of(model::Call call) {
    static const HandlerTable table = collect_handlers();
    return table[static_cast<std::size_t>(call)];
}

ResolvedDescriptor describe(int argument, int number, const FilePointer& file) {
    ResolvedDescriptor descriptor;
    descriptor.argument = argument;
    descriptor.number = number;
    descriptor.file = file;
    if (file != nullptr && file->connection != nullptr) {
        descriptor.state = file->connection->state;
        descriptor.last_direction = file->connection->last_direction;
    }
    return descriptor;
}

const model::Captured* CallContext::captured(int position) const {
    for (const auto& one : call.captured())
        if (one.argument() == static_cast<std::uint32_t>(position)) return &one;
    return nullptr;
}

const model::Captured* CallContext::captured(model::Captured::ValueCase value) const {
    for (const auto& one : call.captured())
        if (one.value_case() == value) return &one;
    return nullptr;
}

TrackedFile* CallContext::file(int position) const {
    for (const ResolvedDescriptor& one : descriptors)
        if (one.argument == position) return tracked(one.file.get());
    return nullptr;
}

TrackedFile& CallContext::known_file(int position) {
    if (TrackedFile* known = file(position)) return *known;
    FilePointer unseen = run.new_file(FileKind::unknown, {});
    int descriptor = number(position);
    run.bind(table(), descriptor, {unseen, table().free_since(descriptor), thread.thread.id, false});
    for (ResolvedDescriptor& one : descriptors)
        if (one.argument == position) {
            one.file = unseen;
            return *unseen;
        }
    descriptors.push_back(describe(position, descriptor, unseen));
    return *unseen;
}

const FilePointer& CallContext::meaning(int descriptor) const {
    return thread.files->at(descriptor, call.entry_ns(), thread.thread.id);
}

void CallContext::bind(int descriptor, FilePointer file, bool close_on_exec) {
    if (descriptor < 0) return;
    run.bind(table(), descriptor, {std::move(file), time_ns(), thread.thread.id, close_on_exec});
}

void CallContext::bind_result(int descriptor, FilePointer file, bool close_on_exec) {
    descriptors.push_back(describe(-1, descriptor, file));
    bind(descriptor, std::move(file), close_on_exec);
}

}  // namespace slowtrace::resolve
