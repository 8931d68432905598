// Calls about other processes: waiting for children, vfork, pidfds, and leaving a shared descriptor table.
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>

#include <algorithm>

#include "resolve/call_context.hpp"

namespace slowtrace::resolve {

namespace {

using model::Call;

void reaped(CallContext& context, ProcessState& child, bool left_waitable) {
    context.child = child.process.id;
    if (left_waitable || child.parent == nullptr) return;
    std::erase(child.parent->dead_children, &child);
}

void on_wait4(CallContext& context) {
    if (!context.succeeded || context.call.result() <= 0) return;
    ProcessState* child = context.run.processes.by_pid(static_cast<int>(context.call.result()), context.time_ns(),
                                                       *context.thread.process);
    if (child != nullptr) reaped(context, *child, false);
}

// The child a waitid for any reported: its siginfo says who (0: nobody yet), where that could be read.
ProcessState* reported_child(CallContext& context) {
    if (const model::Captured* reported = context.captured(2); reported != nullptr && reported->has_number())
        return context.run.processes.by_pid(static_cast<int>(reported->number()), context.time_ns(),
                                            *context.thread.process);
    for (ProcessState* child : context.thread.process->dead_children)
        if (child->process.death_ns.value_or(INT64_MAX) <= context.time_ns()) return child;
    return nullptr;
}

void on_waitid(CallContext& context) {
    if (!context.succeeded) return;
    RunState& run = context.run;
    constexpr int by_pidfd = 3;  // P_PIDFD, of which older headers do not know
    ProcessState* child = nullptr;
    int kind = context.number(0);
    if (kind == P_PID) {
        child = run.processes.by_pid(context.number(1), context.time_ns(), *context.thread.process);
    } else if (kind == by_pidfd) {
        const FilePointer& file = context.meaning(context.number(1));
        // A descriptor only for this kind of id, so the row cannot say so.
        context.descriptors.push_back(describe(1, context.number(1), file));
        if (file != nullptr && file->subject_pid != 0)
            child = run.processes.by_pid(file->subject_pid, context.time_ns(), *context.thread.process);
    } else {
        child = reported_child(context);
    }
    if (child == nullptr) return;
    // With WNOHANG 0 also means: nobody has ended yet (waitid(2)).
    bool may_be_nobody = context.has_flag(3, WNOHANG);
    if (may_be_nobody && child->process.death_ns.value_or(INT64_MAX) > context.time_ns()) return;
    reaped(context, *child, context.has_flag(3, WNOWAIT));
}

std::uint64_t clone_flags(const CallContext& context) {
    if (context.row.call == Call::vfork) return CLONE_VFORK;
    if (context.row.call == Call::clone) return context.argument(0);
    const model::Captured* arguments = context.captured(model::Captured::kClone);
    return arguments == nullptr ? 0 : arguments->clone().flags();
}

ProcessState* vfork_child(CallContext& context) {
    ProcessState* child = context.run.processes.by_pid(static_cast<int>(context.call.result()), context.time_ns(),
                                                       *context.thread.process);
    if (child != nullptr) return child;
    // In a PID namespace of its own the caller knows the child by another number.
    child = context.thread.last_child;
    return child != nullptr && child->process.birth_ns >= context.call.entry_ns() ? child : nullptr;
}

void bind_pidfd(CallContext& context, int descriptor) {
    FilePointer file = context.run.new_file(FileKind::pidfd, "anon_inode:[pidfd]");
    file->subject_pid = static_cast<int>(context.call.result());
    context.bind_result(descriptor, std::move(file), true);
}

void on_clone(CallContext& context) {
    if (!context.succeeded || context.call.result() <= 0) return;
    std::uint64_t flags = clone_flags(context);
    if ((flags & CLONE_VFORK) != 0)
        if (const ProcessState* child = vfork_child(context)) context.child = child->process.id;
    if ((flags & CLONE_PIDFD) == 0) return;
    // clone stores the pidfd where parent_tid points, clone3 where its structure says (clone(2)).
    const model::Captured* arguments = context.captured(model::Captured::kClone);
    const model::Captured* stored = context.captured(model::Captured::kNumber);
    if (arguments != nullptr && arguments->clone().has_pidfd())
        bind_pidfd(context, arguments->clone().pidfd());
    else if (context.row.call == Call::clone && stored != nullptr)
        bind_pidfd(context, static_cast<int>(stored->number()));
}

void on_pidfd_open(CallContext& context) {
    if (!context.succeeded) return;
    FilePointer file = context.run.new_file(FileKind::pidfd, "anon_inode:[pidfd]");
    file->subject_pid = context.number(0);
    file->nonblocking = context.has_flag(1, O_NONBLOCK);
    context.bind_result(static_cast<int>(context.call.result()), std::move(file), true);
}

void on_pidfd_getfd(CallContext& context) {
    if (!context.succeeded) return;
    FilePointer taken;
    const TrackedFile* subject = context.file(0);
    if (subject != nullptr && subject->subject_pid != 0)
        if (ThreadState* owner = context.run.processes.alive_in(subject->subject_pid))
            taken = owner->files->at(context.number(1), context.call.entry_ns(), owner->thread.id);
    if (taken == nullptr) taken = context.run.new_file(FileKind::unknown, {});
    context.bind_result(static_cast<int>(context.call.result()), std::move(taken), true);
}

void on_unshare(CallContext& context) {
    if (context.succeeded && context.has_flag(0, CLONE_FILES)) context.run.unshare(context.thread);
}

constexpr HandlerRow rows[] = {
    {Call::wait4, on_wait4},           {Call::waitpid, on_wait4},
    {Call::waitid, on_waitid},         {Call::vfork, on_clone},
    {Call::clone, on_clone},           {Call::clone3, on_clone},
    {Call::pidfd_open, on_pidfd_open}, {Call::pidfd_getfd, on_pidfd_getfd},
    {Call::unshare, on_unshare},
};

}  // namespace

std::span<const HandlerRow> process_handlers() {
    return rows;
}

}  // namespace slowtrace::resolve
