// AArch64: one table, one four-byte `svc` instruction; struct epoll_event has its natural alignment.
#include <linux/audit.h>

#include <array>

#include "record/arch/architecture.hpp"

namespace slowtrace::record {

std::span<const Architecture> aarch64_architectures() {
    static constexpr std::array<Architecture, 1> rows{{{
        .audit = AUDIT_ARCH_AARCH64,
        .abi = model::AARCH64,
        .instruction_bytes = 4,
        .pointer_bytes = 8,
        .time_bytes = 8,
        .epoll_event_bytes = 16,
        .epoll_data_offset = 8,
        .restart_syscall = 128,
        // struct user_pt_regs (asm/ptrace.h): x0 to x30, sp, pc, pstate.
        .register_set_bytes = 34 * 8,
        .result_offset = 0,
        .socketcall = 0,
    }}};
    return rows;
}

}  // namespace slowtrace::record
