// Reads struct msghdr and mmsghdr (recvmsg(2), sendmmsg(2)): addresses, lengths, passed descriptors; never payload.
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "record/capture_context.hpp"
#include "record/socket_address.hpp"

namespace slowtrace::record {

namespace {

constexpr std::uint64_t address_limit = 128, control_limit = 4096, message_limit = 64;

// The fields of a msghdr that matter, independent of the ABI's word size.
struct MessageHeader {
    RemoteAddress name, control;
    std::uint64_t name_length = 0, control_length = 0;
};

std::uint64_t load(const std::byte* at, int bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, static_cast<std::size_t>(bytes));  // both architectures are little-endian
    return value;
}

// name, namelen, iov, iovlen, control, controllen, flags: words except namelen and flags.
std::size_t header_bytes(int word) {
    return word == 8 ? 56 : 28;
}

std::optional<MessageHeader> read_header(CaptureContext& context, RemoteAddress at) {
    const int word = context.architecture.pointer_bytes;
    const auto raw = context.memory.bytes(at, header_bytes(word));
    if (!raw) return std::nullopt;
    MessageHeader header;
    header.name = {load(raw->data(), word)};
    header.name_length = load(raw->data() + word, 4);
    header.control = {load(raw->data() + 4 * word, word)};
    header.control_length = load(raw->data() + 5 * word, word);
    return header;
}

void read_rights(CaptureContext& context, const MessageHeader& header, model::SocketMessages::Message& message) {
    const std::size_t word = static_cast<std::size_t>(context.architecture.pointer_bytes);
    const std::size_t prefix = word + 8;  // cmsg_len, cmsg_level, cmsg_type
    if (!header.control || header.control_length < prefix) return;
    const auto raw = context.memory.bytes(header.control, std::min(header.control_length, control_limit));
    if (!raw) return;
    for (std::size_t at = 0; at + prefix <= raw->size();) {
        const std::uint64_t length = load(raw->data() + at, static_cast<int>(word));
        if (length < prefix || length > raw->size() - at) return;
        const auto level = load(raw->data() + at + word, 4), type = load(raw->data() + at + word + 4, 4);
        if (level == SOL_SOCKET && type == SCM_RIGHTS)
            for (std::size_t fd = prefix; fd + 4 <= length; fd += 4)
                message.add_passed_descriptors(static_cast<std::int32_t>(load(raw->data() + at + fd, 4)));
        at += (length + word - 1) / word * word;
    }
}

void read_message(CaptureContext& context, RemoteAddress at, model::SocketMessages::Message& message) {
    const auto header = read_header(context, at);
    if (!header) return;
    if (header->name && header->name_length >= 2)
        if (const auto raw = context.memory.bytes(header->name, std::min(header->name_length, address_limit)))
            parse_socket_address(*raw, *message.mutable_address());
    read_rights(context, *header, message);
}

std::uint64_t array_stride(const CaptureContext& context) {
    return header_bytes(context.architecture.pointer_bytes) + (context.architecture.pointer_bytes == 8 ? 8 : 4);
}

void read_array(CaptureContext& context, int argument, std::uint64_t count, bool contents) {
    if (!context.address(argument) || count == 0) return;
    model::Captured& captured = context.captured(argument);
    captured.set_truncated(count > message_limit);
    const std::uint64_t header = header_bytes(context.architecture.pointer_bytes);
    for (std::uint64_t at = 0; at < std::min(count, message_limit); ++at) {
        const RemoteAddress entry = context.address(argument) + at * array_stride(context);
        auto& messages = *captured.mutable_messages();
        auto& message = static_cast<int>(at) < messages.messages_size()
                            ? *messages.mutable_messages(static_cast<int>(at))
                            : *messages.add_messages();
        if (contents) read_message(context, entry, message);
        if (context.call.exit_ns() != 0)
            if (const auto length = context.memory.value<std::uint32_t>(entry + header)) message.set_bytes(*length);
    }
}

}  // namespace

void read_message_in(CaptureContext& context, int argument) {
    if (!context.address(argument)) return;
    auto& messages = *context.captured(argument).mutable_messages();
    read_message(context, context.address(argument), *messages.add_messages());
}

void read_message_out(CaptureContext& context, int argument) {
    if (context.call.result() >= 0) read_message_in(context, argument);
}

void read_messages_in(CaptureContext& context, int argument) {
    read_array(context, argument, context.value(argument + 1), true);
}

void read_messages_sent(CaptureContext& context, int argument) {
    if (context.call.result() > 0)
        read_array(context, argument, static_cast<std::uint64_t>(context.call.result()), false);
}

void read_messages_out(CaptureContext& context, int argument) {
    if (context.call.result() > 0)
        read_array(context, argument, static_cast<std::uint64_t>(context.call.result()), true);
}

}  // namespace slowtrace::record
