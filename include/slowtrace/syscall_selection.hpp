// Which calls to record: strace's -e trace= expressions, expanded to numbers for each ABI.
#pragma once

#include <bitset>
#include <string>
#include <string_view>

#include "slowtrace/syscalls.hpp"

namespace slowtrace::model {

class SyscallSelection {
   public:
    // "%network,%file,!openat", "read,write", "!futex", "all", "none"; the forms "trace=EXPR" and the classes
    // without % that strace still takes (network, file, desc, …) are accepted. A leading "!" negates the whole
    // expression, as in strace; a "!" before a later item removes that item.
    // Throws Error(ExitCode::usage) naming the unknown item and the nearest known name.
    static SyscallSelection parse(std::string_view expression);

    bool includes(Call call) const { return calls_.test(static_cast<std::size_t>(call)); }
    // Calls without a row are recorded unless the expression names calls positively.
    bool includes_unknown() const { return unknown_; }
    const std::string& expression() const { return expression_; }

   private:
    std::bitset<static_cast<std::size_t>(Call::count)> calls_;
    bool unknown_ = true;
    std::string expression_;
};

}  // namespace slowtrace::model
