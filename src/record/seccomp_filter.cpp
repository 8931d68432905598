// The program is a binary search: the 32-bit space of numbers is cut into runs of equal verdicts, and each
// inner node compares with the first number of a run. Everything left of it follows at once, so that only the
// jump to the right half can be too far for the instruction's 8-bit offset; then a 32-bit jump is put between.
#include "record/seccomp_filter.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace slowtrace::record {

namespace {

using model::Abi;
using model::Call;

constexpr Call socketcall_members[] = {
    Call::socket,      Call::bind,        Call::connect,    Call::listen,  Call::accept,   Call::accept4,
    Call::getsockname, Call::getpeername, Call::socketpair, Call::sendto,  Call::recvfrom, Call::shutdown,
    Call::setsockopt,  Call::getsockopt,  Call::sendmsg,    Call::recvmsg, Call::sendmmsg, Call::recvmmsg};
constexpr Call ipc_members[] = {Call::semop,  Call::semget, Call::semctl, Call::semtimedop, Call::msgsnd, Call::msgrcv,
                                Call::msgget, Call::msgctl, Call::shmat,  Call::shmdt,      Call::shmget, Call::shmctl};

constexpr std::size_t place(Call call) {
    return static_cast<std::size_t>(call);
}

// From here up to the next run's first number, one verdict.
struct Run {
    std::uint32_t first;
    bool traced;
};

constexpr std::uint32_t x32_bit = 0x40000000;
// No ABI numbers its calls beyond this.
constexpr std::uint32_t number_limit = 1024;

void append_runs(std::vector<Run>& runs, const TracedCalls& traced, Abi abi, std::uint32_t base) {
    const auto begin_run = [&](std::uint32_t first, bool verdict) {
        if (runs.empty() || runs.back().traced != verdict) runs.push_back({first, verdict});
    };
    for (std::uint32_t number = 0; number < number_limit; ++number)
        begin_run(base + number, traced.contains(abi, base + number));
    begin_run(base + number_limit, traced.contains_unknown());
}

using Program = std::vector<sock_filter>;

void append_verdict(Program& program, bool traced) {
    program.push_back(BPF_STMT(BPF_RET | BPF_K, traced ? SECCOMP_RET_TRACE : SECCOMP_RET_ALLOW));
}

void append_search(Program& program, std::span<const Run> runs) {
    if (runs.size() == 1) return append_verdict(program, runs.front().traced);
    const std::size_t middle = runs.size() / 2;
    Program left;
    append_search(left, runs.first(middle));
    const auto distance = static_cast<std::uint32_t>(left.size());
    if (distance <= 255) {
        program.push_back(
            BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, runs[middle].first, static_cast<std::uint8_t>(distance), 0));
    } else {
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, runs[middle].first, 0, 1));
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JA, distance, 0, 0));
    }
    program.insert(program.end(), left.begin(), left.end());
    append_search(program, runs.subspan(middle));
}

// What follows when the audited architecture is not this one is whatever is appended next.
void append_architecture(Program& program, std::uint32_t architecture, std::span<const Run> runs) {
    Program search = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
    append_search(search, runs);
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(search.size()), 0, 0));
    program.insert(program.end(), search.begin(), search.end());
}

}  // namespace

TracedCalls::TracedCalls(const model::SyscallSelection& selection) : unknown_(selection.includes_unknown()) {
    for (const model::SyscallRow& row : model::all_syscalls())
        calls_.set(place(row.call), selection.includes(row.call));
    for (const Call call : socketcall_members)
        if (selection.includes(call)) calls_.set(place(Call::socketcall));
    for (const Call call : ipc_members)
        if (selection.includes(call)) calls_.set(place(Call::ipc));
    if (calls_.any() || unknown_)
        for (const Call call : {Call::restart_syscall, Call::rt_sigreturn, Call::sigreturn}) calls_.set(place(call));
}

bool TracedCalls::contains(Abi abi, std::uint32_t number) const {
    const Call call = model::syscall_row(abi, number).call;
    return call == Call::unknown ? unknown_ : calls_.test(place(call));
}

std::vector<sock_filter> seccomp_program(const model::SyscallSelection& selection) {
    const TracedCalls traced(selection);
    std::vector<Run> x86_64, i386, aarch64;
    append_runs(x86_64, traced, model::X86_64, 0);
    append_runs(x86_64, traced, model::X32, x32_bit);
    append_runs(i386, traced, model::I386, 0);
    append_runs(aarch64, traced, model::AARCH64, 0);

    Program program = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch))};
    append_architecture(program, AUDIT_ARCH_X86_64, x86_64);
    append_architecture(program, AUDIT_ARCH_I386, i386);
    append_architecture(program, AUDIT_ARCH_AARCH64, aarch64);
    append_verdict(program, traced.contains_unknown());
    return program;
}

bool install(std::span<const sock_filter> program) noexcept {
    const sock_fprog filter = {static_cast<unsigned short>(program.size()), const_cast<sock_filter*>(program.data())};
    const auto set_filter = [&] { return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0; };
    if (set_filter()) return true;
    // EACCES: no CAP_SYS_ADMIN in this user namespace and no_new_privs is not set (seccomp(2)).
    if (errno != EACCES) return false;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && set_filter();
}

}  // namespace slowtrace::record
