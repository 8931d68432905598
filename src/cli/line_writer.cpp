// A thread of its own, started by the first line. poll(2) before writing would not do instead: whoever else writes
// there may fill the pipe in between.
#include "cli/line_writer.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace slowtrace::cli {

namespace {

constexpr std::size_t octets_limit = 256 * 1024;
constexpr std::chrono::seconds last_wait{1};

std::uint64_t lines_in(const std::string& text) {
    return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace

struct LineWriter::Queue {
    explicit Queue(int descriptor) : fd(descriptor) {}

    const int fd;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::string> texts;  // the first one may be half written
    std::size_t octets = 0;
    std::uint64_t dropped = 0;  // lines, after the last of the texts
    bool closed = false;        // nothing more will come
    bool abandoned = false;     // nobody waits for it any more
    bool finished = false;

    void push(std::string text) {
        octets += text.size();
        texts.push_back(std::move(text));
    }
    void own_up() {
        if (dropped == 0) return;
        push("slowtrace: " + std::to_string(dropped) + (dropped == 1 ? " line" : " lines") + " not shown\n");
        dropped = 0;
    }
    void write_all(const std::string& text);
    void run();
};

void LineWriter::Queue::write_all(const std::string& text) {
    constexpr int interruptions_limit = 16;
    int interruptions = 0;
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t count = write(fd, text.data() + done, text.size() - done);
        if (count > 0) {
            done += static_cast<std::size_t>(count);
        } else if (count < 0 && errno == EAGAIN) {
            pollfd room{fd, POLLOUT, 0};
            poll(&room, 1, 100);
            const std::lock_guard lock(mutex);
            if (abandoned) return;
        } else if (count == 0 || errno != EINTR || ++interruptions == interruptions_limit) {
            return;
        }
    }
}

void LineWriter::Queue::run() {
    std::unique_lock lock(mutex);
    while (!abandoned) {
        if (texts.empty()) own_up();
        if (texts.empty()) {
            if (closed) break;
            changed.wait(lock);
            continue;
        }
        const std::string text = std::move(texts.front());
        lock.unlock();
        write_all(text);
        lock.lock();
        octets -= text.size();
        texts.pop_front();
    }
    finished = true;
    changed.notify_all();
}

LineWriter::LineWriter(int fd) : queue_(std::make_shared<Queue>(fd)) {}

LineWriter::~LineWriter() {
    if (!started_) return;
    std::unique_lock lock(queue_->mutex);
    queue_->closed = true;
    queue_->changed.notify_all();
    queue_->changed.wait_for(lock, last_wait, [this] { return queue_->finished; });
    queue_->abandoned = true;
}

void LineWriter::say(const std::string& lines) {
    {
        const std::lock_guard lock(queue_->mutex);
        if (!queue_->texts.empty() && queue_->octets + lines.size() > octets_limit) {
            queue_->dropped += lines_in(lines);
            return;
        }
        queue_->own_up();
        queue_->push(lines);
    }
    queue_->changed.notify_all();
    if (started_) return;
    // No signal is this thread's to handle. With SIGTTOU blocked a terminal takes what a process group in the
    // background writes, even after `stty tostop` (POSIX.1-2017, 11.1.4).
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread([queue = queue_] { queue->run(); }).detach();
        started_ = true;
    } catch (const std::system_error&) {
        // No thread to be had now: the next line tries again.
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace slowtrace::cli
