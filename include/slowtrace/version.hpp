// The version `slowtrace --version` prints and every trace carries.
#pragma once

namespace slowtrace {

inline constexpr const char* version = "0.1.0";

}  // namespace slowtrace
