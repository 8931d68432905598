// One table of descriptors (shared under CLONE_FILES): number → open file, now and at an earlier instant.
#include "resolve/file_table.hpp"

#include <algorithm>
#include <limits>

namespace slowtrace::resolve {

namespace {
constexpr std::size_t meanings_kept = 8;
const FilePointer not_open;
}  // namespace

const FilePointer& FileTable::at(int number, std::int64_t time_ns, ThreadId thread) const {
    auto slot = slots_.find(number);
    bool open = slot != slots_.end();
    if (open && (slot->second.since_ns <= time_ns || slot->second.binder == thread)) return slot->second.file;
    if (!past_.empty())
        if (auto past = past_.find(number); past != past_.end())
            for (auto one = past->second.rbegin(); one != past->second.rend(); ++one)
                if (one->since_ns <= time_ns && time_ns < one->until_ns) return one->file;
    // Times of imported runs are rounded: the present meaning is the best guess.
    return open ? slot->second.file : not_open;
}

Slot* FileTable::find(int number) {
    auto slot = slots_.find(number);
    return slot == slots_.end() ? nullptr : &slot->second;
}

std::int64_t FileTable::free_since(int number) const {
    auto past = past_.find(number);
    return past == past_.end() || past->second.empty() ? std::numeric_limits<std::int64_t>::min()
                                                       : past->second.back().until_ns;
}

FilePointer FileTable::bind(int number, Slot slot) {
    auto [entry, added] = slots_.try_emplace(number);
    if (!added) remember(number, entry->second, slot.since_ns);
    std::swap(entry->second, slot);
    return std::move(slot.file);
}

FilePointer FileTable::unbind(int number, std::int64_t time_ns) {
    auto entry = slots_.find(number);
    if (entry == slots_.end()) return nullptr;
    remember(number, entry->second, time_ns);
    FilePointer file = std::move(entry->second.file);
    slots_.erase(entry);
    return file;
}

std::vector<int> FileTable::numbers(std::uint32_t first, std::uint32_t last) const {
    std::vector<int> found;
    for (const auto& [number, slot] : slots_)
        if (static_cast<std::uint32_t>(number) >= first && static_cast<std::uint32_t>(number) <= last)
            found.push_back(number);
    std::sort(found.begin(), found.end());
    return found;
}

FileTable FileTable::copy() const {
    FileTable copy;
    copy.slots_ = slots_;
    return copy;
}

bool FileTable::remove_user() {
    if (users_ > 0) --users_;
    if (users_ == 1) past_.clear();
    return users_ == 0;
}

void FileTable::remember(int number, const Slot& slot, std::int64_t until_ns) {
    if (!shared()) return;
    std::vector<Past>& past = past_[number];
    if (past.size() == meanings_kept) past.erase(past.begin());
    past.push_back({slot.file, slot.since_ns, until_ns});
}

}  // namespace slowtrace::resolve
