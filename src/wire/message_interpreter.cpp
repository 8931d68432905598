// Messages put together from the pieces of a stream.
#include "wire/message_interpreter.hpp"

namespace slowtrace::wire {

void MessageInterpreter::feed(Flow flow, Octets octets, std::uint64_t size, std::vector<model::Event>& facts) {
    octets = octets.first(static_cast<std::size_t>(std::min<std::uint64_t>(octets.size(), size)));
    take(flow, octets, facts);
    skip(flow, size - octets.size());
}

void MessageInterpreter::take(Flow flow, Octets octets, std::vector<model::Event>& facts) {
    Side& side = sides_[static_cast<std::size_t>(flow)];
    const auto passed = static_cast<std::size_t>(std::min<std::uint64_t>(side.passed_over, octets.size()));
    side.passed_over -= passed;
    octets = octets.subspan(passed);
    side.pending.insert(side.pending.end(), octets.begin(), octets.end());
    Octets rest = side.pending;
    while (!rest.empty() && !settled_) {
        const std::size_t size = needed(flow, rest);
        if (size > max_message && size > rest.size()) {
            settled_ = !may_pass_over(flow, rest);
            side.passed_over = size - rest.size();
            rest = {};
        }
        if (size > rest.size()) break;
        read(flow, rest.first(size), facts);
        rest = rest.subspan(size);
    }
    if (settled_) rest = {};
    side.pending = std::vector<std::uint8_t>(rest.begin(), rest.end());
}

void MessageInterpreter::skip(Flow flow, std::uint64_t size) {
    Side& side = sides_[static_cast<std::size_t>(flow)];
    if (settled_ || size == 0) return;
    if (!side.pending.empty()) {
        if (!may_pass_over(flow, side.pending)) return settle();
        side.passed_over = needed(flow, side.pending) - side.pending.size();
        side.pending.clear();
    }
    settled_ = size > side.passed_over;
    side.passed_over -= std::min(size, side.passed_over);
}

}  // namespace slowtrace::wire
