// Events → one block: calls as columns of differences, the rest in lists beside them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "model/trace.pb.h"
#include "trace/call_history.hpp"

namespace slowtrace::trace {

class BlockEncoder {
   public:
    BlockEncoder();

    void add(const model::Event& event);
    void add(const model::Syscall& call);

    bool full() const;
    std::uint64_t events() const { return calls_in_block_ + events_in_block_; }
    std::int64_t last_time_ns() const { return last_time_ns_; }
    const model::Block& block() const { return block_; }
    // Starts the next block; memory is kept for it.
    void clear();

   private:
    using Column = google::protobuf::RepeatedField<std::int64_t>;

    void add_columns(const model::Syscall& call);
    void add_details(const model::Syscall& call);
    std::uint32_t path_id(const std::string& path);
    void note_time(std::int64_t time_ns);

    model::Block block_;
    model::SyscallColumns& calls_;
    std::array<Column*, 6> arguments_;
    CallHistory history_;
    std::map<std::string, std::uint32_t, std::less<>> path_ids_;
    std::uint32_t calls_in_block_ = 0;
    std::uint32_t events_in_block_ = 0;
    std::uint32_t next_detailed_ = 0;   // the call after the latest one with details
    std::uint32_t calls_at_event_ = 0;  // calls before the latest event
    std::size_t listed_bytes_ = 0;      // of details, events and paths
    std::int64_t first_time_ns_ = 0, last_time_ns_ = 0;
};

}  // namespace slowtrace::trace
