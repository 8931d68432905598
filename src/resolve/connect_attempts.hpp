// A connect from the call to the moment the program learned how it went, however it learns it.
#pragma once

#include <cstdint>
#include <memory>

#include "resolve/notices.hpp"
#include "resolve/races.hpp"
#include "resolve/tracked_file.hpp"

namespace slowtrace::resolve {

// Why the last descriptor went.
enum class Closing : std::uint8_t { closed, process_gone };

class ConnectAttempts {
   public:
    ConnectAttempts(Notices& notices, Races& races) : notices_(notices), races_(races) {}

    // connect(), or a send that connects, has ended. `error` 0: success.
    void connect_ended(TrackedFile& file, const model::Syscall& call, int error);
    // It was found connecting: since when is not known, so since then at the latest.
    void found(TrackedFile& file, ThreadId thread, std::int64_t time_ns) { begin(file, thread, time_ns); }
    // A wait that was about the socket reported it with these POLL* bits; `certain`: the call would have told ERR.
    void ready(TrackedFile& file, std::uint32_t bits, bool certain, std::int64_t time_ns);
    // A wait that was about the socket timed out.
    void waited_out(TrackedFile& file, std::int64_t time_ns);
    // getsockopt(SO_ERROR) said so.
    void error_read(TrackedFile& file, int error, std::int64_t time_ns);
    // A send, receive or getpeername ended, with 0 for success.
    void used(TrackedFile& file, int error, std::int64_t time_ns);
    // The last descriptor has gone. Not null: how it went depends on the next attempt (Races::hold).
    std::shared_ptr<AttemptOutcome> gone(TrackedFile& file, Closing closing, std::int64_t time_ns);

   private:
    void begin(TrackedFile& file, ThreadId thread, std::int64_t from_ns);
    void conclude(TrackedFile& file, AttemptOutcome outcome, int error, std::int64_t time_ns);
    void tell(TrackedFile& file, AttemptOutcome outcome, int error, std::int64_t time_ns,
              std::shared_ptr<const AttemptOutcome> later = nullptr);
    void conclude(TrackedFile& file, int error, std::int64_t time_ns);
    void stay_pending(TrackedFile& file, const model::Syscall& call, int error);

    Notices& notices_;
    Races& races_;
};

}  // namespace slowtrace::resolve
