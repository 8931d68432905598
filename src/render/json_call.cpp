// Names, categories and arguments of call slices.
#include "render/json_call.hpp"

#include <optional>
#include <utility>

#include "render/json_connections.hpp"
#include "slowtrace/causes.hpp"
#include "slowtrace/syscalls.hpp"

namespace slowtrace::render {
namespace {

using model::SyscallClass;

// The first class a call is in names its category: what it is about before how it is addressed.
constexpr std::pair<SyscallClass, std::string_view> categories[] = {
    {SyscallClass::network, "network"}, {SyscallClass::process, "process"}, {SyscallClass::file, "file"},
    {SyscallClass::memory, "memory"},   {SyscallClass::signal, "signal"},   {SyscallClass::ipc, "ipc"},
    {SyscallClass::descriptor, "desc"},
};

std::string_view category(const model::SyscallRow& row) {
    for (const auto& [one, name] : categories)
        if (model::has(row.classes, one)) return name;
    return "other";
}

const resolve::Endpoint* endpoint(const resolve::ResolvedCall& call) {
    const resolve::ResolvedDescriptor* subject = call.subject();
    if (subject == nullptr || !subject->file || !subject->file->connection) return nullptr;
    const resolve::Endpoint& peer = subject->file->connection->peer;
    return peer.host.empty() && peer.address.empty() ? nullptr : &peer;
}

void append_result(JsonObject& arguments, const resolve::ResolvedCall& call) {
    if (call.call.ending() != model::Syscall::RETURNED) return;
    const std::int64_t result = call.call.result();
    if (call.row.returns == model::Returns::address && !model::failed(call.call))
        arguments.hex("result", static_cast<std::uint64_t>(result));
    else
        arguments.integer("result", result);
    if (model::failed(call.call)) arguments.text("error", model::error_name(static_cast<int>(-result)));
}

void append_marks(JsonObject& arguments, const model::Syscall& call) {
    if (call.ending() != model::Syscall::RETURNED) arguments.flag("unfinished");
    if (call.pieces_size() > 1) arguments.integer("restarted", call.pieces_size() - 1);
    if (call.began_before()) arguments.flag("at_least");
}

void append_arguments(JsonObject& arguments, const resolve::ResolvedCall& call) {
    for (int i = 0; i < call.row.argument_count() && i < call.call.arguments_size(); ++i)
        arguments.hex(call.row.arguments[static_cast<std::size_t>(i)].name, call.call.arguments(i));
}

std::string cause_text(const analyze::Cause& cause) {
    std::string text(analyze::phrase(cause.kind));
    if (!cause.subject.empty()) text += ' ' + cause.subject;
    if (cause.timed_out) text += ", timed out";
    return text;
}

}  // namespace

bool has_no_end(const model::Syscall& call) {
    return call.exit_ns() < call.entry_ns();
}

void describe_call(JsonBody& body, const resolve::ResolvedCall& call) {
    std::optional<analyze::Cause> cause;
    if (has_no_end(call.call) || analyze::time_in_call(call.call) >= analyze::shortest_wait_ns)
        cause = analyze::cause_of(call);
    const std::string unknown =
        call.row.call == model::Call::unknown ? model::syscall_name(call.call.abi(), call.call.number()) : "";
    const std::string_view name = unknown.empty() ? call.row.name : std::string_view(unknown);
    JsonObject arguments = JsonTimeline::begin(body, name, cause ? analyze::name(cause->kind) : category(call.row));
    append_arguments(arguments, call);
    append_result(arguments, call);
    if (const resolve::Endpoint* peer = endpoint(call)) arguments.text("endpoint", peer->display());
    if (cause) arguments.text("cause", cause_text(*cause));
    append_marks(arguments, call.call);
    arguments.close();
}

}  // namespace slowtrace::render
