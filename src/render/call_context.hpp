// One call while it is being put into words: its registers by argument, and what was captured behind them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "render/arguments.hpp"

namespace slowtrace::render {

class CallContext {
   public:
    CallContext(const model::Syscall& call, const model::SyscallRow& row, const DescribeDescriptor& describe);

    const model::Syscall& call() const { return call_; }
    const model::SyscallRow& row() const { return row_; }
    model::Shape shape(int argument) const { return row_.arguments[static_cast<std::size_t>(argument)].shape; }

    // The register, cut to what the ABI's registers hold. 0 for an argument that does not exist.
    std::uint64_t value(int argument) const;
    // As an int: what an `int` parameter sees, whatever the upper half says.
    int int_value(int argument) const { return static_cast<int>(static_cast<std::uint32_t>(value(argument))); }
    // As a long of the ABI.
    std::int64_t long_value(int argument) const;
    // Two registers in I386, one elsewhere.
    std::uint64_t wide_value(int argument) const;
    // The first argument of that shape; -1 when the row has none.
    int argument_of(model::Shape shape) const;

    // nullptr when nothing was captured behind that argument.
    const model::Captured* captured(int argument) const;
    std::string descriptor(int argument, int fd) const;

   private:
    std::uint64_t register_value(int number) const;

    const model::Syscall& call_;
    const model::SyscallRow& row_;
    const DescribeDescriptor& describe_;
    std::array<int, 6> registers_{};
};

std::string pointer_text(std::uint64_t value);
std::string open_flags_text(model::Abi abi, std::uint64_t value);

// What was captured behind an argument; nullopt when nothing was, or not of the kind the shape promises.
std::optional<std::string> captured_text(const CallContext& context, int argument);
// "[{fd=3, revents=POLLIN}]": the members that became ready.
std::string ready_members_text(const CallContext& context, int argument, const model::PollSet& set);
std::string descriptors_text(const CallContext& context, int argument,
                             const google::protobuf::RepeatedField<std::int32_t>& descriptors);

}  // namespace slowtrace::render
