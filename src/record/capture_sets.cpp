// Reads the sets of descriptors that poll(2), select(2) and epoll(7) wait for, and which of them became ready.
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "record/capture_context.hpp"

namespace slowtrace::record {

namespace {

constexpr std::uint64_t poll_limit = 4096, select_limit = 65536, epoll_limit = 1024;

void read_descriptor_set(CaptureContext& context, int argument, bool ready) {
    const std::uint64_t count = std::min(context.value(0) & 0xffffffff, select_limit);
    if (!context.address(argument) || count == 0) return;
    const auto raw = context.memory.bytes(context.address(argument), (count + 63) / 64 * 8);
    if (!raw) return;
    auto& set = *context.captured(argument).mutable_descriptors();
    for (std::uint64_t fd = 0; fd < count; ++fd)
        if (std::to_integer<unsigned>((*raw)[fd / 8]) >> (fd % 8) & 1)
            ready ? set.add_ready(static_cast<int>(fd)) : set.add_wanted(static_cast<int>(fd));
}

void read_epoll(CaptureContext& context, int argument, std::uint64_t count) {
    const auto stride = static_cast<std::size_t>(context.architecture.epoll_event_bytes);
    const auto raw = context.memory.bytes(context.address(argument), std::min(count, epoll_limit) * stride);
    if (!context.address(argument) || !raw) return;
    model::Captured& captured = context.captured(argument);
    captured.set_truncated(count > epoll_limit);
    for (std::size_t at = 0; at + stride <= raw->size(); at += stride) {
        auto& member = *captured.mutable_epoll()->add_members();
        std::uint32_t events;
        std::uint64_t data;
        std::memcpy(&events, raw->data() + at, sizeof events);
        std::memcpy(&data, raw->data() + at + context.architecture.epoll_data_offset, sizeof data);
        member.set_events(events);
        member.set_data(data);
    }
}

}  // namespace

void read_poll_wanted(CaptureContext& context, int argument) {
    const std::uint64_t count = std::min(context.value(argument + 1) & 0xffffffff, poll_limit);
    if (!context.address(argument) || count == 0) return;
    std::vector<pollfd> members(count);
    const auto raw = std::as_writable_bytes(std::span(members));
    if (context.memory.read(context.address(argument), raw) != raw.size()) return;
    model::Captured& captured = context.captured(argument);
    captured.set_truncated((context.value(argument + 1) & 0xffffffff) > poll_limit);
    for (const pollfd& member : members) {
        auto& added = *captured.mutable_poll()->add_members();
        added.set_fd(member.fd);
        added.set_wanted(static_cast<std::uint16_t>(member.events));
    }
}

void read_poll_ready(CaptureContext& context, int argument) {
    if (context.call.result() <= 0) return;
    model::Captured& captured = context.captured(argument);
    std::vector<pollfd> members(static_cast<std::size_t>(captured.poll().members_size()));
    const auto raw = std::as_writable_bytes(std::span(members));
    if (raw.empty() || context.memory.read(context.address(argument), raw) != raw.size()) return;
    for (std::size_t at = 0; at < members.size(); ++at)
        captured.mutable_poll()
            ->mutable_members(static_cast<int>(at))
            ->set_ready(static_cast<std::uint16_t>(members[at].revents));
}

void read_set_wanted(CaptureContext& context, int argument) {
    read_descriptor_set(context, argument, false);
}

void read_set_ready(CaptureContext& context, int argument) {
    if (context.call.result() > 0) read_descriptor_set(context, argument, true);
}

void read_epoll_event(CaptureContext& context, int argument) {
    read_epoll(context, argument, 1);
}

void read_epoll_ready(CaptureContext& context, int argument) {
    if (context.call.result() > 0) read_epoll(context, argument, static_cast<std::uint64_t>(context.call.result()));
}

}  // namespace slowtrace::record
