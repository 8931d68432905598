// A stream of whole messages each way: put together from pieces, read one by one.
#pragma once

#include <array>

#include "slowtrace/stream_facts.hpp"
#include "wire/octets.hpp"

namespace slowtrace::wire {

// Settles for good where a message is too long to be kept or its length is among octets that were not read.
class MessageInterpreter : public Interpreter {
   public:
    std::size_t wanted(Flow) const override { return settled_ ? 0 : max_message; }
    void feed(Flow flow, Octets octets, std::uint64_t size, std::vector<model::Event>& facts) override;
    bool settled() const override { return settled_; }

   protected:
    static constexpr std::size_t max_message = 16'384;
    // How many octets the message has that `pending` begins with, as far as that tells: more than there are while it
    // is cut.
    virtual std::size_t needed(Flow flow, Octets pending) const = 0;  // at least 1
    virtual void read(Flow flow, Octets message, std::vector<model::Event>& facts) = 0;
    // Whether that message may be passed over unread, `needed` being its exact size already.
    virtual bool may_pass_over(Flow, Octets) const { return false; }
    void settle() { settled_ = true; }

   private:
    struct Side {
        std::vector<std::uint8_t> pending;
        std::uint64_t passed_over = 0;  // octets yet to come of a message that is not kept
    };
    void take(Flow flow, Octets octets, std::vector<model::Event>& facts);
    void skip(Flow flow, std::uint64_t size);

    std::array<Side, 2> sides_;
    bool settled_ = false;
};

}  // namespace slowtrace::wire
