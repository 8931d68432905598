// x86-64: three ABIs in one process. `syscall` enters the 64-bit table, or x32's when bit 30 of the number is
// set; `int $0x80` (and sysenter) enters the i386 table even from 64-bit code. All three instructions take two bytes.
#include <linux/audit.h>

#include <array>

#include "record/arch/architecture.hpp"

namespace slowtrace::record {

std::span<const Architecture> x86_64_architectures() {
    static constexpr std::array<Architecture, 3> rows{{
        {.audit = AUDIT_ARCH_X86_64,
         .abi = model::X86_64,
         .instruction_bytes = 2,
         .pointer_bytes = 8,
         .time_bytes = 8,
         .epoll_event_bytes = 12,
         .epoll_data_offset = 4,
         .restart_syscall = 219,
         // struct user_regs_struct (sys/user.h): 27 words, rax the eleventh, orig_rax the sixteenth.
         .register_set_bytes = 27 * 8,
         .result_offset = 10 * 8,
         .number_offset = 15 * 8,
         .socketcall = 0},
        {.audit = AUDIT_ARCH_X86_64,
         .abi = model::X32,
         .number_tag = 0x40000000,
         .instruction_bytes = 2,
         .pointer_bytes = 4,
         .time_bytes = 8,
         .epoll_event_bytes = 12,
         .epoll_data_offset = 4,
         .restart_syscall = 219,
         // struct user_regs_struct (sys/user.h): 27 words, rax the eleventh, orig_rax the sixteenth.
         .register_set_bytes = 27 * 8,
         .result_offset = 10 * 8,
         .number_offset = 15 * 8,
         .socketcall = 0},
        {.audit = AUDIT_ARCH_I386,
         .abi = model::I386,
         .instruction_bytes = 2,
         .pointer_bytes = 4,
         .time_bytes = 4,
         .epoll_event_bytes = 12,
         .epoll_data_offset = 4,
         .restart_syscall = 0,
         .socketcall = 102},
    }};
    return rows;
}

}  // namespace slowtrace::record
