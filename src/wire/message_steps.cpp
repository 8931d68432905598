// Dialogues of short messages.
#include "wire/message_steps.hpp"

namespace slowtrace::wire {

std::size_t MessageSteps::take(Flow flow, Octets octets, Facts& facts) {
    if (settled_) return octets.size();
    std::vector<std::uint8_t>& pending = pending_[static_cast<std::size_t>(flow)];
    pending.insert(pending.end(), octets.begin(), octets.end());
    while (!settled_ && !open_) {
        std::vector<std::uint8_t>& turns = pending_[static_cast<std::size_t>(turn())];
        const std::size_t size = needed(turns);
        if (turns.empty() || turns.size() < size) break;
        Facts told = facts.told(turn());
        read(Octets(turns).first(size), told);
        turns.erase(turns.begin(), turns.begin() + static_cast<std::ptrdiff_t>(size));
    }
    settled_ = settled_ || pending.size() > max_pending;
    if (!open_) return octets.size();
    // What is left is the tunnel's, unless it came before the other side had agreed to one.
    const bool early = !pending_[1 - static_cast<std::size_t>(flow)].empty() || pending.size() > octets.size();
    settled_ = settled_ || early;
    open_ = !settled_;
    return octets.size() - (open_ ? pending.size() : 0);
}

}  // namespace slowtrace::wire
