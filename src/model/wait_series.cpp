// A series is told by the kind of its calls and their descriptors; of an epoll list only by its own descriptor.
#include "model/wait_series.hpp"

#include <algorithm>
#include <cerrno>

namespace slowtrace::model {

namespace {

constexpr std::int64_t shortest_wait_ns = 1'000'000;  // shorter ones only look
constexpr int descriptors_limit = 64;

bool waits_for_many(Call call) {
    switch (call) {
        case Call::poll:
        case Call::ppoll:
        case Call::select:
        case Call::pselect6:
        case Call::epoll_wait:
        case Call::epoll_pwait:
        case Call::epoll_pwait2:
            return true;
        default:
            return false;
    }
}

int first_argument(const Syscall& call) {
    return static_cast<int>(static_cast<std::uint32_t>(call.arguments(0)));
}

std::vector<int> descriptors_of(const SyscallRow& row, const Syscall& call) {
    std::vector<int> found;
    const auto add = [&](int fd) {
        if (fd >= 0 && found.size() < descriptors_limit) found.push_back(fd);
    };
    if (row.arguments[0].shape == Shape::descriptor && call.arguments_size() > 0) add(first_argument(call));
    for (const Captured& captured : call.captured()) {
        for (const auto& member : captured.poll().members()) add(member.fd());
        for (const int fd : captured.descriptors().wanted()) add(fd);
    }
    return found;
}

bool in_vain(Call kind, std::int64_t result) {
    return (waits_for_many(kind) && result == 0) || result == -EAGAIN || result == -ETIMEDOUT;
}

// Calls that return 0 and yet change what is waited for.
bool begins_or_ends_a_connection(Call kind) {
    return kind == Call::connect || kind == Call::close || kind == Call::shutdown;
}

}  // namespace

void WaitSeries::ended(const SyscallRow& row, const Syscall& call) {
    if (call.ending() != Syscall::RETURNED) return;
    if (in_vain(row.call, call.result())) {
        if (call.exit_ns() - call.entry_ns() < shortest_wait_ns) return;
        std::vector<int> waited_for = descriptors_of(row, call);
        until_ns_ = call.exit_ns();
        if (row.call == kind_ && waited_for == waited_for_) return;
        kind_ = row.call;
        waited_for_ = std::move(waited_for);
        since_ns_ = call.entry_ns();
        return;
    }
    if (waited_for_.empty()) return;
    const bool about_it = row.arguments[0].shape == Shape::descriptor && call.arguments_size() > 0 &&
                          std::ranges::find(waited_for_, first_argument(call)) != waited_for_.end();
    const bool moved = waits_for_many(row.call)
                           ? call.result() > 0
                           : about_it && (call.result() > 0 || begins_or_ends_a_connection(row.call));
    if (moved) waited_for_.clear();
}

std::int64_t WaitSeries::since_ns(const SyscallRow& row, const Syscall& call) const {
    const bool goes_on = !waited_for_.empty() && row.call == kind_ && descriptors_of(row, call) == waited_for_;
    return goes_on ? since_ns_ : call.entry_ns();
}

}  // namespace slowtrace::model
