// Names, categories and arguments of call slices.
#include "render/json_call.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "render/arguments.hpp"
#include "render/evidence.hpp"
#include "render/text.hpp"
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

// Members of our own that an argument must not collide with; a key twice is not JSON.
constexpr std::string_view own_keys[] = {"detail", "result",     "error",     "endpoint", "evidence",
                                         "cause",  "unfinished", "restarted", "at_least", "cut"};

std::string free_key(std::string_view name) {
    const bool taken = std::find(std::begin(own_keys), std::end(own_keys), name) != std::end(own_keys);
    return std::string(name) + (taken ? "_argument" : "");
}

bool has_peer(const resolve::Connection& connection) {
    return !connection.peer.host.empty() || !connection.peer.address.empty();
}

// The other end a call was about: of its descriptor, or of the connection a multiplexed wait was for.
const resolve::Endpoint* endpoint(const resolve::ResolvedCall& call, const std::optional<analyze::Cause>& cause) {
    const resolve::ResolvedDescriptor* subject = call.subject();
    if (subject != nullptr && subject->file && subject->file->connection && has_peer(*subject->file->connection))
        return &subject->file->connection->peer;
    if (!cause || cause->connection == 0) return nullptr;
    for (const resolve::ResolvedDescriptor& one : call.watched)
        if (one.file && one.file->connection && one.file->connection->id + 1 == cause->connection)
            return &one.file->connection->peer;
    return nullptr;
}

void append_endpoint(JsonObject& arguments, const resolve::Endpoint& peer) {
    arguments.text("endpoint", peer.display());
    if (!peer.carrier.empty()) arguments.text("carrier", peer.carrier);
    if (peer.evidence != resolve::NameEvidence::none) arguments.text("evidence", evidence_name(peer.evidence));
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

// "3<extra.example.org:80>": a descriptor's number with what it referred to when the call began.
std::string describe_descriptor(const resolve::ResolvedCall& call, int argument, int number) {
    const resolve::OpenFile* file = nullptr;
    for (const auto& descriptors : {call.descriptors, call.watched})
        for (const resolve::ResolvedDescriptor& one : descriptors)
            if (file == nullptr && one.number == number && (one.argument == argument || one.argument < 0))
                file = one.file.get();
    if (file == nullptr) return "";
    const bool known = file->connection && has_peer(*file->connection);
    const std::string target = known ? file->connection->peer.display() : file->path;
    return target.empty() ? "" : std::to_string(number) + "<" + visible(target) + ">";
}

// The decoded arguments by name, and all of it as one line: `connect(3<…>, …) = -1 ECONNREFUSED`.
void append_arguments(JsonObject& arguments, std::string_view name, const resolve::ResolvedCall& call) {
    const DescribeDescriptor describe = [&call](int argument, int number) {
        return describe_descriptor(call, argument, number);
    };
    std::string detail(name);
    std::string_view separator = "(";
    for (const ArgumentText& argument : argument_texts(call.call, call.row, describe)) {
        detail += separator;
        detail += argument.text;
        separator = ", ";
        arguments.text(free_key(argument.name), argument.text);
    }
    detail += separator == "(" ? "() = " : ") = ";
    detail += result_text(call.call, call.row, describe);
    arguments.text("detail", detail);
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
    append_arguments(arguments, name, call);
    append_result(arguments, call);
    if (const resolve::Endpoint* peer = endpoint(call, cause)) append_endpoint(arguments, *peer);
    if (cause) arguments.text("cause", cause_text(*cause));
    append_marks(arguments, call.call);
    arguments.close();
}

}  // namespace slowtrace::render
