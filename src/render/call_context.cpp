// Which register holds which argument, in each ABI.
#include "render/call_context.hpp"

#include <utility>

namespace slowtrace::render {

using model::Shape;

namespace {

int registers_taken(Shape shape, model::Abi abi) {
    if (abi == model::I386 && (shape == Shape::offset64 || shape == Shape::hex64)) return 2;
    if (abi == model::X32 && shape == Shape::offset_high) return 0;
    return 1;
}

}  // namespace

CallContext::CallContext(const model::Syscall& call, const model::SyscallRow& row, const DescribeDescriptor& describe)
    : call_(call), row_(row), describe_(describe) {
    int next = 0;
    for (std::size_t i = 0; i < registers_.size(); ++i) {
        registers_[i] = next;
        next += registers_taken(row.arguments[i].shape, call.abi());
    }
    // clone(2), "C library/kernel differences": CONFIG_CLONE_BACKWARDS.
    const bool backwards = call.abi() == model::I386 || call.abi() == model::AARCH64;
    if (row.call == model::Call::clone && backwards) std::swap(registers_[3], registers_[4]);
}

std::uint64_t CallContext::register_value(int number) const {
    if (number < 0 || number >= call_.arguments_size()) return 0;
    const std::uint64_t value = call_.arguments(number);
    return call_.abi() == model::I386 ? value & 0xffffffff : value;
}

std::uint64_t CallContext::value(int argument) const {
    return register_value(registers_[static_cast<std::size_t>(argument)]);
}

std::int64_t CallContext::long_value(int argument) const {
    return call_.abi() == model::I386 ? int_value(argument) : static_cast<std::int64_t>(value(argument));
}

std::uint64_t CallContext::wide_value(int argument) const {
    const int low = registers_[static_cast<std::size_t>(argument)];
    if (call_.abi() != model::I386) return register_value(low);
    return register_value(low) | register_value(low + 1) << 32;
}

int CallContext::argument_of(Shape shape) const {
    for (std::size_t i = 0; i < row_.arguments.size(); ++i)
        if (row_.arguments[i].shape == shape) return static_cast<int>(i);
    return -1;
}

const model::Captured* CallContext::captured(int argument) const {
    const auto wanted = static_cast<std::uint32_t>(registers_[static_cast<std::size_t>(argument)]);
    for (const model::Captured& captured : call_.captured())
        if (captured.argument() == wanted) return &captured;
    return nullptr;
}

std::string CallContext::descriptor(int argument, int fd) const {
    if (fd < 0 || !describe_) return std::to_string(fd);
    std::string text = describe_(argument, fd);
    return text.empty() ? std::to_string(fd) : text;
}

}  // namespace slowtrace::render
