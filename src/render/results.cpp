// Results in words.
#include <algorithm>

#include "render/arguments.hpp"
#include "render/call_context.hpp"
#include "render/constants.hpp"

namespace slowtrace::render {

using model::Call;
using model::Returns;
using model::Shape;
using model::Syscall;

namespace {

std::string unfinished_text(const Syscall& call, const model::SyscallRow& row) {
    if (row.call == Call::exit || row.call == Call::exit_group) return "?";
    switch (call.ending()) {
        case Syscall::DIED:
            return "? (killed)";
        case Syscall::EXECED:
            return "? (ended by another thread's exec)";
        case Syscall::DETACHED:
            return "? (unfinished)";
        default:
            return "?";
    }
}

std::string failure_text(int error) {
    // From ERESTARTSYS on the program never sees the number: a signal interrupted the call.
    constexpr int first_internal_error = 512;
    return (error < first_internal_error ? "-1 " : "? ") + model::error_name(error);
}

// Which members of the sets became ready: " ([{fd=3, revents=POLLIN}])", " (in [3], out [4])".
std::string ready_text(const CallContext& context) {
    std::string out;
    for (int argument = 0; argument < context.row().argument_count(); ++argument) {
        const model::Captured* captured = context.captured(argument);
        if (captured == nullptr) continue;
        if (captured->has_poll()) return " (" + ready_members_text(context, argument, captured->poll()) + ")";
        if (!captured->has_descriptors() || captured->descriptors().ready().empty()) continue;
        constexpr const char* set_names[] = {"in ", "out ", "except "};
        const int set = std::clamp(argument - 1, 0, 2);
        out += out.empty() ? " (" : ", ";
        out += set_names[set] + descriptors_text(context, argument, captured->descriptors().ready());
    }
    return out.empty() ? out : out + ")";
}

std::string fcntl_result(const CallContext& context) {
    const std::int64_t result = context.call().result();
    const auto flags = static_cast<std::uint64_t>(result);
    switch (context.int_value(context.argument_of(Shape::fcntl_command))) {
        case 0:     // F_DUPFD
        case 1030:  // F_DUPFD_CLOEXEC
            return context.descriptor(-1, static_cast<int>(result));
        case 1:  // F_GETFD
            return result == 0 ? "0"
                               : std::to_string(result) + " (" + flags_of(descriptor_flag_constants(), flags) + ")";
        case 3:  // F_GETFL
            return pointer_text(flags) == "NULL"
                       ? "0 (O_RDONLY)"
                       : pointer_text(flags) + " (" + open_flags_text(context.call().abi(), flags) + ")";
        default:
            return std::to_string(result);
    }
}

std::string success_text(const CallContext& context) {
    const std::int64_t result = context.call().result();
    if (context.argument_of(Shape::fcntl_command) >= 0) return fcntl_result(context);
    switch (context.row().returns) {
        case Returns::descriptor:
            return context.descriptor(-1, static_cast<int>(result));
        case Returns::address: {
            const auto address = static_cast<std::uint64_t>(result);
            return pointer_text(context.call().abi() == model::I386 ? address & 0xffffffff : address);
        }
        case Returns::ready_count:
            return result == 0 ? "0 (Timeout)" : std::to_string(result) + ready_text(context);
        default:
            return std::to_string(result);
    }
}

}  // namespace

std::string result_text(const Syscall& call, const model::SyscallRow& row, const DescribeDescriptor& describe) {
    if (call.ending() != Syscall::RETURNED) return unfinished_text(call, row);
    if (model::failed(call)) return failure_text(static_cast<int>(-call.result()));
    return success_text(CallContext(call, row, describe));
}

}  // namespace slowtrace::render
