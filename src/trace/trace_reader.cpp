// TraceReader: blocks in, each checked before it is believed. The first one that is not whole ends the run.
#include <zstd.h>

#include <algorithm>

#include "slowtrace/error.hpp"
#include "slowtrace/trace_file.hpp"
#include "trace/block_decoder.hpp"
#include "trace/foreign_file.hpp"
#include "trace/format.hpp"
#include "trace/input_file.hpp"

namespace slowtrace::trace {
namespace {

constexpr std::size_t sniffed_bytes = 512;

struct FreeContext {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// protobuf reports malformed input on stderr by itself; here it is told as an Error or a Loss.
void keep_protobuf_quiet() {
    [[maybe_unused]] static auto* const previous = google::protobuf::SetLogHandler(nullptr);
}

void check_header(const InputFile& file) {
    std::string start;
    file.read(0, sniffed_bytes, start);
    if (!start.starts_with(magic)) throw Error(file.path() + ": " + describe_foreign(start));
    if (start.size() < header_size) throw Error(file.path() + ": cut off inside its header (record again)");
    const std::uint32_t version = get_u32(start.data() + magic.size());
    if (version == 0) throw Error(file.path() + ": damaged, it states format 0 (record again)");
    if (version > format_version)
        throw Error(file.path() + ": written by a newer slowtrace (format " + std::to_string(version) +
                    "; this one reads up to " + std::to_string(format_version) + "): update slowtrace");
}

// Goes through a file's blocks from the first.
class BlockWalk {
   public:
    explicit BlockWalk(const InputFile& file) : file_(file), size_(file.size()), unpacker_(ZSTD_createDCtx()) {}

    // The next block's unpacked octets. Nothing at the end: then trouble() says whether it was the proper one.
    bool next(std::string& raw) {
        if (size_ == offset_) return fail("the end mark is missing: the recording was interrupted");
        file_.read(offset_, frame_size, frame_);
        if (frame_.size() < frame_size) return fail("it was cut off");
        const std::uint32_t packed_size = get_u32(frame_.data()), raw_size = get_u32(frame_.data() + 4);
        if (raw_size > max_raw_bytes || packed_size > ZSTD_compressBound(raw_size)) return fail("a length is wrong");
        if (packed_size > size_ - std::min(size_, offset_ + frame_size)) return fail("it was cut off");
        file_.read(offset_ + frame_size, packed_size, packed_);
        if (packed_.size() != packed_size) return fail("it was cut off");
        if (frame_check(frame_.data(), packed_) != get_u32(frame_.data() + 8)) return fail("a checksum is wrong");
        if (packed_size == 0) return finish();
        raw.resize(raw_size);
        if (ZSTD_decompressDCtx(unpacker_.get(), raw.data(), raw_size, packed_.data(), packed_size) != raw_size)
            return fail("a block does not unpack");
        offset_ += frame_size + packed_size;
        return true;
    }

    // Empty after the end mark.
    const std::string& trouble() const { return trouble_; }
    bool fail(std::string_view why) {
        trouble_ = "the trace could be read up to octet " + std::to_string(offset_) + " of " + std::to_string(size_) +
                   " only: " + std::string(why);
        return false;
    }

   private:
    bool finish() {
        offset_ += frame_size;
        if (offset_ != size_) fail("more follows the end mark");
        return false;
    }

    const InputFile& file_;
    std::uint64_t size_;
    std::uint64_t offset_ = header_size;
    std::unique_ptr<ZSTD_DCtx, FreeContext> unpacker_;
    std::string frame_, packed_, trouble_;
};

}  // namespace

class TraceReader::Implementation {
   public:
    explicit Implementation(const std::string& path) : file_(path) { check_header(file_); }

    void replay(EventSink& sink) {
        BlockWalk walk(file_);
        BlockDecoder decoder;
        std::string raw;
        bool played = false;
        while (walk.next(raw)) {
            const std::string_view wrong = decoder.parse(raw);
            if (!wrong.empty()) {
                walk.fail(wrong);
                break;
            }
            decoder.deliver(sink);
            played = true;
        }
        if (walk.trouble().empty()) return;
        if (!played) throw Error(file_.path() + ": " + walk.trouble() + " (nothing to show; record again)");
        model::Event loss;
        loss.mutable_loss()->set_time_ns(decoder.last_time_ns());
        loss.mutable_loss()->set_reason(walk.trouble());
        sink.event(loss);
    }

   private:
    InputFile file_;
};

TraceReader::TraceReader(const std::string& path) {
    keep_protobuf_quiet();
    implementation_ = std::make_unique<Implementation>(path);
}

TraceReader::~TraceReader() = default;

void TraceReader::replay(EventSink& sink) {
    implementation_->replay(sink);
}

}  // namespace slowtrace::trace
