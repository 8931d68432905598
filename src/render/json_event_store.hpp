// Sorts the exported events by time in bounded memory, whatever order they arrive in.
//
// A call is told when it ends, so an event may begin arbitrarily far before ones already told: a call that
// blocked from the first second to the last arrives last. No bounded reorder window is therefore correct, and
// nothing can be written before the run is over. So events are kept encoded in a window; a full window is sorted
// and appended to an unlinked temporary file as one run; at the end the runs are merged (external merge sort).
// Memory: the window while collecting, one read buffer a run while merging, both bounded by `window_bytes` up to
// some thousand runs (at 4 KiB a buffer, 1,000 runs of 24 MiB are 4 MiB).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "slowtrace/unique_fd.hpp"

namespace slowtrace::render {

enum class JsonEventKind : std::uint8_t {
    metadata,  // before everything else
    slice,
    instant,
    counter,  // `body` is the change, eight bytes; `tid` tells which counter
};

struct JsonEvent {
    std::int64_t from_ns = 0, to_ns = 0;  // since the run's start
    std::uint32_t pid = 0, tid = 0;
    JsonEventKind kind = JsonEventKind::slice;
    std::uint32_t arguments_offset = 0;  // slices: where in `body` the first member of "args" begins
    std::string_view body;               // the event's own members, already JSON
};

class JsonEventStore {
   public:
    static constexpr std::size_t default_window_bytes = 24 << 20;
    explicit JsonEventStore(std::size_t window_bytes = default_window_bytes);

    void add(const JsonEvent& event);

    // Gives back every event: metadata first, then by beginning, longer first; of two with the same times the
    // later told first, because what encloses ends, and is told, last. Empties the store.
    void drain(const std::function<void(const JsonEvent&)>& receive);

    std::size_t spilled_runs() const { return run_ends_.size(); }

   private:
    struct Reference {
        std::int64_t from_ns, to_ns;
        std::size_t offset;
    };
    void sort_window();
    void spill();

    std::size_t window_bytes_;
    std::string window_;
    std::vector<Reference> references_;
    UniqueFd file_;
    std::uint64_t file_bytes_ = 0;
    std::vector<std::uint64_t> run_ends_;
};

}  // namespace slowtrace::render
