// What differs between the instruction sets and ABIs a call can be made in: one row each, all always compiled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/trace.pb.h"

namespace slowtrace::record {

struct Architecture {
    std::uint32_t audit;  // AUDIT_ARCH_*, as PTRACE_GET_SYSCALL_INFO and seccomp(2) report it
    model::Abi abi;
    std::uint64_t number_tag = 0;  // set in every call number of this ABI (x32: 0x40000000)
    int instruction_bytes;         // the system call instruction: a restart steps back over it
    int pointer_bytes;             // also size_t and long
    int time_bytes;                // each field of the ABI's struct timespec and timeval
    int epoll_event_bytes;         // struct epoll_event is packed on x86 only
    int epoll_data_offset;
    std::uint32_t restart_syscall;
    // NT_PRSTATUS (core(5)): its size, and where a call's result stands in it. 0: the ABI has another set.
    std::size_t register_set_bytes = 0, result_offset = 0;
    // Where the number of a call stands that is about to return, while its tracer can still say how it ends at a stop
    // that is not the call's own (x86: orig_rax). 0: the kernel has prepared the restart before it stops.
    std::size_t number_offset = 0;
    std::uint32_t socketcall;  // 0: the ABI has none
};

std::span<const Architecture> x86_64_architectures();
std::span<const Architecture> aarch64_architectures();

// The row for one call; nullptr for an architecture slowtrace has no row for.
const Architecture* find_architecture(std::uint32_t audit, std::uint64_t number);

}  // namespace slowtrace::record
