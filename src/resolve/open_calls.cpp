// Calls that make a new open file: open and its kin by path, the others by one row each.
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/perf_event.h>

#include "resolve/call_context.hpp"
#include "resolve/file_kinds.hpp"

namespace slowtrace::resolve {

namespace {

using model::Call;

// --- by path

constexpr std::uint64_t directory_flag_x86 = 0200000, directory_flag_aarch64 = 040000;

std::string path_of(const CallContext& context, int directory_argument, int path_argument) {
    const model::Captured* path = context.captured(path_argument);
    if (path == nullptr) return {};
    const std::string& name = path->path();
    const TrackedFile* directory = directory_argument < 0 ? nullptr : context.file(directory_argument);
    return directory == nullptr ? name : path_below(directory->path, name);
}

void opened(CallContext& context, std::string path, std::uint64_t flags) {
    if (!context.succeeded) return;
    std::uint64_t directory = context.call.abi() == model::AARCH64 ? directory_flag_aarch64 : directory_flag_x86;
    FileKind kind = (flags & directory) != 0 ? FileKind::directory : kind_of_target(path);
    FilePointer file = context.run.new_file(kind, std::move(path));
    file->nonblocking = (flags & O_NONBLOCK) != 0;
    context.bind_result(static_cast<int>(context.call.result()), std::move(file), (flags & O_CLOEXEC) != 0);
}

void on_open(CallContext& context) {
    opened(context, path_of(context, -1, 0), context.argument(1));
}

void on_creat(CallContext& context) {
    opened(context, path_of(context, -1, 0), O_CREAT | O_WRONLY | O_TRUNC);
}

void on_openat(CallContext& context) {
    opened(context, path_of(context, 0, 1), context.argument(2));
}

void on_openat2(CallContext& context) {
    const model::Captured* how = context.captured(2);
    opened(context, path_of(context, 0, 1), how == nullptr ? 0 : how->open_how().flags());
}

// --- by one row

struct Maker {
    Call call;
    FileKind kind;
    std::string_view name;            // as /proc/PID/fd shows it
    int flags_argument;               // -1: none
    std::uint64_t close_on_exec_bit;  // UINT64_MAX: always
    std::uint64_t nonblocking_bit;
};

constexpr std::uint64_t always = UINT64_MAX;

constexpr Maker makers[] = {
    {Call::eventfd, FileKind::eventfd, "anon_inode:[eventfd]", -1, 0, 0},
    {Call::eventfd2, FileKind::eventfd, "anon_inode:[eventfd]", 1, O_CLOEXEC, O_NONBLOCK},
    {Call::timerfd_create, FileKind::timerfd, "anon_inode:[timerfd]", 1, O_CLOEXEC, O_NONBLOCK},
    {Call::signalfd, FileKind::signalfd, "anon_inode:[signalfd]", -1, 0, 0},
    {Call::signalfd4, FileKind::signalfd, "anon_inode:[signalfd]", 3, O_CLOEXEC, O_NONBLOCK},
    {Call::epoll_create, FileKind::epoll, "anon_inode:[eventpoll]", -1, 0, 0},
    {Call::epoll_create1, FileKind::epoll, "anon_inode:[eventpoll]", 0, O_CLOEXEC, 0},
    {Call::inotify_init, FileKind::inotify, "anon_inode:inotify", -1, 0, 0},
    {Call::inotify_init1, FileKind::inotify, "anon_inode:inotify", 0, O_CLOEXEC, O_NONBLOCK},
    {Call::fanotify_init, FileKind::other, "anon_inode:[fanotify]", 0, 1, 2},
    {Call::memfd_create, FileKind::memfd, "/memfd:", 1, MFD_CLOEXEC, 0},
    {Call::memfd_secret, FileKind::memfd, "/secretmem", 0, O_CLOEXEC, 0},
    {Call::userfaultfd, FileKind::other, "anon_inode:[userfaultfd]", 0, O_CLOEXEC, O_NONBLOCK},
    {Call::perf_event_open, FileKind::other, "anon_inode:[perf_event]", 4, PERF_FLAG_FD_CLOEXEC, 0},
    {Call::io_uring_setup, FileKind::io_uring, "anon_inode:[io_uring]", -1, always, 0},
    {Call::landlock_create_ruleset, FileKind::other, "anon_inode:[landlock-ruleset]", -1, always, 0},
    {Call::open_by_handle_at, FileKind::regular, "", 2, O_CLOEXEC, O_NONBLOCK},
    {Call::open_tree, FileKind::directory, "", 2, O_CLOEXEC, 0},
    {Call::fsopen, FileKind::other, "anon_inode:[fscontext]", 1, 1, 0},
    {Call::fspick, FileKind::other, "anon_inode:[fscontext]", 2, 1, 0},
    {Call::fsmount, FileKind::directory, "", 1, 1, 0},
    {Call::mq_open, FileKind::other, "mqueue:", -1, always, 0},
};

const Maker& maker_of(Call call) {
    for (const Maker& maker : makers)
        if (maker.call == call) return maker;
    return makers[0];
}

void on_made(CallContext& context) {
    if (!context.succeeded) return;
    const Maker& maker = maker_of(context.row.call);
    int descriptor = static_cast<int>(context.call.result());
    // signalfd(2): given a descriptor, it changes that one's mask.
    if (maker.kind == FileKind::signalfd && context.number(0) == descriptor && context.file(0) != nullptr) return;
    std::uint64_t flags = maker.flags_argument < 0 ? 0 : context.argument(maker.flags_argument);
    FilePointer file = context.run.new_file(maker.kind, std::string(maker.name));
    if (const model::Captured* name = context.captured(model::Captured::kPath)) file->path += name->path();
    file->nonblocking = (flags & maker.nonblocking_bit) != 0;
    if (maker.kind == FileKind::epoll) file->interest = std::make_unique<EpollInterest>();
    bool close_on_exec = maker.close_on_exec_bit == always || (flags & maker.close_on_exec_bit) != 0;
    context.bind_result(descriptor, std::move(file), close_on_exec);
}

void on_pipe(CallContext& context) {
    const model::Captured* pair = context.captured(model::Captured::kPair);
    if (!context.succeeded || pair == nullptr) return;
    bool flagged = context.row.call == Call::pipe2;
    FilePointer ends[2];
    for (FilePointer& end : ends) {
        end = context.run.new_file(FileKind::pipe, "pipe");
        end->nonblocking = flagged && context.has_flag(1, O_NONBLOCK);
    }
    join(*ends[0], *ends[1]);
    bool close_on_exec = flagged && context.has_flag(1, O_CLOEXEC);
    context.bind_result(pair->pair().first(), std::move(ends[0]), close_on_exec);
    context.bind_result(pair->pair().second(), std::move(ends[1]), close_on_exec);
}

std::vector<HandlerRow> collect() {
    std::vector<HandlerRow> rows{{Call::open, on_open},       {Call::creat, on_creat}, {Call::openat, on_openat},
                                 {Call::openat2, on_openat2}, {Call::pipe, on_pipe},   {Call::pipe2, on_pipe}};
    for (const Maker& maker : makers) rows.push_back({maker.call, on_made});
    return rows;
}

}  // namespace

std::span<const HandlerRow> open_handlers() {
    static const std::vector<HandlerRow> rows = collect();
    return rows;
}

}  // namespace slowtrace::resolve
