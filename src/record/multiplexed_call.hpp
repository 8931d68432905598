// i386's socketcall(2) told as the call it stands for, so that nothing downstream need know it.
#pragma once

#include "record/arch/architecture.hpp"
#include "record/ptrace.hpp"
#include "record/remote_memory.hpp"

namespace slowtrace::record {

// Replaces number and arguments when `stop` is a socketcall with a known sub-call; else leaves it alone.
void unfold_socketcall(const Architecture& architecture, RemoteMemory& memory, SyscallStop& stop);

}  // namespace slowtrace::record
