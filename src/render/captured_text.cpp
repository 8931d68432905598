// What stood in the program's memory, in words: one function per kind of captured value.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>

#include "render/call_context.hpp"
#include "render/constants.hpp"
#include "render/text.hpp"

namespace slowtrace::render {

using model::Captured;
using model::Shape;

namespace {

// A set of a thousand descriptors is no line of text.
constexpr int most_members = 32;

// Joins what `text` makes of each member: "[a, b, ...]".
template <typename Members, typename Text>
std::string list_text(const Members& members, bool truncated, Text text) {
    std::string out = "[";
    int shown = 0;
    for (const auto& member : members) {
        if (shown != 0) out += ", ";
        if (shown == most_members) {
            truncated = true;
            break;
        }
        out += text(member);
        ++shown;
    }
    if (truncated) {
        if (shown != 0 && !out.ends_with(", ")) out += ", ";
        out += "...";
    }
    return out += "]";
}

std::string ip_text(const model::SocketAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> buffer;
    const std::string& ip = address.ip();
    if (ip.size() != 4 && ip.size() != 16) return {};
    const int family = ip.size() == 4 ? AF_INET : AF_INET6;
    if (inet_ntop(family, ip.data(), buffer.data(), buffer.size()) == nullptr) return {};
    std::string text = buffer.data();
    if (address.scope() != 0) text += "%" + std::to_string(address.scope());
    if (family == AF_INET6) text = "[" + text + "]";
    return text + ":" + std::to_string(address.port());
}

std::string local_name_text(const model::SocketAddress& address) {
    if (address.path().empty() && !address.abstract()) return {};
    return (address.abstract() ? "@" : "") + quote(address.path());
}

std::string address_detail(const model::SocketAddress& address) {
    switch (address.family()) {
        case AF_INET:
        case AF_INET6:
            return ip_text(address);
        case AF_UNIX:
            return local_name_text(address);
        case AF_NETLINK:
            return "port id " + std::to_string(address.protocol_id());
        case AF_PACKET:
            return "interface " + std::to_string(address.protocol_id());
        default:
            return {};
    }
}

std::string poll_text(const CallContext& context, int argument, const Captured& captured) {
    return list_text(captured.poll().members(), captured.truncated(), [&](const model::PollSet::Member& member) {
        return "{fd=" + context.descriptor(argument, member.fd()) +
               ", events=" + flags_of(poll_constants(), member.wanted()) + "}";
    });
}

std::string epoll_text(const CallContext&, int, const Captured& captured) {
    const auto member_text = [](const model::EpollEvents::Member& member) {
        return "{events=" + flags_of(epoll_constants(), member.events()) + ", data=" + std::to_string(member.data()) +
               "}";
    };
    return list_text(captured.epoll().members(), captured.truncated(), member_text);
}

// epoll_ctl's is one event, not a list.
std::string epoll_event_text(const CallContext& context, int argument, const Captured& captured) {
    const std::string list = epoll_text(context, argument, captured);
    return captured.epoll().members_size() == 1 ? list.substr(1, list.size() - 2) : list;
}

std::string messages_text(const CallContext& context, int argument, const Captured& captured) {
    const auto message_text = [&](const model::SocketMessages::Message& message) {
        std::string out = "{";
        if (message.has_address()) out += socket_address_text(message.address()) + ", ";
        out += format_count(message.bytes()) + " bytes";
        if (message.passed_descriptors_size() != 0)
            out += ", descriptors=" + descriptors_text(context, argument, message.passed_descriptors());
        return out + "}";
    };
    const auto& messages = captured.messages().messages();
    const bool single = context.shape(argument) == Shape::message_in || context.shape(argument) == Shape::message_out;
    if (single && messages.size() == 1) return message_text(messages[0]);
    return list_text(messages, captured.truncated(), message_text);
}

std::string file_lock_text(const CallContext&, int, const Captured& captured) {
    const model::FileLock& lock = captured.file_lock();
    std::string out = "{" + name_of(file_lock_constants(), static_cast<std::uint64_t>(lock.type())) +
                      ", start=" + std::to_string(lock.start()) + ", len=" + std::to_string(lock.length());
    // Where start counts from, unless it is the beginning.
    if (lock.whence() != 0)
        out += ", whence=" +
               name_of(constants_of(Shape::seek_whence)->constants, static_cast<std::uint64_t>(lock.whence()));
    if (lock.holder_pid() != 0) out += ", pid=" + std::to_string(lock.holder_pid());
    return out + "}";
}

std::string clone_text(const CallContext& context, int argument, const Captured& captured) {
    const model::CloneArguments& clone = captured.clone();
    std::string out = "{flags=" + flags_of(constants_of(Shape::clone_flags)->constants, clone.flags());
    if (clone.exit_signal() != 0) out += ", exit_signal=" + model::signal_name(clone.exit_signal());
    if (clone.has_pidfd()) out += ", pidfd=" + context.descriptor(argument, clone.pidfd());
    return out + "}";
}

std::string open_how_text(const CallContext& context, int, const Captured& captured) {
    const model::OpenHow& how = captured.open_how();
    std::string out = "{flags=" + open_flags_text(context.call().abi(), how.flags());
    if (how.resolve() != 0) out += ", resolve=" + flags_of(resolve_constants(), how.resolve());
    return out + "}";
}

// An instant of the call's own clock, not a length of time.
bool is_absolute(const CallContext& context, int argument) {
    for (const Shape flags : {Shape::timer_flags, Shape::timerfd_set_flags})
        if (const int place = context.argument_of(flags); place >= 0) return (context.value(place) & 1) != 0;
    if (const int place = context.argument_of(Shape::futex_operation); place >= 0)
        return (context.value(place) & 0x7f) != 0;  // all but FUTEX_WAIT (futex(2))
    const model::Call call = context.row().call;
    return call == model::Call::futex_wait || call == model::Call::futex_waitv ||
           context.row().arguments[static_cast<std::size_t>(argument)].name.starts_with("abs_");
}

std::string duration_text(const CallContext& context, int argument, const Captured& captured) {
    const std::int64_t duration = captured.duration_ns();
    if (duration == 0) return "0";
    if (!is_absolute(context, argument)) return format_duration(duration);
    constexpr std::int64_t second = 1'000'000'000;
    std::string fraction = std::to_string(duration % second < 0 ? -(duration % second) : duration % second);
    fraction.insert(0, 9 - fraction.size(), '0');
    return "at " + std::to_string(duration / second) + "." + fraction + "s";
}

std::string number_text(const CallContext& context, int argument, const Captured& captured) {
    const std::int64_t number = captured.number();
    if (context.shape(argument) == Shape::integer_out) return "[" + wait_status_text(static_cast<int>(number)) + "]";
    if (const int option = context.argument_of(Shape::socket_option);
        option >= 0 && context.int_value(context.argument_of(Shape::socket_level)) == SOL_SOCKET) {
        if (context.int_value(option) == SO_ERROR && number != 0)
            return "[" + model::error_name(static_cast<int>(number)) + "]";
        if (context.int_value(option) == SO_TYPE)
            return "[" + name_of(constants_of(Shape::socket_type)->constants, static_cast<std::uint64_t>(number)) + "]";
    }
    return "[" + std::to_string(number) + "]";
}

std::string path_text(const CallContext&, int, const Captured& captured) {
    return quote(captured.path(), captured.truncated());
}

std::string address_text(const CallContext&, int, const Captured& captured) {
    return socket_address_text(captured.address());
}

std::string wanted_text(const CallContext& context, int argument, const Captured& captured) {
    return descriptors_text(context, argument, captured.descriptors().wanted());
}

std::string pair_text(const CallContext& context, int argument, const Captured& captured) {
    return "[" + context.descriptor(argument, captured.pair().first()) + ", " +
           context.descriptor(argument, captured.pair().second()) + "]";
}

std::string strings_text(const CallContext&, int, const Captured& captured) {
    return list_text(captured.strings().values(), captured.truncated(),
                     [](const std::string& value) { return quote(value); });
}

struct CapturedKind {
    Captured::ValueCase kind;
    std::string (*text)(const CallContext&, int argument, const Captured&);
};
constexpr CapturedKind captured_kinds[] = {
    {Captured::kPath, path_text},          {Captured::kAddress, address_text},
    {Captured::kPoll, poll_text},          {Captured::kDescriptors, wanted_text},
    {Captured::kEpoll, epoll_text},        {Captured::kDurationNs, duration_text},
    {Captured::kPair, pair_text},          {Captured::kNumber, number_text},
    {Captured::kMessages, messages_text},  {Captured::kStrings, strings_text},
    {Captured::kFileLock, file_lock_text}, {Captured::kClone, clone_text},
    {Captured::kOpenHow, open_how_text},
};

}  // namespace

std::string socket_address_text(const model::SocketAddress& address) {
    std::string out =
        "{" + name_of(constants_of(Shape::socket_family)->constants, static_cast<std::uint32_t>(address.family()));
    if (const std::string detail = address_detail(address); !detail.empty()) out += ", " + detail;
    return out + "}";
}

std::string wait_status_text(int status) {
    const int signal = status & 0x7f;
    if (signal == 0) return "exited " + std::to_string(status >> 8 & 0xff);
    if (status == 0xffff) return "continued";
    if (signal == 0x7f) return "stopped by " + model::signal_name(status >> 8 & 0xff);
    return "killed by " + model::signal_name(signal) + ((status & 0x80) != 0 ? " (core dumped)" : "");
}

std::string descriptors_text(const CallContext& context, int argument,
                             const google::protobuf::RepeatedField<std::int32_t>& descriptors) {
    return list_text(descriptors, false, [&](int fd) { return context.descriptor(argument, fd); });
}

std::string ready_members_text(const CallContext& context, int argument, const model::PollSet& set) {
    std::vector<const model::PollSet::Member*> ready;
    for (const model::PollSet::Member& member : set.members())
        if (member.ready() != 0) ready.push_back(&member);
    return list_text(ready, false, [&](const model::PollSet::Member* member) {
        return "{fd=" + context.descriptor(argument, member->fd()) +
               ", revents=" + flags_of(poll_constants(), member->ready()) + "}";
    });
}

std::optional<std::string> captured_text(const CallContext& context, int argument) {
    const Captured* captured = context.captured(argument);
    if (captured == nullptr) return std::nullopt;
    if (context.shape(argument) == Shape::epoll_event && captured->has_epoll())
        return epoll_event_text(context, argument, *captured);
    for (const CapturedKind& row : captured_kinds)
        if (row.kind == captured->value_case()) return row.text(context, argument, *captured);
    return std::nullopt;
}

}  // namespace slowtrace::render
