// Looks constants up and spells them.
#include "render/constants.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "render/constant_table.hpp"

namespace slowtrace::render {

namespace {

std::string hex(std::uint64_t value) {
    std::array<char, 24> buffer;
    std::snprintf(buffer.data(), buffer.size(), "%#llx", static_cast<unsigned long long>(value));
    return buffer.data();
}

constexpr std::size_t shape_limit = 256;
using ShapeIndex = std::array<const ShapeConstants*, shape_limit>;

ShapeIndex build_index() {
    ShapeIndex index{};
    for (const auto part : {file_constants(), socket_constants(), process_constants(), memory_constants()})
        for (const ShapeConstants& row : part) index[static_cast<std::size_t>(row.shape)] = &row;
    return index;
}

}  // namespace

std::string name_of(Constants constants, std::uint64_t value) {
    const auto found = std::ranges::find(constants, value, &Constant::value);
    return found == constants.end() ? hex(value) : std::string(found->name);
}

std::string flags_of(Constants constants, std::uint64_t value) {
    if (value == 0) {
        const auto zero = std::ranges::find(constants, std::uint64_t{0}, &Constant::value);
        return zero == constants.end() ? "0" : std::string(zero->name);
    }
    std::string out;
    const auto append = [&](std::string_view name) {
        if (!out.empty()) out += '|';
        out += name;
    };
    for (const Constant& constant : constants)
        if (constant.value != 0 && (value & constant.value) == constant.value) {
            append(constant.name);
            value &= ~constant.value;
        }
    if (value != 0) append(hex(value));
    return out;
}

const ShapeConstants* constants_of(model::Shape shape) {
    static const ShapeIndex index = build_index();
    const auto place = static_cast<std::size_t>(shape);
    return place < shape_limit ? index[place] : nullptr;
}

}  // namespace slowtrace::render
