// External merge sort of encoded events.
#include "render/json_event_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <queue>

#include "slowtrace/error.hpp"

namespace slowtrace::render {
namespace {

// What stands before each body, in the window and in the file. The file never outlives the process.
struct Header {
    std::int64_t from_ns, to_ns;
    std::uint32_t pid, tid, body_bytes, arguments_offset;
    JsonEventKind kind;
};

constexpr std::size_t smallest_buffer = 4096;

JsonEvent decode(const char* bytes) {
    Header header;
    std::memcpy(&header, bytes, sizeof header);
    return {.from_ns = header.from_ns,
            .to_ns = header.to_ns,
            .pid = header.pid,
            .tid = header.tid,
            .kind = header.kind,
            .arguments_offset = header.arguments_offset,
            .body = {bytes + sizeof header, header.body_bytes}};
}

std::size_t encoded_size(const char* bytes) {
    Header header;
    std::memcpy(&header, bytes, sizeof header);
    return sizeof header + header.body_bytes;
}

// /var/tmp rather than /tmp: the latter is often memory, which is what a spill saves (file-hierarchy(7)).
std::vector<std::string> temporary_directories() {
    std::vector<std::string> directories;
    if (const char* chosen = std::getenv("TMPDIR"); chosen != nullptr && *chosen != '\0')
        directories.emplace_back(chosen);
    directories.insert(directories.end(), {"/var/tmp", "/tmp"});
    return directories;
}

UniqueFd unlinked_file() {
    int error = 0;
    for (const std::string& directory : temporary_directories()) {
        std::string name = directory + "/slowtrace.XXXXXX";
        UniqueFd file(::mkostemp(name.data(), O_CLOEXEC));
        error = errno;
        if (!file) continue;
        ::unlink(name.c_str());
        return file;
    }
    throw Error("cannot create a temporary file in /var/tmp: " + std::string(std::strerror(error)) +
                "; set TMPDIR to a directory with free space");
}

void write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0)
            throw Error("cannot write the temporary file of a large export: " +
                        std::string(std::strerror(written < 0 ? errno : ENOSPC)) +
                        "; set TMPDIR to a directory with free space");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

// Reads one sorted run of the file, an event at a time.
class RunReader {
   public:
    RunReader(int file, std::uint64_t from, std::uint64_t to, std::size_t buffer_bytes)
        : file_(file), position_(from), end_(to), buffer_bytes_(buffer_bytes) {
        advance();
    }
    bool done() const { return done_; }
    const JsonEvent& front() const { return front_; }
    void advance() {
        consumed_ += front_bytes_;
        front_bytes_ = 0;
        if (!have(sizeof(Header))) {
            done_ = true;
            return;
        }
        const std::size_t bytes = encoded_size(buffer_.data() + consumed_);
        have(bytes);
        front_ = decode(buffer_.data() + consumed_);
        front_bytes_ = bytes;
    }

   private:
    // Makes `bytes` bytes available at `consumed_`; false at the run's end.
    bool have(std::size_t bytes) {
        if (buffer_.size() - consumed_ >= bytes) return true;
        buffer_.erase(0, consumed_);
        consumed_ = 0;
        const std::size_t kept = buffer_.size();
        const std::size_t wanted = std::max(bytes, buffer_bytes_);
        const std::size_t room = static_cast<std::size_t>(std::min<std::uint64_t>(wanted - kept, end_ - position_));
        buffer_.resize(kept + room);
        read_all(buffer_.data() + kept, room);
        return buffer_.size() >= bytes;
    }
    void read_all(char* into, std::size_t bytes) {
        while (bytes > 0) {
            const ssize_t got = ::pread(file_, into, bytes, static_cast<off_t>(position_));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) throw Error("cannot read back the temporary file of a large export");
            into += got;
            bytes -= static_cast<std::size_t>(got);
            position_ += static_cast<std::uint64_t>(got);
        }
    }

    int file_;
    std::uint64_t position_, end_;
    std::size_t buffer_bytes_;
    std::string buffer_;
    std::size_t consumed_ = 0, front_bytes_ = 0;
    bool done_ = false;
    JsonEvent front_;
};

// True when the event of run `a` goes first; the later run was told later.
bool goes_first(const JsonEvent& a, std::size_t run_a, const JsonEvent& b, std::size_t run_b) {
    if (a.from_ns != b.from_ns) return a.from_ns < b.from_ns;
    if (a.to_ns != b.to_ns) return a.to_ns > b.to_ns;
    return run_a > run_b;
}

}  // namespace

JsonEventStore::JsonEventStore(std::size_t window_bytes) : window_bytes_(window_bytes) {}

void JsonEventStore::add(const JsonEvent& event) {
    // Metadata has no time: it sorts before every event.
    const bool timeless = event.kind == JsonEventKind::metadata;
    const Header header = {.from_ns = timeless ? -1 : event.from_ns,
                           .to_ns = timeless ? -1 : event.to_ns,
                           .pid = event.pid,
                           .tid = event.tid,
                           .body_bytes = static_cast<std::uint32_t>(event.body.size()),
                           .arguments_offset = event.arguments_offset,
                           .kind = event.kind};
    references_.push_back({header.from_ns, header.to_ns, window_.size()});
    window_.append(reinterpret_cast<const char*>(&header), sizeof header);
    window_.append(event.body);
    if (window_.size() + references_.size() * sizeof(Reference) >= window_bytes_) spill();
}

void JsonEventStore::sort_window() {
    std::sort(references_.begin(), references_.end(), [](const Reference& a, const Reference& b) {
        if (a.from_ns != b.from_ns) return a.from_ns < b.from_ns;
        if (a.to_ns != b.to_ns) return a.to_ns > b.to_ns;
        return a.offset > b.offset;
    });
}

void JsonEventStore::spill() {
    if (references_.empty()) return;
    if (!file_) file_ = unlinked_file();
    sort_window();
    std::string block;
    constexpr std::size_t block_bytes = 1 << 20;
    for (const Reference& reference : references_) {
        const char* bytes = window_.data() + reference.offset;
        block.append(bytes, encoded_size(bytes));
        if (block.size() < block_bytes) continue;
        write_all(file_.get(), block);
        block.clear();
    }
    write_all(file_.get(), block);
    file_bytes_ += window_.size();
    run_ends_.push_back(file_bytes_);
    window_.clear();
    references_.clear();
}

void JsonEventStore::drain(const std::function<void(const JsonEvent&)>& receive) {
    if (run_ends_.empty()) {
        sort_window();
        for (const Reference& reference : references_) receive(decode(window_.data() + reference.offset));
        window_ = {};
        references_ = {};
        return;
    }
    spill();
    window_ = {};
    references_ = {};
    const std::size_t buffer_bytes = std::max(window_bytes_ / run_ends_.size() / 2, smallest_buffer);
    std::vector<RunReader> runs;
    runs.reserve(run_ends_.size());
    std::uint64_t begin = 0;
    for (const std::uint64_t end : run_ends_) {
        runs.emplace_back(file_.get(), begin, end, std::min(buffer_bytes, std::size_t{1} << 20));
        begin = end;
    }
    const auto later = [&runs](std::size_t a, std::size_t b) {
        return goes_first(runs[b].front(), b, runs[a].front(), a);
    };
    std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> next(later);
    for (std::size_t run = 0; run < runs.size(); ++run) next.push(run);
    while (!next.empty()) {
        const std::size_t run = next.top();
        next.pop();
        receive(runs[run].front());
        runs[run].advance();
        if (!runs[run].done()) next.push(run);
    }
    file_.reset();
}

}  // namespace slowtrace::render
