// Constants of calls on processes, threads, signals, time and the system.
#include <linux/bpf.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "render/constant_table.hpp"

namespace slowtrace::render {

namespace {

using model::Shape;

constexpr Constant clone_flags[] = {{0x80, "CLONE_NEWTIME"},
                                    {0x100, "CLONE_VM"},
                                    {0x200, "CLONE_FS"},
                                    {0x400, "CLONE_FILES"},
                                    {0x800, "CLONE_SIGHAND"},
                                    {0x1000, "CLONE_PIDFD"},
                                    {0x2000, "CLONE_PTRACE"},
                                    {0x4000, "CLONE_VFORK"},
                                    {0x8000, "CLONE_PARENT"},
                                    {0x10000, "CLONE_THREAD"},
                                    {0x20000, "CLONE_NEWNS"},
                                    {0x40000, "CLONE_SYSVSEM"},
                                    {0x80000, "CLONE_SETTLS"},
                                    {0x100000, "CLONE_PARENT_SETTID"},
                                    {0x200000, "CLONE_CHILD_CLEARTID"},
                                    {0x400000, "CLONE_DETACHED"},
                                    {0x800000, "CLONE_UNTRACED"},
                                    {0x1000000, "CLONE_CHILD_SETTID"},
                                    {0x2000000, "CLONE_NEWCGROUP"},
                                    {0x4000000, "CLONE_NEWUTS"},
                                    {0x8000000, "CLONE_NEWIPC"},
                                    {0x10000000, "CLONE_NEWUSER"},
                                    {0x20000000, "CLONE_NEWPID"},
                                    {0x40000000, "CLONE_NEWNET"},
                                    {0x80000000, "CLONE_IO"},
                                    {0x100000000, "CLONE_CLEAR_SIGHAND"},
                                    {0x200000000, "CLONE_INTO_CGROUP"}};
constexpr Constant wait_options[] = {NAMED(WNOHANG),         NAMED(WUNTRACED),        NAMED(WEXITED),
                                     NAMED(WCONTINUED),      NAMED(WNOWAIT),          {0x20000000, "__WNOTHREAD"},
                                     {0x40000000, "__WALL"}, {0x80000000, "__WCLONE"}};
constexpr Constant wait_id_types[] = {{0, "P_ALL"}, {1, "P_PID"}, {2, "P_PGID"}, {3, "P_PIDFD"}};
constexpr Constant signal_hows[] = {{0, "SIG_BLOCK"}, {1, "SIG_UNBLOCK"}, {2, "SIG_SETMASK"}};
constexpr Constant clocks[] = {
    {0, "CLOCK_REALTIME"},          {1, "CLOCK_MONOTONIC"},     {2, "CLOCK_PROCESS_CPUTIME_ID"},
    {3, "CLOCK_THREAD_CPUTIME_ID"}, {4, "CLOCK_MONOTONIC_RAW"}, {5, "CLOCK_REALTIME_COARSE"},
    {6, "CLOCK_MONOTONIC_COARSE"},  {7, "CLOCK_BOOTTIME"},      {8, "CLOCK_REALTIME_ALARM"},
    {9, "CLOCK_BOOTTIME_ALARM"},    {11, "CLOCK_TAI"}};
constexpr Constant timer_flags[] = {{1, "TIMER_ABSTIME"}};
constexpr Constant interval_timers[] = {{0, "ITIMER_REAL"}, {1, "ITIMER_VIRTUAL"}, {2, "ITIMER_PROF"}};
// The command alone; FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME are in futex_modifiers.
constexpr Constant futex_operations[] = {
    NAMED(FUTEX_WAIT),           NAMED(FUTEX_WAKE),        NAMED(FUTEX_FD),          NAMED(FUTEX_REQUEUE),
    NAMED(FUTEX_CMP_REQUEUE),    NAMED(FUTEX_WAKE_OP),     NAMED(FUTEX_LOCK_PI),     NAMED(FUTEX_UNLOCK_PI),
    NAMED(FUTEX_TRYLOCK_PI),     NAMED(FUTEX_WAIT_BITSET), NAMED(FUTEX_WAKE_BITSET), NAMED(FUTEX_WAIT_REQUEUE_PI),
    NAMED(FUTEX_CMP_REQUEUE_PI), NAMED(FUTEX_LOCK_PI2)};
constexpr Constant futex_modifiers[] = {NAMED(FUTEX_PRIVATE_FLAG), NAMED(FUTEX_CLOCK_REALTIME)};
// The sizes are two bits, FUTEX2_SIZE_U8 being 0: only the size ever used has a row.
constexpr Constant futex_flags[] = {{2, "FUTEX2_SIZE_U32"}, {4, "FUTEX2_NUMA"}, {128, "FUTEX2_PRIVATE"}};
constexpr Constant resources[] = {
    {0, "RLIMIT_CPU"},       {1, "RLIMIT_FSIZE"}, {2, "RLIMIT_DATA"},    {3, "RLIMIT_STACK"},
    {4, "RLIMIT_CORE"},      {5, "RLIMIT_RSS"},   {6, "RLIMIT_NPROC"},   {7, "RLIMIT_NOFILE"},
    {8, "RLIMIT_MEMLOCK"},   {9, "RLIMIT_AS"},    {10, "RLIMIT_LOCKS"},  {11, "RLIMIT_SIGPENDING"},
    {12, "RLIMIT_MSGQUEUE"}, {13, "RLIMIT_NICE"}, {14, "RLIMIT_RTPRIO"}, {15, "RLIMIT_RTTIME"}};
constexpr Constant rusage_whos[] = {{0, "RUSAGE_SELF"},
                                    {static_cast<std::uint64_t>(-1), "RUSAGE_CHILDREN"},
                                    {0xffffffff, "RUSAGE_CHILDREN"},
                                    {1, "RUSAGE_THREAD"}};
constexpr Constant priority_whichs[] = {{0, "PRIO_PROCESS"}, {1, "PRIO_PGRP"}, {2, "PRIO_USER"}};
constexpr Constant scheduling_policies[] = {{0, "SCHED_OTHER"}, {1, "SCHED_FIFO"}, {2, "SCHED_RR"},
                                            {3, "SCHED_BATCH"}, {5, "SCHED_IDLE"}, {6, "SCHED_DEADLINE"}};
constexpr Constant random_flags[] = {{1, "GRND_NONBLOCK"}, {2, "GRND_RANDOM"}, {4, "GRND_INSECURE"}};
constexpr Constant membarrier_commands[] = {NAMED(MEMBARRIER_CMD_QUERY),
                                            NAMED(MEMBARRIER_CMD_GLOBAL),
                                            NAMED(MEMBARRIER_CMD_GLOBAL_EXPEDITED),
                                            NAMED(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED),
                                            NAMED(MEMBARRIER_CMD_PRIVATE_EXPEDITED),
                                            NAMED(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED),
                                            NAMED(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE),
                                            NAMED(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE),
                                            NAMED(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ),
                                            NAMED(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)};
constexpr Constant seccomp_operations[] = {NAMED(SECCOMP_SET_MODE_STRICT), NAMED(SECCOMP_SET_MODE_FILTER),
                                           NAMED(SECCOMP_GET_ACTION_AVAIL), NAMED(SECCOMP_GET_NOTIF_SIZES)};
constexpr Constant bpf_commands[] = {
    NAMED(BPF_MAP_CREATE),       NAMED(BPF_MAP_LOOKUP_ELEM), NAMED(BPF_MAP_UPDATE_ELEM), NAMED(BPF_MAP_DELETE_ELEM),
    NAMED(BPF_MAP_GET_NEXT_KEY), NAMED(BPF_PROG_LOAD),       NAMED(BPF_OBJ_PIN),         NAMED(BPF_OBJ_GET),
    NAMED(BPF_PROG_ATTACH),      NAMED(BPF_PROG_DETACH),     NAMED(BPF_PROG_TEST_RUN),   NAMED(BPF_OBJ_GET_INFO_BY_FD),
    NAMED(BPF_BTF_LOAD),         NAMED(BPF_LINK_CREATE)};
constexpr Constant keyctl_operations[] = {{0, "KEYCTL_GET_KEYRING_ID"}, {1, "KEYCTL_JOIN_SESSION_KEYRING"},
                                          {2, "KEYCTL_UPDATE"},         {3, "KEYCTL_REVOKE"},
                                          {4, "KEYCTL_CHOWN"},          {5, "KEYCTL_SETPERM"},
                                          {6, "KEYCTL_DESCRIBE"},       {7, "KEYCTL_CLEAR"},
                                          {8, "KEYCTL_LINK"},           {9, "KEYCTL_UNLINK"},
                                          {10, "KEYCTL_SEARCH"},        {11, "KEYCTL_READ"}};
constexpr Constant ptrace_requests[] = {{0, "PTRACE_TRACEME"},
                                        {1, "PTRACE_PEEKTEXT"},
                                        {2, "PTRACE_PEEKDATA"},
                                        {3, "PTRACE_PEEKUSER"},
                                        {4, "PTRACE_POKETEXT"},
                                        {5, "PTRACE_POKEDATA"},
                                        {6, "PTRACE_POKEUSER"},
                                        {7, "PTRACE_CONT"},
                                        {8, "PTRACE_KILL"},
                                        {9, "PTRACE_SINGLESTEP"},
                                        {12, "PTRACE_GETREGS"},
                                        {13, "PTRACE_SETREGS"},
                                        {16, "PTRACE_ATTACH"},
                                        {17, "PTRACE_DETACH"},
                                        {24, "PTRACE_SYSCALL"},
                                        {0x4200, "PTRACE_SETOPTIONS"},
                                        {0x4201, "PTRACE_GETEVENTMSG"},
                                        {0x4202, "PTRACE_GETSIGINFO"},
                                        {0x4203, "PTRACE_SETSIGINFO"},
                                        {0x4204, "PTRACE_GETREGSET"},
                                        {0x4205, "PTRACE_SETREGSET"},
                                        {0x4206, "PTRACE_SEIZE"},
                                        {0x4207, "PTRACE_INTERRUPT"},
                                        {0x4208, "PTRACE_LISTEN"},
                                        {0x420e, "PTRACE_GET_SYSCALL_INFO"}};
constexpr Constant prctl_options[] = {NAMED(PR_SET_PDEATHSIG),
                                      NAMED(PR_GET_PDEATHSIG),
                                      NAMED(PR_GET_DUMPABLE),
                                      NAMED(PR_SET_DUMPABLE),
                                      NAMED(PR_GET_KEEPCAPS),
                                      NAMED(PR_SET_KEEPCAPS),
                                      NAMED(PR_SET_NAME),
                                      NAMED(PR_GET_NAME),
                                      NAMED(PR_GET_SECCOMP),
                                      NAMED(PR_SET_SECCOMP),
                                      NAMED(PR_CAPBSET_READ),
                                      NAMED(PR_CAPBSET_DROP),
                                      NAMED(PR_GET_SECUREBITS),
                                      NAMED(PR_SET_SECUREBITS),
                                      NAMED(PR_SET_TIMERSLACK),
                                      NAMED(PR_GET_TIMERSLACK),
                                      NAMED(PR_SET_MM),
                                      NAMED(PR_SET_CHILD_SUBREAPER),
                                      NAMED(PR_GET_CHILD_SUBREAPER),
                                      NAMED(PR_SET_NO_NEW_PRIVS),
                                      NAMED(PR_GET_NO_NEW_PRIVS),
                                      NAMED(PR_GET_TID_ADDRESS),
                                      NAMED(PR_SET_THP_DISABLE),
                                      NAMED(PR_GET_THP_DISABLE),
                                      NAMED(PR_CAP_AMBIENT),
                                      NAMED(PR_SET_PTRACER),
                                      NAMED(PR_SET_SPECULATION_CTRL),
                                      NAMED(PR_GET_SPECULATION_CTRL),
                                      {65, "PR_SET_MDWE"},
                                      {0x53564d41, "PR_SET_VMA"}};
constexpr Constant arch_prctl_codes[] = {
    {0x1001, "ARCH_SET_GS"},         {0x1002, "ARCH_SET_FS"},         {0x1003, "ARCH_GET_FS"},
    {0x1004, "ARCH_GET_GS"},         {0x1011, "ARCH_GET_CPUID"},      {0x1012, "ARCH_SET_CPUID"},
    {0x1021, "ARCH_GET_XCOMP_SUPP"}, {0x1022, "ARCH_GET_XCOMP_PERM"}, {0x1023, "ARCH_REQ_XCOMP_PERM"},
    {0x3001, "ARCH_CET_STATUS"},     {0x5001, "ARCH_SHSTK_ENABLE"},   {0x5002, "ARCH_SHSTK_DISABLE"},
    {0x5003, "ARCH_SHSTK_LOCK"},     {0x5004, "ARCH_SHSTK_UNLOCK"},   {0x5005, "ARCH_SHSTK_STATUS"}};
constexpr Constant io_uring_enter_flags[] = {{1, "IORING_ENTER_GETEVENTS"},
                                             {2, "IORING_ENTER_SQ_WAKEUP"},
                                             {4, "IORING_ENTER_SQ_WAIT"},
                                             {8, "IORING_ENTER_EXT_ARG"},
                                             {16, "IORING_ENTER_REGISTERED_RING"}};
constexpr Constant io_uring_register_operations[] = {
    {0, "IORING_REGISTER_BUFFERS"},      {1, "IORING_UNREGISTER_BUFFERS"},      {2, "IORING_REGISTER_FILES"},
    {3, "IORING_UNREGISTER_FILES"},      {4, "IORING_REGISTER_EVENTFD"},        {5, "IORING_UNREGISTER_EVENTFD"},
    {6, "IORING_REGISTER_FILES_UPDATE"}, {7, "IORING_REGISTER_EVENTFD_ASYNC"},  {8, "IORING_REGISTER_PROBE"},
    {9, "IORING_REGISTER_PERSONALITY"},  {10, "IORING_UNREGISTER_PERSONALITY"}, {11, "IORING_REGISTER_RESTRICTIONS"},
    {12, "IORING_REGISTER_ENABLE_RINGS"}};
constexpr Constant ipc_commands[] = {{0, "IPC_RMID"}, {1, "IPC_SET"}, {2, "IPC_STAT"}, {3, "IPC_INFO"},
                                     {11, "GETPID"},  {12, "GETVAL"}, {13, "GETALL"},  {14, "GETNCNT"},
                                     {15, "GETZCNT"}, {16, "SETVAL"}, {17, "SETALL"}};
constexpr Constant ipc_calls[] = {{1, "SEMOP"},   {2, "SEMGET"},  {3, "SEMCTL"},  {4, "SEMTIMEDOP"},
                                  {11, "MSGSND"}, {12, "MSGRCV"}, {13, "MSGGET"}, {14, "MSGCTL"},
                                  {21, "SHMAT"},  {22, "SHMDT"},  {23, "SHMGET"}, {24, "SHMCTL"}};

constexpr ShapeConstants shapes[] = {
    {Shape::clone_flags, true, clone_flags},
    {Shape::namespace_flags, true, clone_flags},
    {Shape::wait_options, true, wait_options},
    {Shape::wait_id_type, false, wait_id_types},
    {Shape::signal_how, false, signal_hows},
    {Shape::clock, false, clocks},
    {Shape::timer_flags, true, timer_flags},
    {Shape::interval_timer, false, interval_timers},
    {Shape::futex_operation, false, futex_operations},
    {Shape::futex_flags, true, futex_flags},
    {Shape::resource, false, resources},
    {Shape::rusage_who, false, rusage_whos},
    {Shape::priority_which, false, priority_whichs},
    {Shape::scheduling_policy, false, scheduling_policies},
    {Shape::random_flags, true, random_flags},
    {Shape::membarrier_command, false, membarrier_commands},
    {Shape::seccomp_operation, false, seccomp_operations},
    {Shape::bpf_command, false, bpf_commands},
    {Shape::keyctl_operation, false, keyctl_operations},
    {Shape::ptrace_request, false, ptrace_requests},
    {Shape::prctl_option, false, prctl_options},
    {Shape::arch_prctl_code, false, arch_prctl_codes},
    {Shape::io_uring_enter_flags, true, io_uring_enter_flags},
    {Shape::io_uring_register_operation, false, io_uring_register_operations},
    {Shape::ipc_command, false, ipc_commands},
    {Shape::ipc_call, false, ipc_calls},
};

}  // namespace

std::span<const ShapeConstants> process_constants() {
    return shapes;
}
Constants futex_modifier_constants() {
    return futex_modifiers;
}

}  // namespace slowtrace::render
