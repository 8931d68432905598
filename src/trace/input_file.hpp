// A regular file opened for reading at any offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "slowtrace/unique_fd.hpp"

namespace slowtrace::trace {

class InputFile {
   public:
    // Throws Error naming file and remedy when it is missing, unreadable, empty or not a regular file.
    explicit InputFile(const std::string& path);

    const std::string& path() const { return path_; }
    std::uint64_t size() const;
    // Fills `out` with up to `count` octets from `offset`; fewer only at the file's end. Throws Error.
    void read(std::uint64_t offset, std::size_t count, std::string& out) const;

   private:
    std::string path_;
    UniqueFd file_;
};

}  // namespace slowtrace::trace
