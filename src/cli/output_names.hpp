// What a run's files are called.
#pragma once

#include <string>

namespace slowtrace::cli {

struct OutputNames {
    std::string trace, json;
};

// From `-o NAME` (".slowtrace" is added unless there), or for an empty one the first free `<command>.<n>` in the
// current directory; `json` overrides the name beside the trace.
OutputNames output_names(const std::string& requested, const std::string& json, const std::string& command);

// The same run in another format: "pip.1.slowtrace" → "pip.1.json".
std::string with_extension(const std::string& run, const std::string& extension);

}  // namespace slowtrace::cli
