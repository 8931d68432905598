// Where exports go: a file that appears whole or not at all, standard output, either of them compressed.
#pragma once

#include <memory>
#include <string>

#include "slowtrace/exporters.hpp"

namespace slowtrace::render {

// The sink for `path`: "-" is standard output, a name ending in ".gz" is compressed. A file is written under a
// temporary name in the same directory (mode 0600) and renamed by commit(). Throws Error when `path` exists and
// `overwrite` is false, or cannot be created. A path that is not a regular file (a FIFO, /dev/null) is written to
// directly: a rename would replace it.
std::unique_ptr<ByteSink> open_byte_sink(const std::string& path, bool overwrite = false);

// Compresses into `inner` (gzip, RFC 1952).
std::unique_ptr<ByteSink> gzip_into(std::unique_ptr<ByteSink> inner);

}  // namespace slowtrace::render
