// Lines for a descriptor whose reader may be slow, stopped, or waiting for us: whoever says them never waits.
#pragma once

#include <memory>
#include <string>

namespace slowtrace::cli {

class LineWriter {
   public:
    // `fd` stays the caller's, and open as long as the process lives.
    explicit LineWriter(int fd);
    // Waits for what is queued, but not longer than a second.
    ~LineWriter();
    LineWriter(const LineWriter&) = delete;
    LineWriter& operator=(const LineWriter&) = delete;

    // Whole lines, each with its newline, for one write(2): others may write there too. What does not fit into the
    // queue is dropped, and how many lines that were is said in their place.
    void say(const std::string& lines);

   private:
    struct Queue;
    std::shared_ptr<Queue> queue_;  // also its thread's, which may outlive us in a write(2) that does not return
    bool started_ = false;
};

}  // namespace slowtrace::cli
