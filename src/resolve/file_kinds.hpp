// What a path or a /proc/PID/fd link says about the kind of file behind it.
#pragma once

#include <string_view>

#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

FileKind kind_of_target(std::string_view target);

}  // namespace slowtrace::resolve
