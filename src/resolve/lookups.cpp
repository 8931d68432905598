// How long finding a name's addresses took: the questions about one name, asked together, as one lookup.
#include "resolve/lookups.hpp"

#include <algorithm>

#include "resolve/name_book.hpp"

namespace slowtrace::resolve {

namespace {

constexpr std::size_t lookups_kept = 4096;  // names asked for and not connected to yet; the oldest go first
constexpr std::size_t answers_kept = 16;    // of one lookup

}  // namespace

std::optional<Lookup::Span> Lookup::take(std::int64_t before_ns) {
    if (used) return std::nullopt;
    std::optional<std::int64_t> last;
    for (const Answer& answer : answers)
        if (answer.time_ns <= before_ns && answer.time_ns >= last.value_or(from_ns)) last = answer.time_ns;
    if (!last) return std::nullopt;
    used = true;
    return Span{from_ns, *last};
}

std::string Lookups::key_of(ProcessId process, const std::string& name) {
    return std::to_string(index(process)) + ' ' + lower_name(name);
}

void Lookups::asked(ProcessId process, const std::string& name, std::uint32_t type, std::int64_t time_ns) {
    std::string key = key_of(process, name);
    std::shared_ptr<Lookup>& lookup = latest_[key];
    if (lookup == nullptr) {
        order_.push_back(std::move(key));
    } else {
        // Asked after its answer, the same question is a new lookup.
        const bool over = std::any_of(lookup->answers.begin(), lookup->answers.end(),
                                      [&](const Lookup::Answer& answer) { return answer.type == type; });
        if (!lookup->used && !over) return;
    }
    lookup = std::make_shared<Lookup>(Lookup{time_ns, {}, false});
    if (order_.size() <= lookups_kept) return;
    latest_.erase(order_.front());
    order_.pop_front();
}

std::shared_ptr<Lookup> Lookups::answered(ProcessId process, const std::string& name, std::uint32_t type,
                                          std::int64_t time_ns) {
    auto known = latest_.find(key_of(process, name));
    if (known == latest_.end()) return nullptr;
    if (known->second->answers.size() < answers_kept) known->second->answers.push_back({type, time_ns});
    return known->second;
}

}  // namespace slowtrace::resolve
