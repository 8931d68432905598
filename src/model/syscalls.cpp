// The rows of syscalls.def as an array, and one direct-indexed array of numbers per ABI.
#include "slowtrace/syscalls.hpp"

#include <algorithm>
#include <unordered_map>

namespace slowtrace::model {

namespace {

constexpr std::string_view without_final_underscore(std::string_view name) {
    if (name.ends_with('_')) name.remove_suffix(1);
    return name;
}

using enum SyscallClass;

#define ARG(argument_name, argument_shape)    \
    ArgumentRow {                             \
#argument_name, Shape::argument_shape \
    }
#define SLOWTRACE_SYSCALL(name, x86_64, i386, x32, aarch64, classes, returns, ...)                                \
    SyscallRow{                                                                                                   \
        Call::name, without_final_underscore(#name), classes, Returns::returns, {__VA_ARGS__}, x86_64, i386, x32, \
        aarch64},
constexpr SyscallRow rows[] = {
    {Call::unknown,
     "syscall",
     SyscallClass::none,
     Returns::number,
     {ARG(arg1, hex), ARG(arg2, hex), ARG(arg3, hex), ARG(arg4, hex), ARG(arg5, hex), ARG(arg6, hex)}},
#include "model/syscalls.def"
};
#undef SLOWTRACE_SYSCALL
#undef ARG

static_assert(std::size(rows) == static_cast<std::size_t>(Call::count));

constexpr std::int16_t SyscallRow::*column(Abi abi) {
    switch (abi) {
        case X86_64:
            return &SyscallRow::x86_64;
        case I386:
            return &SyscallRow::i386;
        case X32:
            return &SyscallRow::x32;
        case AARCH64:
            return &SyscallRow::aarch64;
        default:
            return nullptr;
    }
}

// Larger than every number of every ABI: x32's own calls end at 547.
constexpr std::size_t number_limit = 1024;
using NumberIndex = std::array<std::uint16_t, number_limit>;

constexpr NumberIndex index_of(Abi abi) {
    NumberIndex index{};
    for (const SyscallRow& row : rows) {
        const std::int16_t number = row.*column(abi);
        if (number >= 0) index[static_cast<std::size_t>(number)] = static_cast<std::uint16_t>(row.call);
    }
    return index;
}

constexpr NumberIndex no_numbers{};
constexpr NumberIndex x86_64_index = index_of(X86_64);
constexpr NumberIndex i386_index = index_of(I386);
constexpr NumberIndex x32_index = index_of(X32);
constexpr NumberIndex aarch64_index = index_of(AARCH64);

const NumberIndex& numbers(Abi abi) {
    switch (abi) {
        case X86_64:
            return x86_64_index;
        case I386:
            return i386_index;
        case X32:
            return x32_index;
        case AARCH64:
            return aarch64_index;
        default:
            return no_numbers;
    }
}

constexpr std::uint32_t x32_bit = 0x40000000;

std::uint32_t plain_number(Abi abi, std::uint32_t number) {
    return abi == X32 ? number & ~x32_bit : number;
}

}  // namespace

const SyscallRow& syscall_row(Abi abi, std::uint32_t number) {
    const std::uint32_t plain = plain_number(abi, number);
    return plain < number_limit ? rows[numbers(abi)[plain]] : rows[0];
}

const SyscallRow* find_syscall(std::string_view name) {
    static const auto by_name = [] {
        std::unordered_map<std::string_view, const SyscallRow*> names;
        for (const SyscallRow& row : all_syscalls()) names.emplace(row.name, &row);
        return names;
    }();
    const auto found = by_name.find(name);
    return found == by_name.end() ? nullptr : found->second;
}

std::span<const SyscallRow> all_syscalls() {
    return std::span(rows).subspan(1);
}

int number_in(const SyscallRow& row, Abi abi) {
    const auto member = column(abi);
    return member == nullptr ? -1 : row.*member;
}

std::string syscall_name(Abi abi, std::uint32_t number) {
    const SyscallRow& row = syscall_row(abi, number);
    if (row.call != Call::unknown) return std::string(row.name);
    return "syscall_" + std::to_string(plain_number(abi, number));
}

}  // namespace slowtrace::model
