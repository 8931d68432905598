// What a path or a /proc/PID/fd link says about the kind of file behind it.
#include "resolve/file_kinds.hpp"

namespace slowtrace::resolve {

namespace {

struct Prefix {
    std::string_view text;
    FileKind kind;
};

// First match wins.
constexpr Prefix prefixes[] = {
    {"pipe:[", FileKind::pipe},
    {"socket:[", FileKind::socket},
    {"pidfd:", FileKind::pidfd},
    {"anon_inode:[eventfd", FileKind::eventfd},
    {"anon_inode:[timerfd", FileKind::timerfd},
    {"anon_inode:[signalfd", FileKind::signalfd},
    {"anon_inode:[eventpoll", FileKind::epoll},
    {"anon_inode:inotify", FileKind::inotify},
    {"anon_inode:[pidfd", FileKind::pidfd},
    {"anon_inode:[io_uring", FileKind::io_uring},
    {"anon_inode:", FileKind::other},
    {"/memfd:", FileKind::memfd},
    {"/dev/tty", FileKind::terminal},
    {"/dev/pts/", FileKind::terminal},
    {"/dev/ptmx", FileKind::terminal},
    {"/dev/console", FileKind::terminal},
    {"/dev/shm/", FileKind::regular},
    {"/dev/mqueue/", FileKind::other},
    {"/dev/", FileKind::device},
};

}  // namespace

FileKind kind_of_target(std::string_view target) {
    if (target.empty()) return FileKind::unknown;
    for (const Prefix& prefix : prefixes)
        if (target.starts_with(prefix.text)) return prefix.kind;
    return FileKind::regular;
}

}  // namespace slowtrace::resolve
