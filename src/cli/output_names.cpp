// Names output files.
#include "cli/output_names.hpp"

#include <filesystem>
#include <string_view>

namespace slowtrace::cli {

namespace {

constexpr std::string_view extension = ".slowtrace";

// Any command name becomes one plain file name.
std::string file_stem(const std::string& command) {
    std::string stem = std::filesystem::path(command).filename().string();
    for (char& character : stem)
        if (static_cast<unsigned char>(character) <= ' ' || character == '\x7f') character = '_';
    while (stem.starts_with('-') || stem.starts_with('.')) stem.erase(0, 1);
    return stem.empty() ? "run" : stem.substr(0, 100);
}

bool is_free(const std::string& path) {
    std::error_code error;
    return std::filesystem::symlink_status(path, error).type() == std::filesystem::file_type::not_found;
}

}  // namespace

std::string with_extension(const std::string& run, const std::string& wanted) {
    const std::string_view base = run;
    return std::string(base.ends_with(extension) ? base.substr(0, base.size() - extension.size()) : base) + wanted;
}

OutputNames output_names(const std::string& requested, const std::string& json, const std::string& command) {
    OutputNames names;
    if (!requested.empty()) {
        names.trace = requested.ends_with(extension) ? requested : requested + std::string(extension);
    } else {
        int number = 1;
        std::string base;
        do base = file_stem(command) + "." + std::to_string(number++);
        while (!is_free(base + std::string(extension)) || (json.empty() && !is_free(base + ".json")));
        names.trace = base + std::string(extension);
    }
    names.json = json.empty() ? with_extension(names.trace, ".json") : json;
    return names;
}

}  // namespace slowtrace::cli
