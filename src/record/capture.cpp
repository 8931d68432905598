// One small reader a shape, in a table; a plan per syscall row says which readers run at entry and which at exit.
#include "record/capture.hpp"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "record/capture_context.hpp"
#include "record/socket_address.hpp"

namespace slowtrace::record {

namespace {

using model::Call;
using model::Shape;

constexpr std::uint64_t address_limit = 128;
constexpr std::size_t strings_limit = 32, strings_bytes_limit = 4096, short_string_limit = 256;

// --- strings

void read_text(CaptureContext& context, int argument, std::size_t limit) {
    if (!context.address(argument)) return;
    bool truncated = false;
    if (auto text = context.memory.string(context.address(argument), limit, truncated)) {
        model::Captured& captured = context.captured(argument);
        captured.set_path(std::move(*text));
        captured.set_truncated(truncated);
    }
}
void read_path(CaptureContext& context, int argument) {
    read_text(context, argument, PATH_MAX);
}
void read_short_string(CaptureContext& context, int argument) {
    read_text(context, argument, short_string_limit);
}
void read_strings(CaptureContext& context, int argument) {
    if (!context.address(argument)) return;
    model::Captured& captured = context.captured(argument);
    auto& strings = *captured.mutable_strings();
    std::size_t total = 0;
    for (std::size_t at = 0;; ++at) {
        const auto pointer = context.word(context.address(argument) + at * context.architecture.pointer_bytes);
        if (!pointer || *pointer == 0) return;
        if (at == strings_limit || total >= strings_bytes_limit) break;
        bool truncated = false;
        auto text = context.memory.string({*pointer}, strings_bytes_limit - total, truncated);
        if (!text) text.emplace();
        total += text->size() + 1;
        strings.add_values(std::move(*text));
    }
    captured.set_truncated(true);
}

// --- socket addresses

void read_address(CaptureContext& context, int argument, std::uint64_t length) {
    if (!context.address(argument) || length < 2) return;
    const auto raw = context.memory.bytes(context.address(argument), std::min(length, address_limit));
    if (raw) parse_socket_address(*raw, *context.captured(argument).mutable_address());
}
void read_address_in(CaptureContext& context, int argument) {
    read_address(context, argument, context.value(argument + 1) & 0xffffffff);
}
void read_address_out(CaptureContext& context, int argument) {
    if (context.call.result() < 0 || !context.address(argument) || !context.address(argument + 1)) return;
    if (const auto length = context.memory.value<std::uint32_t>(context.address(argument + 1)))
        read_address(context, argument, *length);
}

// --- times

void read_time(CaptureContext& context, int argument, int field_bytes, int skip_fields, std::int64_t fraction_ns) {
    const RemoteAddress at = context.address(argument);
    if (!at) return;
    const auto raw = context.memory.bytes(at + static_cast<std::uint64_t>(skip_fields * field_bytes),
                                          static_cast<std::size_t>(2 * field_bytes));
    if (!raw) return;
    std::int64_t seconds = 0, fraction = 0;
    if (field_bytes == 8) {
        std::memcpy(&seconds, raw->data(), 8);
        std::memcpy(&fraction, raw->data() + 8, 8);
    } else {
        std::int32_t narrow[2];
        std::memcpy(narrow, raw->data(), 8);
        seconds = narrow[0];
        fraction = narrow[1];
    }
    std::int64_t nanoseconds = 0;
    if (__builtin_mul_overflow(seconds, std::int64_t{1'000'000'000}, &nanoseconds) ||
        __builtin_mul_overflow(fraction, fraction_ns, &fraction) ||
        __builtin_add_overflow(nanoseconds, fraction, &nanoseconds))
        nanoseconds = INT64_MAX;
    context.captured(argument).set_duration_ns(nanoseconds);
}
bool futex_has_timeout(std::uint64_t operation) {
    switch (operation & FUTEX_CMD_MASK) {
        case FUTEX_WAIT:
        case FUTEX_WAIT_BITSET:
        case FUTEX_LOCK_PI:
        case FUTEX_LOCK_PI2:
        case FUTEX_WAIT_REQUEUE_PI:
            return true;
        default:
            return false;  // the argument is a number, or nothing at all
    }
}
bool is_futex(Call call) {
    return call == Call::futex || call == Call::futex_time64;
}
void read_timespec(CaptureContext& context, int argument) {
    if (is_futex(context.row.call) && !futex_has_timeout(context.value(1))) return;
    read_time(context, argument, context.architecture.time_bytes, 0, 1);
}
void read_timespec64(CaptureContext& context, int argument) {
    if (is_futex(context.row.call) && !futex_has_timeout(context.value(1))) return;
    read_time(context, argument, 8, 0, 1);
}
void read_timeval(CaptureContext& context, int argument) {
    read_time(context, argument, context.architecture.time_bytes, 0, 1000);
}
// it_interval comes first, it_value second.
void read_itimerspec(CaptureContext& context, int argument) {
    read_time(context, argument, context.architecture.time_bytes, 2, 1);
}
void read_itimerspec64(CaptureContext& context, int argument) {
    read_time(context, argument, 8, 2, 1);
}
void read_itimerval(CaptureContext& context, int argument) {
    read_time(context, argument, context.architecture.time_bytes, 2, 1000);
}

// --- single values

void read_pair(CaptureContext& context, int argument) {
    if (context.call.result() < 0) return;
    struct {
        std::int32_t first, second;
    } pair;
    if (context.memory.read(context.address(argument), std::as_writable_bytes(std::span(&pair, 1))) != sizeof pair)
        return;
    auto& captured = *context.captured(argument).mutable_pair();
    captured.set_first(pair.first);
    captured.set_second(pair.second);
}
void read_integer(CaptureContext& context, int argument) {
    if (context.call.result() < 0 || !context.address(argument)) return;
    if (const auto value = context.memory.value<std::int32_t>(context.address(argument)))
        context.captured(argument).set_number(*value);
}
// wait4 stores a status only when it reports a child.
void read_integer_out(CaptureContext& context, int argument) {
    if (context.row.returns == model::Returns::process && context.call.result() <= 0) return;
    read_integer(context, argument);
}
void read_option(CaptureContext& context, int argument) {
    const bool wanted = context.value(1) == SOL_SOCKET && (context.value(2) == SO_ERROR || context.value(2) == SO_TYPE);
    if (wanted) read_integer(context, argument);
}
void read_ioctl_in(CaptureContext& context, int argument) {
    if ((context.value(1) & 0xffffffff) == FIONBIO)
        if (const auto value = context.memory.value<std::int32_t>(context.address(argument)))
            context.captured(argument).set_number(*value);
}
void read_ioctl_out(CaptureContext& context, int argument) {
    if ((context.value(1) & 0xffffffff) == FIONREAD) read_integer(context, argument);
}

// --- structures

// struct flock: two shorts, then offsets whose width and alignment are the ABI's, or 64 bits packed to 4 on i386.
void read_lock(CaptureContext& context, int argument) {
    constexpr std::uint64_t getlk64 = 12, setlkw64 = 14;  // the numbers of i386's fcntl64(2)
    const std::uint64_t command = context.value(1);
    const bool ofd = command >= F_OFD_GETLK && command <= F_OFD_SETLKW;
    const bool narrow = context.architecture.abi == model::I386;
    const bool native = command == 5 || command == 6 || command == 7;
    if (!ofd && !native && !(narrow && command >= getlk64 && command <= setlkw64)) return;
    const int width = narrow && native ? 4 : 8;
    const int first = narrow ? 4 : 8;
    const auto raw = context.memory.bytes(context.address(argument), static_cast<std::size_t>(first + 2 * width + 4));
    if (!raw) return;
    auto& lock = *context.captured(argument).mutable_file_lock();
    std::int16_t kind[2];
    std::memcpy(kind, raw->data(), sizeof kind);
    std::int64_t range[2] = {0, 0};
    for (int at = 0; at < 2; ++at) {
        std::int32_t short_value;
        if (width == 4) {
            std::memcpy(&short_value, raw->data() + first + 4 * at, 4);
            range[at] = short_value;
        } else {
            std::memcpy(&range[at], raw->data() + first + 8 * at, 8);
        }
    }
    std::int32_t holder;
    std::memcpy(&holder, raw->data() + first + 2 * width, sizeof holder);
    lock.set_type(kind[0]);
    lock.set_whence(kind[1]);
    lock.set_start(range[0]);
    lock.set_length(range[1]);
    lock.set_holder_pid(holder);
}
void read_fcntl_result(CaptureContext& context, int argument) {
    if (context.call.result() == 0 && context.value(1) == F_GETLK) read_lock(context, argument);
}

void read_clone_arguments(CaptureContext& context, int argument) {
    const std::uint64_t size = context.value(argument + 1);
    clone_args arguments{};
    const std::size_t wanted = std::min<std::uint64_t>(size, sizeof arguments);
    const auto into = std::as_writable_bytes(std::span(&arguments, 1)).first(wanted);
    if (wanted < CLONE_ARGS_SIZE_VER0 || context.memory.read(context.address(argument), into) != wanted) return;
    auto& clone = *context.captured(argument).mutable_clone();
    clone.set_flags(arguments.flags);
    clone.set_exit_signal(static_cast<std::int32_t>(arguments.exit_signal));
    clone.set_child_tid(arguments.child_tid);
}
// The new pidfd was stored where clone_args.pidfd says (clone3), or where parent_tid says (clone).
void read_clone_pidfd(CaptureContext& context, int argument) {
    const bool clone3 = context.row.call == Call::clone3;
    if (context.call.result() <= 0) return;
    const std::uint64_t flags = clone3 ? context.captured(argument).clone().flags() : context.value(0);
    if (!(flags & CLONE_PIDFD)) return;
    RemoteAddress stored = context.address(2);
    if (clone3) {
        const auto pointer =
            context.memory.value<std::uint64_t>(context.address(argument) + offsetof(clone_args, pidfd));
        stored = {pointer.value_or(0)};
    }
    const auto fd = context.memory.value<std::int32_t>(stored);
    if (!fd) return;
    auto& clone = *context.captured(argument).mutable_clone();
    clone.set_flags(flags);
    clone.set_pidfd(*fd);
    clone.set_has_pidfd(true);
}
void read_open_how(CaptureContext& context, int argument) {
    struct {
        std::uint64_t flags, mode, resolve;
    } how;
    if (context.memory.read(context.address(argument), std::as_writable_bytes(std::span(&how, 1))) != sizeof how)
        return;
    auto& captured = *context.captured(argument).mutable_open_how();
    captured.set_flags(how.flags);
    captured.set_mode(how.mode);
    captured.set_resolve(how.resolve);
}
// siginfo_t of waitid(2): the child's pid, told as a number.
void read_waited_child(CaptureContext& context, int argument) {
    if (context.call.result() != 0 || !context.address(argument)) return;
    const std::uint64_t offset = context.architecture.pointer_bytes == 8 ? 16 : 12;
    if (const auto pid = context.memory.value<std::int32_t>(context.address(argument) + offset))
        context.captured(argument).set_number(*pid);
}

struct ShapeReaders {
    Shape shape;
    ShapeReader entry, exit;
};
constexpr ShapeReaders shape_readers[] = {
    {Shape::path, read_path, nullptr},
    {Shape::string, read_short_string, nullptr},
    {Shape::strings, read_strings, nullptr},
    {Shape::address_in, read_address_in, nullptr},
    {Shape::address_out, nullptr, read_address_out},
    {Shape::message_in, read_message_in, nullptr},
    {Shape::message_out, nullptr, read_message_out},
    {Shape::messages_in, read_messages_in, read_messages_sent},
    {Shape::messages_out, nullptr, read_messages_out},
    {Shape::timespec, read_timespec, nullptr},
    {Shape::timespec64, read_timespec64, nullptr},
    {Shape::timeval, read_timeval, nullptr},
    {Shape::itimerspec, read_itimerspec, nullptr},
    {Shape::itimerspec64, read_itimerspec64, nullptr},
    {Shape::itimerval, read_itimerval, nullptr},
    {Shape::epoll_event, read_epoll_event, nullptr},
    {Shape::epoll_events, nullptr, read_epoll_ready},
    {Shape::clone_arguments, read_clone_arguments, read_clone_pidfd},
    {Shape::open_how, read_open_how, nullptr},
    {Shape::poll_set, read_poll_wanted, read_poll_ready},
    {Shape::descriptor_set, read_set_wanted, read_set_ready},
    {Shape::descriptor_pair, nullptr, read_pair},
    {Shape::option_value, nullptr, read_option},
    {Shape::integer_out, nullptr, read_integer_out},
    {Shape::fcntl_argument, read_lock, read_fcntl_result},
    {Shape::ioctl_argument, read_ioctl_in, read_ioctl_out},
};

// A call whose memory no shape describes.
struct CallReaders {
    Call call;
    int argument;
    ShapeReader entry, exit;
};
constexpr CallReaders call_readers[] = {
    {Call::clone, 0, nullptr, read_clone_pidfd},
    {Call::waitid, 2, nullptr, read_waited_child},
};

struct Step {
    ShapeReader reader = nullptr;
    std::int8_t argument = 0;
};
struct Plan {
    std::vector<Step> entry, exit;
};

std::vector<Plan> make_plans() {
    std::vector<Plan> plans(static_cast<std::size_t>(Call::count));
    const auto add = [](Plan& plan, int argument, ShapeReader entry, ShapeReader exit) {
        if (entry) plan.entry.push_back({entry, static_cast<std::int8_t>(argument)});
        if (exit) plan.exit.push_back({exit, static_cast<std::int8_t>(argument)});
    };
    for (const model::SyscallRow& row : model::all_syscalls()) {
        Plan& plan = plans[static_cast<std::size_t>(row.call)];
        for (int argument = 0; argument < 6; ++argument)
            for (const ShapeReaders& readers : shape_readers)
                if (readers.shape == row.arguments[static_cast<std::size_t>(argument)].shape)
                    add(plan, argument, readers.entry, readers.exit);
        for (const CallReaders& readers : call_readers)
            if (readers.call == row.call) add(plan, readers.argument, readers.entry, readers.exit);
    }
    return plans;
}

const Plan& plan_of(const model::SyscallRow& row) {
    static const std::vector<Plan> plans = make_plans();
    return plans[static_cast<std::size_t>(row.call)];
}

}  // namespace

void capture_at_entry(const model::SyscallRow& row, const Architecture& architecture, RemoteMemory& memory,
                      model::Syscall& call) {
    const Plan& plan = plan_of(row);
    if (plan.entry.empty()) return;
    CaptureContext context{row, architecture, memory, call};
    for (const Step& step : plan.entry) step.reader(context, step.argument);
}

void capture_at_exit(const model::SyscallRow& row, const Architecture& architecture, RemoteMemory& memory,
                     model::Syscall& call) {
    const Plan& plan = plan_of(row);
    if (plan.exit.empty()) return;
    CaptureContext context{row, architecture, memory, call};
    for (const Step& step : plan.exit) step.reader(context, step.argument);
}

}  // namespace slowtrace::record
