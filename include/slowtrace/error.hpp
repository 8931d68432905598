// The one exception: something the user must hear about in one line, with the exit code it ends in.
#pragma once

#include <stdexcept>
#include <string>

namespace slowtrace {

// Documented in README.md, "Exit status". 126 and 127 follow POSIX sh, 125 follows env(1) and timeout(1).
enum class ExitCode : int {
    success = 0,
    usage = 2,
    failed = 125,
    cannot_execute = 126,
    not_found = 127,
};

// `what()` is one line without a newline: what, where, what to do. Caught in cli only.
class Error : public std::runtime_error {
   public:
    explicit Error(const std::string& message, ExitCode code = ExitCode::failed)
        : std::runtime_error(message), code_(code) {}
    ExitCode code() const { return code_; }

   private:
    ExitCode code_;
};

}  // namespace slowtrace
