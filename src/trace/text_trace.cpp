// TextTraceReader: a run written by hand as protobuf text, and the choice between it and TraceReader.
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include "slowtrace/error.hpp"
#include "slowtrace/trace_file.hpp"
#include "trace/foreign_file.hpp"
#include "trace/format.hpp"
#include "trace/input_file.hpp"

namespace slowtrace::trace {
namespace {

constexpr std::uint64_t max_text_bytes = 64 << 20;
constexpr std::size_t sniffed_bytes = 4096;

// Keeps the first complaint, with its place as editors count.
class FirstComplaint : public google::protobuf::io::ErrorCollector {
   public:
    void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
        if (text_.empty()) text_ = std::to_string(line + 1) + ":" + std::to_string(column + 1) + ": " + message;
    }
    const std::string& text() const { return text_; }

   private:
    std::string text_;
};

}  // namespace

TextTraceReader::TextTraceReader(const std::string& path) {
    const InputFile file(path);
    if (file.size() > max_text_bytes) throw Error(path + ": too large for a trace in text form");
    std::string text;
    file.read(0, file.size(), text);
    FirstComplaint complaint;
    google::protobuf::TextFormat::Parser parser;
    parser.RecordErrorsTo(&complaint);
    if (!parser.ParseFromString(text, &trace_)) throw Error(path + ":" + complaint.text());
}

void TextTraceReader::replay(EventSink& sink) {
    for (const model::Event& event : trace_.events()) {
        if (event.has_syscall())
            sink.syscall(event.syscall());
        else
            sink.event(event);
    }
}

std::unique_ptr<EventSource> open_trace(const std::string& path) {
    std::string start;
    InputFile(path).read(0, sniffed_bytes, start);
    if (!start.starts_with(magic) && (path.ends_with(".txtpb") || looks_like_text_trace(start)))
        return std::make_unique<TextTraceReader>(path);
    return std::make_unique<TraceReader>(path);
}

}  // namespace slowtrace::trace
