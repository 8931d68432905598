// One table of descriptors (shared under CLONE_FILES): number → open file, now and at an earlier instant.
//
// A map, not an array: numbers come from the trace. Calls are told when they end, so a number may mean
// something else by then: where several threads share the table, the last few meanings of each number are kept.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "resolve/tracked_file.hpp"

namespace slowtrace::resolve {

struct Slot {
    FilePointer file;
    std::int64_t since_ns = 0;
    ThreadId binder{};  // who bound it: a thread's own calls come in order whatever the clock says
    bool close_on_exec = false;
};

class FileTable {
   public:
    // What `number` meant for `thread` at `time_ns`: nullptr when it was not open.
    const FilePointer& at(int number, std::int64_t time_ns, ThreadId thread) const;
    // What it means now; nullptr when it is not open.
    Slot* find(int number);
    // When the last meaning of a closed number ended; the beginning of time without one.
    std::int64_t free_since(int number) const;

    // Both return the file that lost its slot.
    FilePointer bind(int number, Slot slot);
    FilePointer unbind(int number, std::int64_t time_ns);

    std::unordered_map<int, Slot>& slots() { return slots_; }
    // The open numbers from first to last, ascending.
    std::vector<int> numbers(std::uint32_t first, std::uint32_t last) const;

    // The same descriptors, without history, for one user.
    FileTable copy() const;
    void add_user() { ++users_; }
    // True when that was the last one.
    bool remove_user();
    bool shared() const { return users_ > 1; }

   private:
    struct Past {
        FilePointer file;
        std::int64_t since_ns, until_ns;
    };
    void remember(int number, const Slot& slot, std::int64_t until_ns);

    unsigned users_ = 1;
    std::unordered_map<int, Slot> slots_;
    std::unordered_map<int, std::vector<Past>> past_;
};

}  // namespace slowtrace::resolve
