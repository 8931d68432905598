// The trace file: a run on disk, appended block by block, readable up to the last whole block.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "slowtrace/events.hpp"

namespace slowtrace::trace {

inline constexpr std::uint32_t format_version = 2;

// Writes events as they come. A write error (full disk, RLIMIT_FSIZE) does not throw: the command must run
// on. What could not be kept is counted and told by lost_events() and lost_reason().
class TraceWriter : public EventSink {
   public:
    // Creates `path` with mode 0600; throws Error when it exists (unless `overwrite`) or cannot be created.
    explicit TraceWriter(const std::string& path, bool overwrite = false);
    ~TraceWriter() override;

    void event(const model::Event& event) override;
    void syscall(const model::Syscall& call) override;

    // Writes what is buffered: the file then holds every event so far.
    void flush();
    // Writes what is buffered, then the end mark. Idempotent; the destructor calls it.
    void close();

    std::uint64_t bytes_written() const;
    std::uint64_t lost_events() const;
    const std::string& lost_reason() const;  // one line, empty when nothing was lost

   private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

// Reads a trace file, treating it as hostile: every length is bounded, every block checksummed.
class TraceReader : public EventSource {
   public:
    // Throws Error naming file and remedy when it is missing, not a trace, or of a newer version.
    explicit TraceReader(const std::string& path);
    ~TraceReader() override;
    void replay(EventSink& sink) override;

   private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

// Reads a `.txtpb` fixture (TextFormat of model::Trace).
class TextTraceReader : public EventSource {
   public:
    explicit TextTraceReader(const std::string& path);
    void replay(EventSink& sink) override;

   private:
    model::Trace trace_;
};

// Either of the above, by content. The one way the rest of the program opens a run.
std::unique_ptr<EventSource> open_trace(const std::string& path);

}  // namespace slowtrace::trace
