// A trace file, its checksums mended so that what lies behind them is reached; anything else as a bare block.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "slowtrace/error.hpp"
#include "slowtrace/trace_file.hpp"
#include "slowtrace/unique_fd.hpp"
#include "trace/block_decoder.hpp"
#include "trace/format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

class CheckEvents : public slowtrace::EventSink {
   public:
    void event(const slowtrace::model::Event& event) override {
        if (event.has_syscall()) std::abort();
    }
    void syscall(const slowtrace::model::Syscall& call) override {
        if (call.arguments_size() > 6) std::abort();
        for (const auto& captured : call.captured())
            if (captured.path_id() != 0) std::abort();
    }
};

std::string with_checksums(std::string file) {
    namespace trace = slowtrace::trace;
    std::size_t at = trace::header_size;
    while (at + trace::frame_size <= file.size()) {
        const std::size_t rest = file.size() - at - trace::frame_size;
        const std::size_t packed = std::min<std::size_t>(trace::get_u32(&file[at]), rest);
        trace::set_u32(&file[at], static_cast<std::uint32_t>(packed));
        const auto data = std::string_view(file).substr(at + trace::frame_size, packed);
        trace::set_u32(&file[at + 8], trace::frame_check(&file[at], data));
        at += trace::frame_size + packed;
    }
    return file;
}

void read_file(const std::string& content) {
    const slowtrace::UniqueFd memory(::memfd_create("trace", MFD_CLOEXEC));
    if (::write(memory.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) return;
    try {
        CheckEvents sink;
        slowtrace::trace::TraceReader("/proc/self/fd/" + std::to_string(memory.get())).replay(sink);
    } catch (const slowtrace::Error& error) {
        if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.starts_with(slowtrace::trace::magic)) {
        read_file(with_checksums(std::string(input)));
        return 0;
    }
    slowtrace::trace::BlockDecoder decoder;
    CheckEvents sink;
    if (decoder.parse(input).empty()) decoder.deliver(sink);
    return 0;
}
