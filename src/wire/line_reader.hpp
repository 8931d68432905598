// Lines put together from pieces of a stream, however it is cut.
#pragma once

#include <string>
#include <string_view>

#include "wire/octets.hpp"

namespace slowtrace::wire {

// Holds one line, at most `limit` octets of all it was given since the last restart().
class LineReader {
   public:
    explicit LineReader(std::size_t limit) : limit_(limit) {}

    // Takes octets up to and with the next line feed. True when a line is whole: it is line() until the next call.
    bool take(Octets& octets) {
        if (std::exchange(whole_, false)) line_.clear();
        while (!octets.empty() && !whole_ && !full()) {
            const char c = static_cast<char>(octets[0]);
            octets = octets.subspan(1);
            ++taken_;
            whole_ = c == '\n';
            if (!whole_) line_ += c;
        }
        return whole_;
    }
    // What there is of the line, without its line feed and the CR before it.
    std::string_view line() const {
        const std::string_view text = line_;
        return whole_ && text.ends_with('\r') ? text.substr(0, text.size() - 1) : text;
    }
    // More was given than a head may have.
    bool full() const { return taken_ >= limit_; }
    void restart() {
        line_.clear();
        taken_ = 0;
        whole_ = false;
    }

   private:
    std::size_t limit_, taken_ = 0;
    std::string line_;
    bool whole_ = false;
};

}  // namespace slowtrace::wire
