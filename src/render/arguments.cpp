// Arguments in words: a function per shape, found through one table; shapes with a table of constants need none.
#include "render/arguments.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "render/call_context.hpp"
#include "render/constants.hpp"
#include "render/text.hpp"

namespace slowtrace::render {

using model::Abi;
using model::Call;
using model::Shape;

std::string pointer_text(std::uint64_t value) {
    if (value == 0) return "NULL";
    std::array<char, 24> buffer;
    std::snprintf(buffer.data(), buffer.size(), "%#llx", static_cast<unsigned long long>(value));
    return buffer.data();
}

std::string open_flags_text(Abi abi, std::uint64_t value) {
    std::string out = name_of(open_access_constants(), value & 3);
    if (const std::uint64_t rest = value & ~std::uint64_t{3}; rest != 0)
        out += "|" + flags_of(open_flag_constants(abi), rest);
    return out;
}

namespace {

std::string format_number(const char* format, std::uint64_t value) {
    std::array<char, 32> buffer;
    std::snprintf(buffer.data(), buffer.size(), format, static_cast<unsigned long long>(value));
    return buffer.data();
}

std::string hex(std::uint64_t value) {
    return format_number("%#llx", value);
}

// An int argument's upper half is zero or garbage; a long's sign is in its top bit.
std::string integer_text(const CallContext& context, int argument) {
    const std::uint64_t value = context.value(argument);
    if (value <= 0xffffffff) return std::to_string(context.int_value(argument));
    return std::to_string(static_cast<std::int64_t>(value));
}
std::string unsigned_text(const CallContext& context, int argument) {
    return std::to_string(context.value(argument));
}
std::string hex_text(const CallContext& context, int argument) {
    return hex(context.value(argument));
}
std::string wide_hex_text(const CallContext& context, int argument) {
    return hex(context.wide_value(argument));
}
std::string offset_text(const CallContext& context, int argument) {
    return std::to_string(context.long_value(argument));
}
std::string wide_offset_text(const CallContext& context, int argument) {
    return std::to_string(static_cast<std::int64_t>(context.wide_value(argument)));
}
std::string address_value_text(const CallContext& context, int argument) {
    return pointer_text(context.value(argument));
}
std::string descriptor_text(const CallContext& context, int argument) {
    return context.descriptor(argument, context.int_value(argument));
}
std::string directory_text(const CallContext& context, int argument) {
    constexpr int at_current_directory = -100;
    return context.int_value(argument) == at_current_directory ? "AT_FDCWD" : descriptor_text(context, argument);
}
std::string process_text(const CallContext& context, int argument) {
    return std::to_string(context.int_value(argument));
}
std::string signal_text(const CallContext& context, int argument) {
    const int signal = context.int_value(argument);
    return signal == 0 ? "0" : model::signal_name(signal);
}
std::string mode_text(const CallContext& context, int argument) {
    return format_number("%#llo", context.value(argument) & 0xffff);
}
std::string timeout_text(const CallContext& context, int argument) {
    const int milliseconds = context.int_value(argument);
    if (milliseconds < 0) return "forever";
    return milliseconds == 0 ? "0" : format_duration(std::int64_t{milliseconds} * 1'000'000);
}
std::string open_flags_argument_text(const CallContext& context, int argument) {
    return open_flags_text(context.call().abi(), static_cast<std::uint32_t>(context.value(argument)));
}
std::string socket_type_text(const CallContext& context, int argument) {
    const auto value = static_cast<std::uint32_t>(context.value(argument));
    constexpr std::uint32_t type_mask = 0xf;
    const std::uint32_t flags = value & ~type_mask;
    // accept4 takes the flags alone.
    if ((value & type_mask) == 0) return flags_of(socket_type_flag_constants(), flags);
    std::string out = name_of(constants_of(Shape::socket_type)->constants, value & type_mask);
    if (flags != 0) out += "|" + flags_of(socket_type_flag_constants(), flags);
    return out;
}
std::string named_or_number(Constants constants, int value) {
    const auto found = std::ranges::find(constants, static_cast<std::uint64_t>(value), &Constant::value);
    return found == constants.end() ? std::to_string(value) : std::string(found->name);
}
std::string socket_protocol_text(const CallContext& context, int argument) {
    const int family = context.int_value(context.argument_of(Shape::socket_family));
    return named_or_number(socket_protocol_constants(family), context.int_value(argument));
}
std::string socket_option_text(const CallContext& context, int argument) {
    const int level = context.int_value(context.argument_of(Shape::socket_level));
    return named_or_number(socket_option_constants(level), context.int_value(argument));
}
std::string futex_operation_text(const CallContext& context, int argument) {
    constexpr std::uint64_t command_mask = 0x7f;  // FUTEX_CMD_MASK without the two modifier bits
    const auto value = static_cast<std::uint32_t>(context.value(argument));
    std::string out = name_of(constants_of(Shape::futex_operation)->constants, value & command_mask);
    if ((value & ~command_mask) != 0) out += "|" + flags_of(futex_modifier_constants(), value & ~command_mask);
    return out;
}
// The low byte is the signal the parent gets.
std::string clone_flags_text(const CallContext& context, int argument) {
    const std::uint64_t value = context.value(argument);
    const std::uint64_t flags = value & ~std::uint64_t{0xff};
    const int signal = static_cast<int>(value & 0xff);
    std::string out = flags != 0 ? flags_of(constants_of(Shape::clone_flags)->constants, flags) : "";
    if (signal != 0) out += (out.empty() ? "" : "|") + model::signal_name(signal);
    return out.empty() ? "0" : out;
}
std::string ioctl_request_text(const CallContext& context, int argument) {
    return name_of(constants_of(Shape::ioctl_request)->constants, static_cast<std::uint32_t>(context.value(argument)));
}
std::string buffers_text(const CallContext& context, int argument) {
    if (context.value(argument) == 0) return "NULL";
    const int count = context.int_value(argument + 1);
    return "[" + std::to_string(count) + (count == 1 ? " buffer]" : " buffers]");
}
std::string bytes_text(std::uint64_t count) {
    return "[" + std::to_string(count) + (count == 1 ? " byte]" : " bytes]");
}
std::string buffer_in_text(const CallContext& context, int argument) {
    if (context.value(argument) == 0) return "NULL";
    // socklen_t and plen are ints; a size beyond is the whole register's.
    return bytes_text(context.value(argument + 1));
}
std::string buffer_out_text(const CallContext& context, int argument) {
    const model::Syscall& call = context.call();
    const bool filled = call.ending() == model::Syscall::RETURNED && call.result() >= 0 &&
                        context.row().returns == model::Returns::bytes;
    if (!filled || context.value(argument) == 0) return address_value_text(context, argument);
    // recv with MSG_TRUNC returns more than the buffer holds (recv(2)).
    return bytes_text(std::min(static_cast<std::uint64_t>(call.result()), context.value(argument + 1)));
}

struct FcntlCommand {
    int command;
    std::string (*text)(const CallContext&, int argument);
};
std::string descriptor_flags_text(const CallContext& context, int argument) {
    return flags_of(descriptor_flag_constants(), context.value(argument));
}
std::string seals_text(const CallContext& context, int argument) {
    return flags_of(seal_constants(), context.value(argument));
}
// fcntl(2): 0 F_DUPFD, 2 F_SETFD, 4 F_SETFL, 8 F_SETOWN, 10 F_SETSIG, 1024 F_SETLEASE,
// 1030 F_DUPFD_CLOEXEC, 1031 F_SETPIPE_SZ, 1033 F_ADD_SEALS.
constexpr FcntlCommand fcntl_commands[] = {
    {0, integer_text}, {2, descriptor_flags_text}, {4, open_flags_argument_text}, {8, integer_text},
    {10, signal_text}, {1030, integer_text},       {1031, unsigned_text},         {1033, seals_text}};

std::string fcntl_argument_text(const CallContext& context, int argument) {
    const int command = context.int_value(argument - 1);
    const auto found = std::ranges::find(fcntl_commands, command, &FcntlCommand::command);
    return found == std::end(fcntl_commands) ? hex_text(context, argument) : found->text(context, argument);
}

struct ShapeText {
    Shape shape;
    std::string (*text)(const CallContext&, int argument);
};
constexpr ShapeText shape_texts[] = {
    {Shape::integer, integer_text},
    {Shape::unsigned_integer, unsigned_text},
    {Shape::hex, hex_text},
    {Shape::hex64, wide_hex_text},
    {Shape::offset, offset_text},
    {Shape::offset64, wide_offset_text},
    {Shape::offset_low, wide_offset_text},
    {Shape::descriptor, descriptor_text},
    {Shape::directory, directory_text},
    {Shape::process, process_text},
    {Shape::signal, signal_text},
    {Shape::octal_mode, mode_text},
    {Shape::timeout_ms, timeout_text},
    {Shape::open_flags, open_flags_argument_text},
    {Shape::socket_type, socket_type_text},
    {Shape::socket_protocol, socket_protocol_text},
    {Shape::socket_option, socket_option_text},
    {Shape::futex_operation, futex_operation_text},
    {Shape::clone_flags, clone_flags_text},
    {Shape::ioctl_request, ioctl_request_text},
    {Shape::fcntl_argument, fcntl_argument_text},
    {Shape::iovec, buffers_text},
    {Shape::buffer_in, buffer_in_text},
    {Shape::buffer_out, buffer_out_text},
};

std::string argument_text(const CallContext& context, int argument) {
    if (auto text = captured_text(context, argument)) return *std::move(text);
    const Shape shape = context.shape(argument);
    const auto found = std::ranges::find(shape_texts, shape, &ShapeText::shape);
    if (found != std::end(shape_texts)) return found->text(context, argument);
    if (const ShapeConstants* table = constants_of(shape)) {
        // Every named constant fits an int but clone3's, which are captured.
        const std::uint64_t value = static_cast<std::uint32_t>(context.value(argument));
        return table->flags ? flags_of(table->constants, value) : name_of(table->constants, value);
    }
    return address_value_text(context, argument);
}

// futex(2): which of val, timeout, uaddr2 and val3 an operation reads, and whether the fourth is a count.
struct FutexArguments {
    unsigned operation;
    bool value, timeout, count, second, third;
};
constexpr FutexArguments futex_arguments[] = {
    {0, true, true, false, false, false},   {1, true, false, false, false, false},
    {3, true, false, true, true, false},    {4, true, false, true, true, true},
    {5, true, false, true, true, true},     {6, false, true, false, false, false},
    {7, false, false, false, false, false}, {8, false, false, false, false, false},
    {9, true, true, false, false, true},    {10, true, false, false, false, true},
    {11, true, true, false, true, false},   {12, true, false, true, true, true},
    {13, false, true, false, false, false}};

const FutexArguments* futex_arguments_of(const CallContext& context) {
    if (context.row().call != Call::futex && context.row().call != Call::futex_time64) return nullptr;
    const auto operation = static_cast<unsigned>(context.value(1) & 0x7f);
    const auto found = std::ranges::find(futex_arguments, operation, &FutexArguments::operation);
    return found == std::end(futex_arguments) ? nullptr : found;
}

bool creates_file(const CallContext& context) {
    constexpr std::uint64_t create = 0100, temporary = 020000000;  // O_CREAT, the own bit of O_TMPFILE
    return (context.value(context.argument_of(Shape::open_flags)) & (create | temporary)) != 0;
}

// Arguments the kernel does not look at in this call.
bool meaningless(const CallContext& context, int argument) {
    const Shape shape = context.shape(argument);
    if (shape == Shape::offset_high) return true;
    if (shape == Shape::octal_mode && context.argument_of(Shape::open_flags) >= 0) return !creates_file(context);
    if (shape == Shape::fcntl_argument) {
        // F_GETFD, F_GETFL, F_GETOWN, F_GETSIG, F_GETLEASE, F_GETPIPE_SZ, F_GET_SEALS take none.
        constexpr int without[] = {1, 3, 9, 11, 1025, 1032, 1034};
        return std::ranges::count(without, context.int_value(argument - 1)) != 0;
    }
    if (context.row().call == Call::mremap && argument == 4) return (context.value(3) & 2) == 0;  // MREMAP_FIXED
    if (const FutexArguments* futex = futex_arguments_of(context)) {
        const bool used[] = {true, true, futex->value, futex->timeout || futex->count, futex->second, futex->third};
        return !used[argument];
    }
    return false;
}

std::string text_in_context(const CallContext& context, int argument) {
    if (const FutexArguments* futex = futex_arguments_of(context); futex != nullptr && argument == 3 && futex->count)
        return unsigned_text(context, argument);
    return argument_text(context, argument);
}

}  // namespace

std::vector<ArgumentText> argument_texts(const model::Syscall& call, const model::SyscallRow& row,
                                         const DescribeDescriptor& describe) {
    const CallContext context(call, row, describe);
    std::vector<ArgumentText> texts;
    const int count = row.argument_count();
    texts.reserve(static_cast<std::size_t>(count));
    for (int argument = 0; argument < count; ++argument)
        if (!meaningless(context, argument))
            texts.push_back(
                {row.arguments[static_cast<std::size_t>(argument)].name, text_in_context(context, argument)});
    return texts;
}

std::string call_text(const model::Syscall& call, const model::SyscallRow& row, const DescribeDescriptor& describe) {
    std::string out =
        row.call == Call::unknown ? model::syscall_name(call.abi(), call.number()) : std::string(row.name);
    out += '(';
    bool first = true;
    for (const ArgumentText& argument : argument_texts(call, row, describe)) {
        if (!first) out += ", ";
        first = false;
        out += argument.text;
    }
    return out += ')';
}

}  // namespace slowtrace::render
