// Inside the constants_*.cpp files only: a row whose name and value come from the system's header.
#pragma once

#include "render/constants.hpp"

#define NAMED(constant)                                 \
    ::slowtrace::render::Constant {                     \
        static_cast<std::uint64_t>(constant), #constant \
    }

namespace slowtrace::render {

// Defined one per file, joined by constants.cpp.
std::span<const ShapeConstants> file_constants();
std::span<const ShapeConstants> socket_constants();
std::span<const ShapeConstants> process_constants();
std::span<const ShapeConstants> memory_constants();

}  // namespace slowtrace::render
