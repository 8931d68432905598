// `slowtrace redact RUN -o OUT`: a copy of a run that can be shared.
#include <unistd.h>

#include <fstream>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/output_names.hpp"
#include "slowtrace/error.hpp"
#include "slowtrace/redaction.hpp"
#include "slowtrace/trace_file.hpp"

namespace slowtrace::cli {

namespace {

constexpr std::streamsize longest_key = 4096;  // octets

}  // namespace

std::string redaction_key(const std::string& given) {
    if (!given.starts_with('@')) return given;
    const std::string path = given.substr(1);
    std::ifstream file(path, std::ios::binary);
    std::string key(static_cast<std::size_t>(longest_key) + 1, '\0');
    file.read(key.data(), longest_key + 1);
    const std::streamsize length = file.gcount();
    if (length > longest_key) throw Error("the key in " + path + " is longer than 4096 octets", ExitCode::usage);
    key.resize(static_cast<std::size_t>(length));
    while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
    if (key.empty()) throw Error("cannot read a key from " + path + ": is it there, and not empty?", ExitCode::usage);
    return key;
}

int run_redact(const RedactCommand& command) {
    const std::string key = redaction_key(command.key);
    const auto run = trace::open_trace(run_file(command.run));
    const std::string path = output_names(command.output, {}, {}).trace;
    trace::TraceWriter writer(path);
    try {
        run->replay(*trace::redact(writer, key));
        writer.close();
        if (writer.lost_events() > 0) throw Error("cannot write " + path + ": " + writer.lost_reason());
    } catch (...) {
        unlink(path.c_str());  // half a copy is none
        throw;
    }
    std::cerr << "Wrote " << path << "\n";
    return 0;
}

}  // namespace slowtrace::cli
