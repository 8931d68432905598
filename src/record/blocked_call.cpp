// Reads /proc/TID/syscall, and keeps the table of calls that a stop would disturb.
#include "record/blocked_call.hpp"

#include <elf.h>
#include <linux/audit.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <string>

#include "record/descriptor_copy.hpp"
#include "record/proc.hpp"

namespace slowtrace::record {

namespace {

using model::Call;
using model::SyscallRow;

// Why a call does not come through a stop unchanged.
enum class Weakness : std::uint8_t {
    eintr,             // EINTR for any signal, and from the tracer's stop as well
    part,              // a blocked one may have moved a part of its octets: it returns their number
    receive_timeout,   // EINTR when SO_RCVTIMEO is set on its socket; a part with MSG_WAITALL
    unwritable_limit,  // EINTR when its time limit, where the rest of it is to be written, is in read-only memory
    send_timeout,      // EINTR when SO_SNDTIMEO is set on its socket (socket(7))
};

struct WeaknessRow {
    Call call;
    Weakness weakness;
};

// signal(7), "Interruption of system calls and library functions by stop signals"; io_getevents: fs/aio.c;
// io_uring_enter: io_uring_enter(2), EINTR; select and its kin: fs/select.c, poll_select_finish.
constexpr std::array weaknesses{
    WeaknessRow{Call::epoll_wait, Weakness::eintr},
    WeaknessRow{Call::epoll_pwait, Weakness::eintr},
    WeaknessRow{Call::epoll_pwait2, Weakness::eintr},
    WeaknessRow{Call::rt_sigtimedwait, Weakness::eintr},
    WeaknessRow{Call::rt_sigtimedwait_time64, Weakness::eintr},
    WeaknessRow{Call::semop, Weakness::eintr},
    WeaknessRow{Call::semtimedop, Weakness::eintr},
    WeaknessRow{Call::semtimedop_time64, Weakness::eintr},
    WeaknessRow{Call::io_getevents, Weakness::eintr},
    WeaknessRow{Call::io_uring_enter, Weakness::eintr},
    WeaknessRow{Call::ipc, Weakness::eintr},
    WeaknessRow{Call::write, Weakness::part},
    WeaknessRow{Call::writev, Weakness::part},
    WeaknessRow{Call::sendto, Weakness::part},
    WeaknessRow{Call::sendmsg, Weakness::part},
    WeaknessRow{Call::sendmmsg, Weakness::part},
    WeaknessRow{Call::sendfile, Weakness::part},
    WeaknessRow{Call::sendfile64, Weakness::part},
    WeaknessRow{Call::splice, Weakness::part},
    WeaknessRow{Call::vmsplice, Weakness::part},
    WeaknessRow{Call::tee, Weakness::part},
    WeaknessRow{Call::copy_file_range, Weakness::part},
    WeaknessRow{Call::recvmmsg, Weakness::part},
    WeaknessRow{Call::recvmmsg_time64, Weakness::part},
    WeaknessRow{Call::read, Weakness::receive_timeout},
    WeaknessRow{Call::readv, Weakness::receive_timeout},
    WeaknessRow{Call::recvfrom, Weakness::receive_timeout},
    WeaknessRow{Call::recvmsg, Weakness::receive_timeout},
    WeaknessRow{Call::accept, Weakness::receive_timeout},
    WeaknessRow{Call::accept4, Weakness::receive_timeout},
    WeaknessRow{Call::connect, Weakness::send_timeout},
    WeaknessRow{Call::select, Weakness::unwritable_limit},
    WeaknessRow{Call::pselect6, Weakness::unwritable_limit},
    WeaknessRow{Call::ppoll, Weakness::unwritable_limit},
    WeaknessRow{Call::_newselect, Weakness::unwritable_limit},
    WeaknessRow{Call::pselect6_time64, Weakness::unwritable_limit},
    WeaknessRow{Call::ppoll_time64, Weakness::unwritable_limit},
};

const WeaknessRow* weakness_of(Call call) {
    const auto found = std::ranges::find(weaknesses, call, &WeaknessRow::call);
    return found == weaknesses.end() ? nullptr : &*found;
}

bool has_timeout(pid_t pid, pid_t tid, int fd, int option) {
    const UniqueFd socket = copy_descriptor(pid, tid, fd);
    timeval limit{};
    socklen_t length = sizeof limit;
    return socket && getsockopt(socket.get(), SOL_SOCKET, option, &limit, &length) == 0 &&
           (limit.tv_sec != 0 || limit.tv_usec != 0);
}

// proc(5), /proc/PID/maps.
bool is_unwritable(pid_t tid, std::uint64_t address) {
    constexpr std::size_t limit = 8 << 20;
    const auto text = read_file("/proc/" + std::to_string(tid) + "/maps", limit);
    std::istringstream lines(text.value_or(""));
    for (std::string line; std::getline(lines, line);) {
        unsigned long long from = 0, to = 0;
        char access[5] = "";
        if (std::sscanf(line.c_str(), "%llx-%llx %4s", &from, &to, access) == 3 && address >= from && address < to)
            return access[1] != 'w';
    }
    return false;
}

bool has_unwritable_limit(pid_t tid, Call call, const SyscallStop& stop) {
    const std::uint64_t limit = stop.arguments[call == Call::ppoll || call == Call::ppoll_time64 ? 2 : 4];
    return limit != 0 && is_unwritable(tid, limit);
}

bool waits_for_all(Call call, const SyscallStop& stop) {
    const std::uint64_t flags = call == Call::recvfrom  ? stop.arguments[3]
                                : call == Call::recvmsg ? stop.arguments[2]
                                                        : 0;
    return flags & MSG_WAITALL;
}

const SyscallRow& row_of(const SyscallStop& call, const Architecture*& architecture) {
    architecture = find_architecture(call.audit_architecture, call.number);
    if (!architecture) return model::syscall_row(model::ABI_UNKNOWN, 0);
    return model::syscall_row(architecture->abi, static_cast<std::uint32_t>(call.number & ~architecture->number_tag));
}

// Those that inc_syscw() counts as they return (fs/read_write.c).
constexpr std::array counted_writes{Call::write, Call::writev, Call::sendfile, Call::sendfile64, Call::copy_file_range};

std::uint64_t write_calls(pid_t tid) {
    // Without "task" it would be the whole process'.
    const std::string name = std::to_string(tid);
    const auto text = read_file("/proc/" + name + "/task/" + name + "/io", 512);
    const auto at = text ? text->find("syscw:") : std::string::npos;
    unsigned long long calls = 0;
    if (at != std::string::npos) std::sscanf(text->c_str() + at, "syscw: %llu", &calls);
    return calls;
}

// All a program has written to its TCP connection (struct tcp_info); 0 for any other socket.
std::uint64_t octets_sent(const UniqueFd& socket) {
    tcp_info state{};
    socklen_t length = sizeof state;
    if (!socket || getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &state, &length) != 0) return 0;
    if (length < offsetof(tcp_info, tcpi_bytes_retrans) + sizeof state.tcpi_bytes_retrans) return 0;
    return state.tcpi_bytes_sent - state.tcpi_bytes_retrans + state.tcpi_notsent_bytes;
}

}  // namespace

std::uint32_t audit_architecture_of(pid_t pid) {
    // The first fields are laid out alike in both classes.
    const auto head = read_file("/proc/" + std::to_string(pid) + "/exe", sizeof(Elf32_Ehdr));
    Elf32_Ehdr header;
    if (!head || head->size() < sizeof header || std::memcmp(head->data(), ELFMAG, SELFMAG) != 0) return 0;
    std::memcpy(&header, head->data(), sizeof header);
    switch (header.e_machine) {
        case EM_X86_64:
            return AUDIT_ARCH_X86_64;
        case EM_386:
            return AUDIT_ARCH_I386;
        case EM_AARCH64:
            return AUDIT_ARCH_AARCH64;
        default:
            return 0;
    }
}

std::optional<SyscallStop> read_blocked_call(pid_t tid, std::uint32_t audit_architecture) {
    const auto text = read_file("/proc/" + std::to_string(tid) + "/syscall", 512);
    if (!text || audit_architecture == 0) return std::nullopt;
    long long number = 0;
    unsigned long long arguments[6], stack = 0, instruction = 0;
    const int fields =
        std::sscanf(text->c_str(), "%lld %llx %llx %llx %llx %llx %llx %llx %llx", &number, &arguments[0],
                    &arguments[1], &arguments[2], &arguments[3], &arguments[4], &arguments[5], &stack, &instruction);
    if (fields != 9 || number < 0) return std::nullopt;
    SyscallStop stop;
    stop.entry = true;
    stop.audit_architecture = audit_architecture;
    stop.number = static_cast<std::uint64_t>(number);
    std::copy(std::begin(arguments), std::end(arguments), std::begin(stop.arguments));
    stop.stack_pointer = stack;
    stop.instruction_pointer = instruction;
    return stop;
}

bool same_call(const SyscallStop& one, const SyscallStop& other) {
    return one.number == other.number && one.instruction_pointer == other.instruction_pointer &&
           one.stack_pointer == other.stack_pointer && std::ranges::equal(one.arguments, other.arguments);
}

std::int64_t time_on_cpu_ns(pid_t tid) {
    const auto text = read_file("/proc/" + std::to_string(tid) + "/schedstat", 256);
    long long time = 0;
    return text && std::sscanf(text->c_str(), "%lld", &time) == 1 ? time : 0;
}

std::uint64_t user_ticks(pid_t tid) {
    // Without "task" it would be the whole process' time (fs/proc/array.c).
    const std::string name = std::to_string(tid);
    const auto stat = read_file("/proc/" + name + "/task/" + name + "/stat", 2048);
    const auto name_end = stat ? stat->rfind(')') : std::string::npos;
    unsigned long ticks = 0;
    if (name_end != std::string::npos)
        std::sscanf(stat->c_str() + name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu", &ticks);
    return ticks;
}

Progress progress_of(const SyscallStop& call, pid_t pid, pid_t tid) {
    const Architecture* architecture = nullptr;
    const Call kind = row_of(call, architecture).call;
    if (kind == Call::sendto) {
        const int fd = static_cast<int>(static_cast<std::uint32_t>(call.arguments[0]));
        return {0, octets_sent(copy_descriptor(pid, tid, fd))};
    }
    return {std::ranges::find(counted_writes, kind) != counted_writes.end() ? write_calls(tid) : 0, 0};
}

bool has_returned_between(const SyscallStop& call, const Progress& before, const Progress& after) {
    if (after.write_calls > before.write_calls) return true;
    const Architecture* architecture = nullptr;
    // One call sends no more than its own octets.
    return row_of(call, architecture).call == Call::sendto && after.octets_sent > before.octets_sent &&
           after.octets_sent - before.octets_sent > call.arguments[2];
}

bool moves_octets(const SyscallStop& call) {
    const Architecture* architecture = nullptr;
    const WeaknessRow* weak = weakness_of(row_of(call, architecture).call);
    return weak && (weak->weakness == Weakness::part || waits_for_all(row_of(call, architecture).call, call));
}

bool stop_may_cause_eintr(const SyscallRow& row) {
    const WeaknessRow* weak = weakness_of(row.call);
    return weak && weak->weakness != Weakness::part;
}

bool waits_without_limit(const SyscallRow& row, const std::uint64_t (&arguments)[6]) {
    switch (row.call) {
        case Call::epoll_wait:
        case Call::epoll_pwait:
            return static_cast<std::int32_t>(arguments[3]) < 0;
        case Call::epoll_pwait2:
            return arguments[3] == 0;
        case Call::rt_sigtimedwait:
            return arguments[2] == 0;
        case Call::semop:
            return true;
        default:
            return false;
    }
}

Disturbance disturbance_of(const SyscallStop& call, pid_t pid, pid_t tid, bool just_began) {
    const Architecture* architecture = nullptr;
    const SyscallRow& row = row_of(call, architecture);
    const WeaknessRow* weak = weakness_of(row.call);
    if (!weak) return Disturbance::none;
    const int fd = static_cast<int>(static_cast<std::uint32_t>(call.arguments[0]));
    // Only where a tracer can still say how the call ends when it sees the stop.
    const bool again = architecture->number_offset != 0, restorable = again && just_began;
    switch (weak->weakness) {
        case Weakness::eintr:
            return restorable || (again && waits_without_limit(row, call.arguments)) ? Disturbance::restorable
                                                                                     : Disturbance::lasting;
        case Weakness::part:
            return Disturbance::lasting;
        case Weakness::receive_timeout:
            if (waits_for_all(row.call, call)) return Disturbance::lasting;
            return !has_timeout(pid, tid, fd, SO_RCVTIMEO) ? Disturbance::none
                   : restorable                            ? Disturbance::restorable
                                                           : Disturbance::lasting;
        case Weakness::unwritable_limit:
            return !has_unwritable_limit(tid, row.call, call) ? Disturbance::none
                   : restorable                               ? Disturbance::restorable
                                                              : Disturbance::lasting;
        case Weakness::send_timeout:
            return !has_timeout(pid, tid, fd, SO_SNDTIMEO) ? Disturbance::none
                   : restorable                            ? Disturbance::restorable
                                                           : Disturbance::lasting;
    }
    return Disturbance::lasting;
}

}  // namespace slowtrace::record
