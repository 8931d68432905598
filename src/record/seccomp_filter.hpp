// Lets the kernel skip the calls nobody asked for: a selection of calls as a seccomp-BPF program.
#pragma once

#include <linux/filter.h>

#include <span>
#include <vector>

#include "slowtrace/syscall_selection.hpp"

namespace slowtrace::record {

// Whether the filter stops at this call. More than the selection says: restart_syscall continues any selected
// call, rt_sigreturn tells whether an interrupted one restarts, and i386's socketcall and ipc carry others inside.
class TracedCalls {
   public:
    explicit TracedCalls(const model::SyscallSelection& selection);
    bool contains(model::Abi abi, std::uint32_t number) const;
    bool contains_unknown() const { return unknown_; }

   private:
    std::bitset<static_cast<std::size_t>(model::Call::count)> calls_;
    bool unknown_;
};

// SECCOMP_RET_TRACE for the traced calls of x86_64, x32, i386 and aarch64, SECCOMP_RET_ALLOW for the others.
// One program serves every machine; at most BPF_MAXINSNS instructions, about ten are executed a call.
std::vector<sock_filter> seccomp_program(const model::SyscallSelection& selection);

// Filters the calling thread and all it will start. For use between fork and exec: async-signal-safe. Sets
// no_new_privs only when the kernel asks for it, since it disarms set-uid programs. False with errno on failure.
bool install(std::span<const sock_filter> program) noexcept;

}  // namespace slowtrace::record
