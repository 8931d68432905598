// Constants of calls on files, descriptors and mounts.
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "render/constant_table.hpp"

namespace slowtrace::render {

namespace {

using model::Shape;

// Numbers, not the headers' names: these differ between the machine traced and the one reading.
constexpr Constant open_access[] = {{0, "O_RDONLY"}, {1, "O_WRONLY"}, {2, "O_RDWR"}, {3, "O_ACCMODE"}};
constexpr Constant x86_open_flags[] = {{0100, "O_CREAT"},        {0200, "O_EXCL"},         {0400, "O_NOCTTY"},
                                       {01000, "O_TRUNC"},       {02000, "O_APPEND"},      {04000, "O_NONBLOCK"},
                                       {04010000, "O_SYNC"},     {010000, "O_DSYNC"},      {020000, "O_ASYNC"},
                                       {040000, "O_DIRECT"},     {0100000, "O_LARGEFILE"}, {020200000, "O_TMPFILE"},
                                       {0200000, "O_DIRECTORY"}, {0400000, "O_NOFOLLOW"},  {01000000, "O_NOATIME"},
                                       {02000000, "O_CLOEXEC"},  {010000000, "O_PATH"}};
constexpr Constant arm_open_flags[] = {{0100, "O_CREAT"},       {0200, "O_EXCL"},         {0400, "O_NOCTTY"},
                                       {01000, "O_TRUNC"},      {02000, "O_APPEND"},      {04000, "O_NONBLOCK"},
                                       {04010000, "O_SYNC"},    {010000, "O_DSYNC"},      {020000, "O_ASYNC"},
                                       {0200000, "O_DIRECT"},   {0400000, "O_LARGEFILE"}, {020040000, "O_TMPFILE"},
                                       {040000, "O_DIRECTORY"}, {0100000, "O_NOFOLLOW"},  {01000000, "O_NOATIME"},
                                       {02000000, "O_CLOEXEC"}, {010000000, "O_PATH"}};

// The file lock commands: by number, since a 32-bit header gives F_GETLK the number of F_GETLK64.
constexpr Constant fcntl_commands[] = {NAMED(F_DUPFD),
                                       NAMED(F_DUPFD_CLOEXEC),
                                       NAMED(F_GETFD),
                                       NAMED(F_SETFD),
                                       NAMED(F_GETFL),
                                       NAMED(F_SETFL),
                                       {5, "F_GETLK"},
                                       {6, "F_SETLK"},
                                       {7, "F_SETLKW"},
                                       {12, "F_GETLK64"},
                                       {13, "F_SETLK64"},
                                       {14, "F_SETLKW64"},
                                       {36, "F_OFD_GETLK"},
                                       {37, "F_OFD_SETLK"},
                                       {38, "F_OFD_SETLKW"},
                                       {8, "F_SETOWN"},
                                       {9, "F_GETOWN"},
                                       {10, "F_SETSIG"},
                                       {11, "F_GETSIG"},
                                       {15, "F_SETOWN_EX"},
                                       {16, "F_GETOWN_EX"},
                                       {1024, "F_SETLEASE"},
                                       {1025, "F_GETLEASE"},
                                       {1026, "F_NOTIFY"},
                                       {1031, "F_SETPIPE_SZ"},
                                       {1032, "F_GETPIPE_SZ"},
                                       {1033, "F_ADD_SEALS"},
                                       {1034, "F_GET_SEALS"},
                                       {1035, "F_GET_RW_HINT"},
                                       {1036, "F_SET_RW_HINT"},
                                       {1037, "F_GET_FILE_RW_HINT"},
                                       {1038, "F_SET_FILE_RW_HINT"}};
constexpr Constant descriptor_flags[] = {NAMED(FD_CLOEXEC)};
constexpr Constant seals[] = {{1, "F_SEAL_SEAL"},  {2, "F_SEAL_SHRINK"},        {4, "F_SEAL_GROW"},
                              {8, "F_SEAL_WRITE"}, {16, "F_SEAL_FUTURE_WRITE"}, {32, "F_SEAL_EXEC"}};
constexpr Constant file_locks[] = {NAMED(F_RDLCK), NAMED(F_WRLCK), NAMED(F_UNLCK)};
constexpr Constant flock_operations[] = {NAMED(LOCK_SH), NAMED(LOCK_EX), NAMED(LOCK_UN), NAMED(LOCK_NB)};
constexpr Constant at_flags[] = {{0x100, "AT_SYMLINK_NOFOLLOW"}, {0x200, "AT_EACCESS"},
                                 {0x400, "AT_SYMLINK_FOLLOW"},   {0x800, "AT_NO_AUTOMOUNT"},
                                 {0x1000, "AT_EMPTY_PATH"},      {0x2000, "AT_STATX_FORCE_SYNC"},
                                 {0x4000, "AT_STATX_DONT_SYNC"}, {0x8000, "AT_RECURSIVE"}};
constexpr Constant unlink_flags[] = {{0x200, "AT_REMOVEDIR"}};
constexpr Constant access_modes[] = {NAMED(F_OK), NAMED(R_OK), NAMED(W_OK), NAMED(X_OK)};
constexpr Constant rename_flags[] = {{1, "RENAME_NOREPLACE"}, {2, "RENAME_EXCHANGE"}, {4, "RENAME_WHITEOUT"}};
constexpr Constant seek_whences[] = {
    NAMED(SEEK_SET), NAMED(SEEK_CUR), NAMED(SEEK_END), {3, "SEEK_DATA"}, {4, "SEEK_HOLE"}};
constexpr Constant close_range_flags[] = {NAMED(CLOSE_RANGE_UNSHARE), NAMED(CLOSE_RANGE_CLOEXEC)};
constexpr Constant memfd_flags[] = {
    NAMED(MFD_CLOEXEC), NAMED(MFD_ALLOW_SEALING), NAMED(MFD_HUGETLB), {8, "MFD_NOEXEC_SEAL"}, {16, "MFD_EXEC"}};
constexpr Constant splice_flags[] = {
    {1, "SPLICE_F_MOVE"}, {2, "SPLICE_F_NONBLOCK"}, {4, "SPLICE_F_MORE"}, {8, "SPLICE_F_GIFT"}};
constexpr Constant read_write_flags[] = {NAMED(RWF_HIPRI), NAMED(RWF_DSYNC), NAMED(RWF_SYNC), NAMED(RWF_NOWAIT),
                                         NAMED(RWF_APPEND)};
constexpr Constant fadvise_advices[] = {NAMED(POSIX_FADV_NORMAL),     NAMED(POSIX_FADV_RANDOM),
                                        NAMED(POSIX_FADV_SEQUENTIAL), NAMED(POSIX_FADV_WILLNEED),
                                        NAMED(POSIX_FADV_DONTNEED),   NAMED(POSIX_FADV_NOREUSE)};
constexpr Constant fallocate_modes[] = {NAMED(FALLOC_FL_KEEP_SIZE),      NAMED(FALLOC_FL_PUNCH_HOLE),
                                        NAMED(FALLOC_FL_COLLAPSE_RANGE), NAMED(FALLOC_FL_ZERO_RANGE),
                                        NAMED(FALLOC_FL_INSERT_RANGE),   NAMED(FALLOC_FL_UNSHARE_RANGE)};
constexpr Constant sync_file_range_flags[] = {
    {1, "SYNC_FILE_RANGE_WAIT_BEFORE"}, {2, "SYNC_FILE_RANGE_WRITE"}, {4, "SYNC_FILE_RANGE_WAIT_AFTER"}};
constexpr Constant inotify_masks[] = {
    NAMED(IN_ALL_EVENTS),    NAMED(IN_ACCESS),      NAMED(IN_MODIFY),     NAMED(IN_ATTRIB),   NAMED(IN_CLOSE_WRITE),
    NAMED(IN_CLOSE_NOWRITE), NAMED(IN_OPEN),        NAMED(IN_MOVED_FROM), NAMED(IN_MOVED_TO), NAMED(IN_CREATE),
    NAMED(IN_DELETE),        NAMED(IN_DELETE_SELF), NAMED(IN_MOVE_SELF),  NAMED(IN_ONLYDIR),  NAMED(IN_DONT_FOLLOW),
    NAMED(IN_EXCL_UNLINK),   NAMED(IN_MASK_CREATE), NAMED(IN_MASK_ADD),   NAMED(IN_ISDIR),    NAMED(IN_ONESHOT)};
constexpr Constant statx_masks[] = {{0xfff, "STATX_ALL"},    {0x7ff, "STATX_BASIC_STATS"}, {0x1, "STATX_TYPE"},
                                    {0x2, "STATX_MODE"},     {0x4, "STATX_NLINK"},         {0x8, "STATX_UID"},
                                    {0x10, "STATX_GID"},     {0x20, "STATX_ATIME"},        {0x40, "STATX_MTIME"},
                                    {0x80, "STATX_CTIME"},   {0x100, "STATX_INO"},         {0x200, "STATX_SIZE"},
                                    {0x400, "STATX_BLOCKS"}, {0x800, "STATX_BTIME"},       {0x1000, "STATX_MNT_ID"}};
constexpr Constant xattr_flags[] = {{1, "XATTR_CREATE"}, {2, "XATTR_REPLACE"}};
constexpr Constant mount_flags[] = {{1, "MS_RDONLY"},
                                    {2, "MS_NOSUID"},
                                    {4, "MS_NODEV"},
                                    {8, "MS_NOEXEC"},
                                    {16, "MS_SYNCHRONOUS"},
                                    {32, "MS_REMOUNT"},
                                    {64, "MS_MANDLOCK"},
                                    {128, "MS_DIRSYNC"},
                                    {256, "MS_NOSYMFOLLOW"},
                                    {1024, "MS_NOATIME"},
                                    {2048, "MS_NODIRATIME"},
                                    {4096, "MS_BIND"},
                                    {8192, "MS_MOVE"},
                                    {16384, "MS_REC"},
                                    {32768, "MS_SILENT"},
                                    {1 << 16, "MS_POSIXACL"},
                                    {1 << 17, "MS_UNBINDABLE"},
                                    {1 << 18, "MS_PRIVATE"},
                                    {1 << 19, "MS_SLAVE"},
                                    {1 << 20, "MS_SHARED"},
                                    {1 << 21, "MS_RELATIME"},
                                    {1 << 24, "MS_STRICTATIME"},
                                    {1 << 25, "MS_LAZYTIME"}};
constexpr Constant umount_flags[] = {{1, "MNT_FORCE"}, {2, "MNT_DETACH"}, {4, "MNT_EXPIRE"}, {8, "UMOUNT_NOFOLLOW"}};
constexpr Constant open_tree_flags[] = {{1, "OPEN_TREE_CLONE"},         {02000000, "OPEN_TREE_CLOEXEC"},
                                        {0x100, "AT_SYMLINK_NOFOLLOW"}, {0x800, "AT_NO_AUTOMOUNT"},
                                        {0x1000, "AT_EMPTY_PATH"},      {0x8000, "AT_RECURSIVE"}};
constexpr Constant resolves[] = {NAMED(RESOLVE_NO_XDEV), NAMED(RESOLVE_NO_MAGICLINKS), NAMED(RESOLVE_NO_SYMLINKS),
                                 NAMED(RESOLVE_BENEATH), NAMED(RESOLVE_IN_ROOT),       NAMED(RESOLVE_CACHED)};
constexpr Constant polls[] = {NAMED(POLLIN),     NAMED(POLLPRI),    NAMED(POLLOUT),     NAMED(POLLERR),
                              NAMED(POLLHUP),    NAMED(POLLNVAL),   NAMED(POLLRDNORM),  NAMED(POLLRDBAND),
                              NAMED(POLLWRNORM), NAMED(POLLWRBAND), {0x400, "POLLMSG"}, {0x2000, "POLLRDHUP"}};
// EPOLLET is an int with the sign bit set: by number, lest it turns into 64 bits of ones.
constexpr Constant epolls[] = {NAMED(EPOLLIN),
                               NAMED(EPOLLPRI),
                               NAMED(EPOLLOUT),
                               NAMED(EPOLLERR),
                               NAMED(EPOLLHUP),
                               NAMED(EPOLLRDNORM),
                               NAMED(EPOLLRDBAND),
                               NAMED(EPOLLWRNORM),
                               NAMED(EPOLLWRBAND),
                               NAMED(EPOLLMSG),
                               NAMED(EPOLLRDHUP),
                               {1u << 28, "EPOLLEXCLUSIVE"},
                               {1u << 29, "EPOLLWAKEUP"},
                               {1u << 30, "EPOLLONESHOT"},
                               {1u << 31, "EPOLLET"}};
constexpr Constant epoll_operations[] = {NAMED(EPOLL_CTL_ADD), NAMED(EPOLL_CTL_DEL), NAMED(EPOLL_CTL_MOD)};
constexpr Constant epoll_create_flags[] = {{02000000, "EPOLL_CLOEXEC"}};
constexpr Constant pipe_flags[] = {{02000000, "O_CLOEXEC"}, {04000, "O_NONBLOCK"}, {040000, "O_DIRECT"}};
constexpr Constant eventfd_flags[] = {{1, "EFD_SEMAPHORE"}, {02000000, "EFD_CLOEXEC"}, {04000, "EFD_NONBLOCK"}};
constexpr Constant timerfd_flags[] = {{02000000, "TFD_CLOEXEC"}, {04000, "TFD_NONBLOCK"}};
constexpr Constant timerfd_set_flags[] = {{1, "TFD_TIMER_ABSTIME"}, {2, "TFD_TIMER_CANCEL_ON_SET"}};
constexpr Constant pidfd_flags[] = {{04000, "PIDFD_NONBLOCK"}, {0200, "PIDFD_THREAD"}};
constexpr Constant ioctl_requests[] = {{0x5401, "TCGETS"},
                                       {0x5402, "TCSETS"},
                                       {0x5403, "TCSETSW"},
                                       {0x5404, "TCSETSF"},
                                       {0x5409, "TCSBRK"},
                                       {0x540a, "TCXONC"},
                                       {0x540b, "TCFLSH"},
                                       {0x540c, "TIOCEXCL"},
                                       {0x540d, "TIOCNXCL"},
                                       {0x540e, "TIOCSCTTY"},
                                       {0x540f, "TIOCGPGRP"},
                                       {0x5410, "TIOCSPGRP"},
                                       {0x5411, "TIOCOUTQ"},
                                       {0x5412, "TIOCSTI"},
                                       {0x5413, "TIOCGWINSZ"},
                                       {0x5414, "TIOCSWINSZ"},
                                       {0x5415, "TIOCMGET"},
                                       {0x541b, "FIONREAD"},
                                       {0x5420, "TIOCPKT"},
                                       {0x5421, "FIONBIO"},
                                       {0x5422, "TIOCNOTTY"},
                                       {0x5429, "TIOCGSID"},
                                       {0x5450, "FIONCLEX"},
                                       {0x5451, "FIOCLEX"},
                                       {0x5452, "FIOASYNC"},
                                       {0x5460, "FIOQSIZE"},
                                       {0x80045430, "TIOCGPTN"},
                                       {0x40045431, "TIOCSPTLCK"},
                                       {0x5441, "TIOCGPTPEER"},
                                       {0x802c542a, "TCGETS2"},
                                       {0x402c542b, "TCSETS2"},
                                       {0x402c542c, "TCSETSW2"},
                                       {0x402c542d, "TCSETSF2"},
                                       {0x8905, "SIOCATMARK"},
                                       {0x8906, "SIOCGSTAMP"},
                                       {0x8910, "SIOCGIFNAME"},
                                       {0x8912, "SIOCGIFCONF"},
                                       {0x8913, "SIOCGIFFLAGS"},
                                       {0x8914, "SIOCSIFFLAGS"},
                                       {0x8915, "SIOCGIFADDR"},
                                       {0x8916, "SIOCSIFADDR"},
                                       {0x891b, "SIOCGIFNETMASK"},
                                       {0x8921, "SIOCGIFMTU"},
                                       {0x8927, "SIOCGIFHWADDR"},
                                       {0x8933, "SIOCGIFINDEX"},
                                       {0x8946, "SIOCETHTOOL"},
                                       {0x8907, "SIOCGSTAMPNS_OLD"},
                                       {0x8b01, "SIOCGIWNAME"},
                                       {0x40049409, "FICLONE"},
                                       {0x4020940d, "FICLONERANGE"},
                                       {0xc0189436, "FIDEDUPERANGE"},
                                       {0x80086601, "FS_IOC_GETFLAGS"},
                                       {0x40086602, "FS_IOC_SETFLAGS"},
                                       {0xc020660b, "FS_IOC_FIEMAP"},
                                       {0x1260, "BLKGETSIZE"},
                                       {0x80081272, "BLKGETSIZE64"},
                                       {0x1268, "BLKSSZGET"},
                                       {0x1261, "BLKFLSBUF"},
                                       {0x400454ca, "TUNSETIFF"},
                                       {0x2400, "PERF_EVENT_IOC_ENABLE"},
                                       {0x2401, "PERF_EVENT_IOC_DISABLE"},
                                       {0x2403, "PERF_EVENT_IOC_RESET"},
                                       {0x5301, "CDROMPAUSE"},
                                       {0x4c00, "LOOP_SET_FD"},
                                       {0x4c01, "LOOP_CLR_FD"},
                                       {0x4c82, "LOOP_CTL_GET_FREE"}};

constexpr ShapeConstants shapes[] = {
    {Shape::fcntl_command, false, fcntl_commands},
    {Shape::flock_operation, true, flock_operations},
    {Shape::at_flags, true, at_flags},
    {Shape::unlink_flags, true, unlink_flags},
    {Shape::access_mode, true, access_modes},
    {Shape::rename_flags, true, rename_flags},
    {Shape::seek_whence, false, seek_whences},
    {Shape::close_range_flags, true, close_range_flags},
    {Shape::memfd_flags, true, memfd_flags},
    {Shape::splice_flags, true, splice_flags},
    {Shape::read_write_flags, true, read_write_flags},
    {Shape::fadvise_advice, false, fadvise_advices},
    {Shape::fallocate_mode, true, fallocate_modes},
    {Shape::sync_file_range_flags, true, sync_file_range_flags},
    {Shape::inotify_mask, true, inotify_masks},
    {Shape::statx_mask, true, statx_masks},
    {Shape::xattr_flags, true, xattr_flags},
    {Shape::mount_flags, true, mount_flags},
    {Shape::umount_flags, true, umount_flags},
    {Shape::open_tree_flags, true, open_tree_flags},
    {Shape::epoll_operation, false, epoll_operations},
    {Shape::epoll_create_flags, true, epoll_create_flags},
    {Shape::pipe_flags, true, pipe_flags},
    {Shape::eventfd_flags, true, eventfd_flags},
    {Shape::timerfd_flags, true, timerfd_flags},
    {Shape::timerfd_set_flags, true, timerfd_set_flags},
    {Shape::pidfd_flags, true, pidfd_flags},
    {Shape::ioctl_request, false, ioctl_requests},
};

}  // namespace

std::span<const ShapeConstants> file_constants() {
    return shapes;
}
Constants open_flag_constants(model::Abi abi) {
    return abi == model::AARCH64 ? Constants(arm_open_flags) : Constants(x86_open_flags);
}
Constants open_access_constants() {
    return open_access;
}
Constants descriptor_flag_constants() {
    return descriptor_flags;
}
Constants seal_constants() {
    return seals;
}
Constants file_lock_constants() {
    return file_locks;
}
Constants resolve_constants() {
    return resolves;
}
Constants poll_constants() {
    return polls;
}
Constants epoll_constants() {
    return epolls;
}

}  // namespace slowtrace::render
