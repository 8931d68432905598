// The text of one call: its arguments and result, decoded as strace would, from what was recorded alone.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "slowtrace/syscalls.hpp"

namespace slowtrace::render {

// Text for a descriptor, "3<extra.example.org:80>", already safe to print. `argument` is the row's argument it
// stands in (inside a set too), -1 for the call's result. May be empty: the bare number is printed then.
using DescribeDescriptor = std::function<std::string(int argument, int fd)>;

struct ArgumentText {
    std::string_view name;  // of the row: lives as long as the table
    std::string text;       // printable, valid UTF-8, one line
};

// In order; those that mean nothing in this call (open's mode without O_CREAT) are left out. Payload is never
// shown, only its size.
std::vector<ArgumentText> argument_texts(const model::Syscall& call, const model::SyscallRow& row,
                                         const DescribeDescriptor& describe);

// "openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_CLOEXEC)".
std::string call_text(const model::Syscall& call, const model::SyscallRow& row, const DescribeDescriptor& describe);

// What follows the equals sign: "3</etc/hosts>", "-1 EINPROGRESS", "1 ([{fd=3, revents=POLLIN}])",
// "0 (Timeout)", "? (killed)".
std::string result_text(const model::Syscall& call, const model::SyscallRow& row, const DescribeDescriptor& describe);

// "{AF_INET, 203.0.113.9:80}", "{AF_UNIX, @"name"}".
std::string socket_address_text(const model::SocketAddress& address);
// "exited 0", "killed by SIGKILL", "stopped by SIGTSTP", "continued": a status as wait(2) stores it.
std::string wait_status_text(int status);

}  // namespace slowtrace::render
