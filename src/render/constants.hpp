// Names of the constants calls take and give: one table of rows per argument shape, and how to spell a value.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "slowtrace/syscalls.hpp"

namespace slowtrace::render {

struct Constant {
    std::uint64_t value;
    std::string_view name;
};
using Constants = std::span<const Constant>;

// One of several: "SEEK_SET"; hex when nobody knows it.
std::string name_of(Constants constants, std::uint64_t value);
// Any of several: "MAP_PRIVATE|MAP_ANONYMOUS|0x800000"; a name for exactly 0 if there is one, else "0".
// Rows of several bits stand before the rows of their parts.
std::string flags_of(Constants constants, std::uint64_t value);

struct ShapeConstants {
    model::Shape shape;
    bool flags;
    Constants constants;
};
// nullptr for a shape whose values have no names of their own.
const ShapeConstants* constants_of(model::Shape shape);

// Those whose meaning depends on more than the shape.
Constants open_flag_constants(model::Abi abi);  // the bits above O_ACCMODE differ between x86 and ARM
Constants open_access_constants();
Constants socket_type_flag_constants();
Constants socket_option_constants(int level);
Constants socket_protocol_constants(int family);
Constants descriptor_flag_constants();  // FD_CLOEXEC
Constants seal_constants();
Constants file_lock_constants();
Constants resolve_constants();  // openat2
Constants poll_constants();
Constants epoll_constants();
Constants futex_modifier_constants();

}  // namespace slowtrace::render
