// The syscall table: every call's name, its number in each ABI, its classes and the shape of its arguments.
//
// The rows are in model/syscalls.def; capture (record), meaning (resolve) and decoding (render) all follow
// from them. Numbers are checked against the kernel's headers by a unit test.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/trace.pb.h"

namespace slowtrace::model {

// What one argument is. The first group is a plain number in the register; the second points into the
// program's memory and says what the recorder reads there, and when.
enum class Shape : std::uint8_t {
    none,  // no such argument
    // --- numbers
    integer,           // signed decimal
    unsigned_integer,  // unsigned decimal: sizes, counts
    hex,               // flags nobody decodes yet, cookies
    pointer,           // an address that is not followed
    descriptor,        // a file descriptor
    directory,         // a file descriptor or AT_FDCWD
    process,           // a pid
    signal,
    octal_mode,
    timeout_ms,  // poll, epoll_wait: milliseconds, -1 for ever
    open_flags,
    at_flags,
    mmap_protection,
    mmap_flags,
    clone_flags,
    socket_family,
    socket_type,
    socket_level,
    socket_option,
    message_flags,
    shutdown_how,
    epoll_operation,
    epoll_create_flags,
    pipe_flags,
    eventfd_flags,
    timerfd_flags,
    fcntl_command,
    fcntl_argument,  // meaning depends on fcntl_command in the argument before; F_GETLK/F_SETLK* capture a lock
    flock_operation,
    futex_operation,
    futex_flags,
    clock,
    wait_options,
    wait_id_type,
    signal_how,
    seek_whence,
    access_mode,
    ioctl_request,
    ioctl_argument,
    prctl_option,
    arch_prctl_code,
    madvise_advice,
    resource,
    random_flags,
    rename_flags,
    close_range_flags,
    memfd_flags,
    splice_flags,
    rusage_who,
    offset,       // a signed long: one register in every ABI
    offset64,     // a 64-bit number: in I386 two registers, low half first
    hex64,        // the same, a cookie or a mask
    offset_low,   // preadv and its kin: the low half in I386, all of it elsewhere
    offset_high,  // the high half in I386, ignored in X86_64 and AARCH64, no register at all in X32
    read_write_flags,
    socket_protocol,
    fadvise_advice,
    fallocate_mode,
    sync_file_range_flags,
    inotify_mask,
    statx_mask,
    unlink_flags,
    xattr_flags,
    mount_flags,
    umount_flags,
    open_tree_flags,
    namespace_flags,  // unshare, setns: CLONE_NEW* without an exit signal
    pidfd_flags,
    ptrace_request,
    priority_which,
    scheduling_policy,
    membarrier_command,
    mremap_flags,
    msync_flags,
    mlockall_flags,
    timer_flags,
    timerfd_set_flags,
    interval_timer,
    io_uring_enter_flags,
    io_uring_register_operation,
    ipc_command,
    ipc_call,
    socketcall_number,
    seccomp_operation,
    bpf_command,
    keyctl_operation,
    // --- memory read at entry
    path,             // NUL-terminated, at most PATH_MAX
    string,           // NUL-terminated, short: a name, a key (captured as Captured.path)
    strings,          // argv: NULL-terminated array of strings
    address_in,       // sockaddr; its length is the next argument
    iovec,            // array of iovec; its length is the next argument (not read: results count the bytes)
    message_in,       // struct msghdr about to be sent
    messages_in,      // struct mmsghdr array about to be sent; its length is the next argument
    timespec,         // the ABI's own struct timespec, relative or absolute as the row says
    timespec64,       // struct __kernel_timespec in every ABI (the *_time64 calls)
    timeval,          // the ABI's own struct timeval
    itimerspec,       // timerfd_settime, timer_settime: the first expiry
    itimerspec64,     // struct __kernel_itimerspec in every ABI (the *_settime64 calls)
    itimerval,        // setitimer: the first expiry
    epoll_event,      // epoll_ctl
    clone_arguments,  // clone3; its size is the next argument
    open_how,         // openat2
    // --- memory read at entry and again at exit
    poll_set,        // struct pollfd array; its length is the next argument
    descriptor_set,  // fd_set; nfds is argument 0
    // --- memory read at exit
    address_out,      // sockaddr; a pointer to its length is the next argument
    message_out,      // struct msghdr just received into: address, SCM_RIGHTS
    messages_out,     // struct mmsghdr array received into; result says how many
    epoll_events,     // result says how many
    descriptor_pair,  // pipe, socketpair
    option_value,     // getsockopt: read when SO_ERROR or SO_TYPE; its length pointer is the next argument
    integer_out,      // an int: FIONREAD's answer, wait status
    // --- memory that is never read
    buffer_in,   // payload going out
    buffer_out,  // payload coming in
    structure,   // struct stat and its kind
    futex_word,
    signal_set,
};

// What the return value is when the call did not fail.
enum class Returns : std::uint8_t {
    number,
    nothing,     // 0
    descriptor,  // a new file descriptor
    bytes,       // a byte count
    process,     // a pid
    address,
    ready_count,  // poll, select, epoll_wait: how many are ready, 0 on timeout
};

// strace's classes (strace(1), -e trace=%class). A row may be in several.
enum class SyscallClass : std::uint16_t {
    none = 0,
    file = 1 << 0,
    descriptor = 1 << 1,  // %desc
    network = 1 << 2,
    process = 1 << 3,
    memory = 1 << 4,
    signal = 1 << 5,
    ipc = 1 << 6,
};
constexpr SyscallClass operator|(SyscallClass a, SyscallClass b) {
    return static_cast<SyscallClass>(static_cast<std::uint16_t>(a) | static_cast<std::uint16_t>(b));
}
constexpr bool has(SyscallClass set, SyscallClass one) {
    return (static_cast<std::uint16_t>(set) & static_cast<std::uint16_t>(one)) != 0;
}

struct ArgumentRow {
    std::string_view name;  // as in the manual page
    Shape shape = Shape::none;
};

// One X-macro row each: calls are told apart by name, so `Call::read` is the same call in every ABI.
enum class Call : std::uint16_t {
    unknown,
#define SLOWTRACE_SYSCALL(name, ...) name,
#include "model/syscalls.def"
#undef SLOWTRACE_SYSCALL
    count
};

struct SyscallRow {
    Call call = Call::unknown;
    std::string_view name;
    SyscallClass classes = SyscallClass::none;
    Returns returns = Returns::number;
    std::array<ArgumentRow, 6> arguments;
    // The number in each ABI, -1 where the call does not exist. x32 numbers are without the 0x40000000 bit.
    std::int16_t x86_64 = -1, i386 = -1, x32 = -1, aarch64 = -1;

    int argument_count() const {
        int count = 0;
        for (const ArgumentRow& argument : arguments)
            if (argument.shape != Shape::none) ++count;
        return count;
    }
};

// Never null: a number without a row yields the row of Call::unknown (name "syscall", six hex arguments).
// `number` is as recorded: for X32 with or without the 0x40000000 bit. Constant time.
const SyscallRow& syscall_row(Abi abi, std::uint32_t number);
// The row of a name as strace spells it; nullptr when there is none.
const SyscallRow* find_syscall(std::string_view name);
// Every known row, in table order, without the row of Call::unknown.
std::span<const SyscallRow> all_syscalls();
// The number of `row` in `abi`, -1 where it does not exist.
int number_in(const SyscallRow& row, Abi abi);

// "read", or "syscall_467" for a number without a row.
std::string syscall_name(Abi abi, std::uint32_t number);
// "ENOENT" for 2; "errno_4000" for an unknown one.
std::string error_name(int error);
// "SIGCHLD" for 17; "SIGRT_3" for 35.
std::string signal_name(int signal);

// A call failed when its result is in the kernel's error range (linux/err.h: MAX_ERRNO).
inline bool failed(const Syscall& call) {
    return call.ending() == Syscall::RETURNED && call.result() < 0 && call.result() >= -4095;
}

}  // namespace slowtrace::model
