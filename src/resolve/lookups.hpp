// How long finding a name's addresses took: the questions about one name, asked together, as one lookup.
//
// A and AAAA (and HTTPS) of one name are one lookup, one after the other or at once, asked again or not. It ends with
// the last answer before the connect that uses it, and belongs to the first connection that does: addresses raced for
// are not each looked up anew.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

struct Lookup {
    struct Answer {
        std::uint32_t type = 0;
        std::int64_t time_ns = 0;
    };
    std::int64_t from_ns = 0;
    std::vector<Answer> answers;  // a few
    bool used = false;

    // From the first question to the last answer by `before_ns`; once, and not without such an answer.
    struct Span {
        std::int64_t from_ns, to_ns;
    };
    std::optional<Span> take(std::int64_t before_ns);
};

class Lookups {
   public:
    void asked(ProcessId process, const std::string& name, std::uint32_t type, std::int64_t time_ns);
    // The lookup that is part of; null when its question was not seen.
    std::shared_ptr<Lookup> answered(ProcessId process, const std::string& name, std::uint32_t type,
                                     std::int64_t time_ns);

   private:
    static std::string key_of(ProcessId process, const std::string& name);

    std::unordered_map<std::string, std::shared_ptr<Lookup>> latest_;  // by process and name
    std::deque<std::string> order_;                                    // its keys, oldest first
};

}  // namespace slowtrace::resolve
