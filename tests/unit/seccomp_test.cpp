// The filter, interpreted for every number of every architecture, against the selection it was built from.
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "catch.hpp"
#include "record/seccomp_filter.hpp"

using namespace slowtrace::model;
using slowtrace::record::seccomp_program;
using slowtrace::record::TracedCalls;

namespace {

// The five instructions the builder uses; anything else, or a jump out of the program, throws.
std::uint32_t run(const std::vector<sock_filter>& program, std::uint32_t architecture, std::uint32_t number,
                  std::size_t* steps = nullptr) {
    std::uint32_t accumulator = 0;
    std::size_t executed = 0;
    for (std::size_t at = 0; at < program.size(); ++at) {
        const sock_filter& instruction = program[at];
        ++executed;
        switch (instruction.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                if (instruction.k != 0 && instruction.k != 4) throw std::runtime_error("load of another field");
                accumulator = instruction.k == 0 ? number : architecture;
                break;
            case BPF_JMP | BPF_JA:
                at += instruction.k;
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                at += accumulator == instruction.k ? instruction.jt : instruction.jf;
                break;
            case BPF_JMP | BPF_JGE | BPF_K:
                at += accumulator >= instruction.k ? instruction.jt : instruction.jf;
                break;
            case BPF_RET | BPF_K:
                if (steps != nullptr) *steps = executed;
                return instruction.k;
            default:
                throw std::runtime_error("unexpected instruction");
        }
    }
    throw std::runtime_error("ran off the end");
}

bool traced(const std::vector<sock_filter>& program, std::uint32_t architecture, std::uint32_t number) {
    const std::uint32_t verdict = run(program, architecture, number);
    REQUIRE((verdict == SECCOMP_RET_TRACE || verdict == SECCOMP_RET_ALLOW));
    return verdict == SECCOMP_RET_TRACE;
}

struct Architecture {
    std::uint32_t audit;
    Abi abi;
    std::uint32_t base;
};
constexpr Architecture architectures[] = {{AUDIT_ARCH_X86_64, X86_64, 0},
                                          {AUDIT_ARCH_X86_64, X32, 0x40000000},
                                          {AUDIT_ARCH_I386, I386, 0},
                                          {AUDIT_ARCH_AARCH64, AARCH64, 0}};

// What the selection itself says, written without the builder's help.
bool wanted(const SyscallSelection& selection, Abi abi, std::uint32_t number) {
    const SyscallRow& row = syscall_row(abi, number);
    if (row.call == Call::unknown) return selection.includes_unknown();
    if (row.call == Call::restart_syscall || row.call == Call::rt_sigreturn || row.call == Call::sigreturn)
        return selection.expression() != "none" && selection.expression() != "!all";
    return selection.includes(row.call);
}

void check_every_number(const SyscallSelection& selection) {
    const auto program = seccomp_program(selection);
    CHECK(program.size() <= BPF_MAXINSNS);
    for (const Architecture& architecture : architectures)
        for (std::uint32_t i = 0; i < 1200; ++i) {
            const std::uint32_t number = architecture.base + i;
            const Call call = syscall_row(architecture.abi, number).call;
            if (call == Call::socketcall || call == Call::ipc) continue;
            if (traced(program, architecture.audit, number) != wanted(selection, architecture.abi, number))
                FAIL(selection.expression()
                     << ": " << syscall_name(architecture.abi, number) << " in " << Abi_Name(architecture.abi));
        }
    for (const std::uint32_t number : {0x3fffffffu, 0x7fffffffu, 0x80000000u, 0xffffffffu})
        CHECK(traced(program, AUDIT_ARCH_X86_64, number) == selection.includes_unknown());
    CHECK(traced(program, AUDIT_ARCH_S390, 1) == selection.includes_unknown());
}

}  // namespace

TEST_CASE("the filter stops at the selected calls and no others") {
    for (const char* expression : {"all", "none", "!all", "read", "%network", "%file,%desc,!openat", "!futex",
                                   "%process", "%memory", "%signal", "%ipc", "/e", "!/e", "/^[a-m]", "restart_syscall"})
        check_every_number(SyscallSelection::parse(expression));
}

TEST_CASE("a selection of every other number still fits a program") {
    for (const Abi abi : {X86_64, X32, I386, AARCH64})
        for (const std::uint32_t odd : {0u, 1u}) {
            std::string expression;
            for (std::uint32_t number = odd; number < 600; number += 2)
                if (const SyscallRow& row = syscall_row(abi, number); row.call != Call::unknown)
                    expression += (expression.empty() ? "" : ",") + std::string(row.name);
            check_every_number(SyscallSelection::parse(expression));
        }
}

TEST_CASE("calls that carry others are stopped at when one of those is selected") {
    const auto connect = seccomp_program(SyscallSelection::parse("connect"));
    CHECK(traced(connect, AUDIT_ARCH_I386, 102));
    CHECK_FALSE(traced(connect, AUDIT_ARCH_I386, 117));
    const auto semop = seccomp_program(SyscallSelection::parse("semop"));
    CHECK(traced(semop, AUDIT_ARCH_I386, 117));
    CHECK_FALSE(traced(semop, AUDIT_ARCH_I386, 102));
    CHECK_FALSE(traced(seccomp_program(SyscallSelection::parse("read")), AUDIT_ARCH_I386, 102));
}

TEST_CASE("a call costs a logarithm of the table") {
    const auto program = seccomp_program(SyscallSelection::parse("%network,%file"));
    for (std::uint32_t number = 0; number < 470; ++number) {
        std::size_t steps = 0;
        run(program, AUDIT_ARCH_X86_64, number, &steps);
        CHECK(steps <= 24);
    }
}

TEST_CASE("the kernel takes the program") {
    const auto program = seccomp_program(SyscallSelection::parse("uname"));
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (!slowtrace::record::install(program)) _exit(2);
        // Without a tracer a stopped-at call fails with ENOSYS; others work (seccomp(2), SECCOMP_RET_TRACE).
        char buffer[512];
        const bool refused = syscall(SYS_uname, buffer) == -1 && errno == ENOSYS;
        const bool allowed = getppid() > 0;
        _exit(refused && allowed ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}
