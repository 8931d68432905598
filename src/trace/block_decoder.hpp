// One block → the events it was made of. A block is checked whole before any of it is delivered.
#pragma once

#include <cstdint>
#include <string_view>

#include "slowtrace/events.hpp"
#include "trace/call_history.hpp"

namespace slowtrace::trace {

class BlockDecoder {
   public:
    // Takes a block as unpacked from the file. Empty when it is well formed, else what is wrong with it.
    std::string_view parse(std::string_view raw);
    // Hands out the block parsed last, once.
    void deliver(EventSink& sink);
    std::int64_t last_time_ns() const { return last_time_ns_; }

   private:
    std::string_view check() const;
    void deliver_event(const model::Event& event, EventSink& sink);
    void restore_columns(int index);
    void restore_details(model::CallDetails& details);

    model::Block block_;
    model::Syscall call_;  // reused for every call
    CallHistory history_;
    std::int64_t last_time_ns_ = 0;
};

}  // namespace slowtrace::trace
