// TraceWriter: blocks out, one write each. When one cannot be written whole its part is cut off again, so
// that what stands in the file stays readable, and from then on events are only counted.
#include <fcntl.h>
#include <sys/stat.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "slowtrace/error.hpp"
#include "slowtrace/trace_file.hpp"
#include "slowtrace/unique_fd.hpp"
#include "trace/block_encoder.hpp"
#include "trace/format.hpp"

namespace slowtrace::trace {
namespace {

constexpr int compression_level = 1;
constexpr mode_t private_mode = S_IRUSR | S_IWUSR;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw Error("cannot write " + path + ": " + why);
}

std::string remedy_for(int error) {
    const std::string what = std::strerror(error);
    if (error == ENOENT) return what + " (create its directory first, or name another file with -o)";
    return what + " (name another file with -o)";
}

UniqueFd overwrite_existing(const std::string& path) {
    // O_NONBLOCK: a FIFO nobody reads must not hold us here.
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file) refuse(path, remedy_for(errno));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) refuse(path, remedy_for(errno));
    if (!S_ISREG(status.st_mode)) refuse(path, "not a regular file (name another file with -o)");
    if (::ftruncate(file.get(), 0) != 0) refuse(path, remedy_for(errno));
    ::fchmod(file.get(), private_mode);  // fails on another user's file: its mode is that user's choice then
    return file;
}

UniqueFd create(const std::string& path, bool overwrite) {
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, private_mode));
    if (file) return file;
    if (errno != EEXIST) refuse(path, remedy_for(errno));
    if (!overwrite) refuse(path, "it exists already (name another file with -o, or allow overwriting it)");
    return overwrite_existing(path);
}

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

class TraceWriter::Implementation {
   public:
    Implementation(const std::string& path, bool overwrite)
        : file_(create(path, overwrite)), compressor_(ZSTD_createCCtx()) {
        if (compressor_ == nullptr) throw Error("not enough memory to compress " + path);
        output_.assign(magic);
        output_.resize(header_size);
        set_u32(output_.data() + magic.size(), format_version);
        append();
    }

    void event(const model::Event& event) {
        if (event.has_syscall()) return syscall(event.syscall());
        // Held back: the losses, known only at the end, are told before it.
        if (event.has_end()) {
            end_ = event;
            return;
        }
        add(event, true);
        // From here on the file says what was run, however soon and hard the recording ends.
        if (event.has_exec() && bytes_written_ == header_size) flush();
    }
    void syscall(const model::Syscall& call) { add(call, call.captured_size() + call.pieces_size() != 0); }

    void close() {
        if (!file_) return;
        flush();
        if (lost_events_ != 0) {
            model::Event event;
            event.mutable_loss()->set_time_ns(encoder_.last_time_ns());
            event.mutable_loss()->set_events(lost_events_);
            event.mutable_loss()->set_reason(lost_reason_);
            encoder_.add(event);
        }
        if (end_) encoder_.add(*end_);
        output_.clear();
        if (encoder_.events() != 0) put_block();
        put_end();
        // After a failure the place cut free again often has room for these few octets.
        if ((bytes_written_ < header_size || !append()) && end_) ++lost_events_;
        file_.reset();
    }

    std::uint64_t bytes_written() const { return bytes_written_; }
    std::uint64_t lost_events() const { return lost_events_; }
    const std::string& lost_reason() const { return lost_reason_; }

    void flush() {
        const std::uint64_t events = encoder_.events();
        if (events == 0 || stopped_ || !file_) return;
        output_.clear();
        put_block();
        if (!append()) lost_events_ += events;
        encoder_.clear();
    }

   private:
    template <typename Message>
    void add(const Message& message, bool may_be_large) {
        if (stopped_ || !file_) {
            ++lost_events_;
            return;
        }
        if (may_be_large && message.ByteSizeLong() > max_event_bytes) {
            ++lost_events_;
            if (lost_reason_.empty()) lost_reason_ = "an event was too large to keep";
            return;
        }
        encoder_.add(message);
        if (encoder_.full()) flush();
    }

    // Appends the encoder's block to output_.
    void put_block() {
        raw_.clear();
        encoder_.block().AppendToString(&raw_);
        const std::size_t start = output_.size();
        output_.resize(start + frame_size + ZSTD_compressBound(raw_.size()));
        const std::size_t packed =
            ZSTD_compressCCtx(compressor_.get(), output_.data() + start + frame_size,
                              output_.size() - start - frame_size, raw_.data(), raw_.size(), compression_level);
        if (ZSTD_isError(packed)) {  // out of memory only: the destination is large enough
            output_.resize(start);
            stop(ZSTD_getErrorName(packed));
            return;
        }
        output_.resize(start + frame_size + packed);
        finish_frame(start, static_cast<std::uint32_t>(packed), static_cast<std::uint32_t>(raw_.size()));
    }

    void put_end() {
        const std::size_t start = output_.size();
        output_.resize(start + frame_size);
        finish_frame(start, 0, 0);
    }

    void finish_frame(std::size_t start, std::uint32_t packed, std::uint32_t raw) {
        char* frame = output_.data() + start;
        set_u32(frame, packed);
        set_u32(frame + 4, raw);
        set_u32(frame + 8, frame_check(frame, std::string_view(output_).substr(start + frame_size)));
    }

    // Writes output_ whole or not at all.
    bool append() {
        std::size_t done = 0;
        while (done < output_.size()) {
            const ssize_t count = ::write(file_.get(), output_.data() + done, output_.size() - done);
            if (count > 0) {
                done += static_cast<std::size_t>(count);
            } else if (count == 0 || errno != EINTR) {
                stop(std::strerror(count == 0 ? ENOSPC : errno));
                break;
            }
        }
        if (done == output_.size()) {
            bytes_written_ += done;
            return !output_.empty();
        }
        const auto whole = static_cast<off_t>(bytes_written_);
        // Should cutting fail as well, the reader finds the part by its checksum.
        if (::ftruncate(file_.get(), whole) == 0) ::lseek(file_.get(), whole, SEEK_SET);
        return false;
    }

    void stop(const char* reason) {
        stopped_ = true;
        if (lost_reason_.empty()) lost_reason_ = std::string("the trace file could not be written: ") + reason;
    }

    UniqueFd file_;
    std::unique_ptr<ZSTD_CCtx, FreeContext> compressor_;
    BlockEncoder encoder_;
    std::optional<model::Event> end_;
    std::string raw_, output_;  // reused for every block
    std::uint64_t bytes_written_ = 0;
    std::uint64_t lost_events_ = 0;
    std::string lost_reason_;
    bool stopped_ = false;
};

TraceWriter::TraceWriter(const std::string& path, bool overwrite)
    : implementation_(std::make_unique<Implementation>(path, overwrite)) {}

TraceWriter::~TraceWriter() {
    close();
}

void TraceWriter::event(const model::Event& event) {
    implementation_->event(event);
}

void TraceWriter::syscall(const model::Syscall& call) {
    implementation_->syscall(call);
}

void TraceWriter::flush() {
    implementation_->flush();
}

void TraceWriter::close() {
    implementation_->close();
}

std::uint64_t TraceWriter::bytes_written() const {
    return implementation_->bytes_written();
}

std::uint64_t TraceWriter::lost_events() const {
    return implementation_->lost_events();
}

const std::string& TraceWriter::lost_reason() const {
    return implementation_->lost_reason();
}

}  // namespace slowtrace::trace
