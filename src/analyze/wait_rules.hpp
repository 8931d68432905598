// The rules that give a wait its cause: an ordered table, first match wins, the last one always matches.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "slowtrace/causes.hpp"

namespace slowtrace::analyze {

// What a call does with the descriptor (or path) it is about.
enum class Activity : std::uint8_t {
    unknown,
    kernel_work,  // no wait for anyone: exec, mmap, clone, exit, …
    receive,
    send,
    multiplex,
    connect,
    accept,
    child,
    lock,
    sleep,
    sync,
    file_lock,
    signal,
    control,  // ioctl, fcntl, setsockopt and their like on a descriptor
    metadata,
    io_uring,
};

Activity activity_of(const model::SyscallRow& row);

// One thing a call may have waited for. A multiplexed call is several of these: its ready members, or all
// of its members when nothing became ready; their activity is receive or send.
struct Wait {
    const resolve::ResolvedCall& call;
    Activity activity = Activity::unknown;
    const resolve::ResolvedDescriptor* descriptor = nullptr;
    bool multiplexed = false;
    bool timed_out = false;
};

// Whether its set is kept from wait to wait (epoll(7)) and so contains what nothing is expected of, too; what poll(2)
// and select(2) wait for is put together each time.
bool is_standing(const resolve::ResolvedCall& call);

// A wait of several whose time ran out on a connection that owes no reply as far as can be told: the last octets came
// from it.
bool ran_out_in_silence(const Wait& wait);

struct WaitRule {
    std::string_view name;
    std::optional<Cause> (*apply)(const Wait&);
};

// The order is also the order of preference among the members of a multiplexed wait.
std::span<const WaitRule> wait_rules();

// Never empty.
std::vector<Wait> waits_of(const resolve::ResolvedCall& call);

}  // namespace slowtrace::analyze
