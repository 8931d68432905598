// One call's capture in progress: what every shape reader works on.
#pragma once

#include "record/arch/architecture.hpp"
#include "record/remote_memory.hpp"
#include "slowtrace/syscalls.hpp"

namespace slowtrace::record {

struct CaptureContext {
    const model::SyscallRow& row;
    const Architecture& architecture;
    RemoteMemory& memory;
    model::Syscall& call;

    std::uint64_t value(int argument) const { return argument < 6 ? call.arguments(argument) : 0; }
    RemoteAddress address(int argument) const { return {value(argument)}; }

    // The argument's entry in call.captured(), added when it is not there yet.
    model::Captured& captured(int argument) {
        for (model::Captured& one : *call.mutable_captured())
            if (one.argument() == static_cast<std::uint32_t>(argument)) return one;
        model::Captured& added = *call.add_captured();
        added.set_argument(static_cast<std::uint32_t>(argument));
        return added;
    }
    // A pointer-sized or long-sized number as this ABI lays it out.
    std::optional<std::uint64_t> word(RemoteAddress at) {
        if (architecture.pointer_bytes == 8) return memory.value<std::uint64_t>(at);
        return memory.value<std::uint32_t>(at);
    }
};

// A reader for one shape. Pointers may be null or lie: then nothing is captured.
using ShapeReader = void (*)(CaptureContext&, int argument);

// Sets of descriptors, see capture_sets.cpp.
void read_poll_wanted(CaptureContext& context, int argument);
void read_poll_ready(CaptureContext& context, int argument);
void read_set_wanted(CaptureContext& context, int argument);
void read_set_ready(CaptureContext& context, int argument);
void read_epoll_event(CaptureContext& context, int argument);
void read_epoll_ready(CaptureContext& context, int argument);

// Message headers (struct msghdr, mmsghdr and their control data), see capture_messages.cpp.
void read_message_in(CaptureContext& context, int argument);
void read_message_out(CaptureContext& context, int argument);
void read_messages_in(CaptureContext& context, int argument);
void read_messages_sent(CaptureContext& context, int argument);
void read_messages_out(CaptureContext& context, int argument);

}  // namespace slowtrace::record
