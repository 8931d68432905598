// Reads what stands behind a call's arguments, as the shapes of its row in the syscall table declare.
#pragma once

#include "record/arch/architecture.hpp"
#include "record/remote_memory.hpp"
#include "slowtrace/syscalls.hpp"

namespace slowtrace::record {

// Both append to call.captured(). A call whose row needs no memory costs one table look-up and no read.
void capture_at_entry(const model::SyscallRow& row, const Architecture& architecture, RemoteMemory& memory,
                      model::Syscall& call);
// Uses call.result(). Failed calls keep what entry captured.
void capture_at_exit(const model::SyscallRow& row, const Architecture& architecture, RemoteMemory& memory,
                     model::Syscall& call);

}  // namespace slowtrace::record
