// A dialogue of short messages, each of which has to be whole before the next is expected.
#pragma once

#include <vector>

#include "wire/protocol.hpp"

namespace slowtrace::wire {

// Both ways are collected; the step under way says whose turn it is and takes its message once it is whole.
class MessageSteps : public Protocol {
   public:
    std::size_t wanted(Flow) const override { return settled_ || open_ ? 0 : look; }
    std::size_t take(Flow flow, Octets octets, Facts& facts) override;
    void skip(Flow, std::uint64_t size, Facts&) override { settled_ = settled_ || size > 0; }
    bool settled() const override { return settled_; }
    bool tunnel_open() const override { return open_; }

   protected:
    static constexpr std::size_t look = 1'024, max_pending = 2'048;
    // Whose message the step under way waits for.
    virtual Flow turn() const = 0;
    // How many octets that message has, as far as `pending` tells: more than there are while it is cut.
    virtual std::size_t needed(Octets pending) const = 0;
    // Reads the whole message, and settles, opens the tunnel, or moves on to another step.
    virtual void read(Octets message, Facts& facts) = 0;
    void settle() { settled_ = true; }
    void open() { open_ = true; }

   private:
    std::vector<std::uint8_t> pending_[2];
    bool settled_ = false, open_ = false;
};

}  // namespace slowtrace::wire
