// Constants of calls on memory.
#include <sys/mman.h>

#include "render/constant_table.hpp"

namespace slowtrace::render {

namespace {

using model::Shape;

constexpr Constant protections[] = {NAMED(PROT_NONE),
                                    NAMED(PROT_READ),
                                    NAMED(PROT_WRITE),
                                    NAMED(PROT_EXEC),
                                    {0x01000000, "PROT_GROWSDOWN"},
                                    {0x02000000, "PROT_GROWSUP"}};
constexpr Constant mmap_flags[] = {
    {3, "MAP_SHARED_VALIDATE"},       {1, "MAP_SHARED"},      {2, "MAP_PRIVATE"},        {0x10, "MAP_FIXED"},
    {0x20, "MAP_ANONYMOUS"},          {0x40, "MAP_32BIT"},    {0x100, "MAP_GROWSDOWN"},  {0x800, "MAP_DENYWRITE"},
    {0x1000, "MAP_EXECUTABLE"},       {0x2000, "MAP_LOCKED"}, {0x4000, "MAP_NORESERVE"}, {0x8000, "MAP_POPULATE"},
    {0x10000, "MAP_NONBLOCK"},        {0x20000, "MAP_STACK"}, {0x40000, "MAP_HUGETLB"},  {0x80000, "MAP_SYNC"},
    {0x100000, "MAP_FIXED_NOREPLACE"}};
constexpr Constant mremap_flags[] = {{1, "MREMAP_MAYMOVE"}, {2, "MREMAP_FIXED"}, {4, "MREMAP_DONTUNMAP"}};
constexpr Constant msync_flags[] = {{1, "MS_ASYNC"}, {2, "MS_INVALIDATE"}, {4, "MS_SYNC"}};
constexpr Constant mlockall_flags[] = {{1, "MCL_CURRENT"}, {2, "MCL_FUTURE"}, {4, "MCL_ONFAULT"}};
constexpr Constant advices[] = {NAMED(MADV_NORMAL),           NAMED(MADV_RANDOM),        NAMED(MADV_SEQUENTIAL),
                                NAMED(MADV_WILLNEED),         NAMED(MADV_DONTNEED),      NAMED(MADV_FREE),
                                NAMED(MADV_REMOVE),           NAMED(MADV_DONTFORK),      NAMED(MADV_DOFORK),
                                NAMED(MADV_MERGEABLE),        NAMED(MADV_UNMERGEABLE),   NAMED(MADV_HUGEPAGE),
                                NAMED(MADV_NOHUGEPAGE),       NAMED(MADV_DONTDUMP),      NAMED(MADV_DODUMP),
                                NAMED(MADV_WIPEONFORK),       NAMED(MADV_KEEPONFORK),    NAMED(MADV_COLD),
                                NAMED(MADV_PAGEOUT),          NAMED(MADV_POPULATE_READ), NAMED(MADV_POPULATE_WRITE),
                                {24, "MADV_DONTNEED_LOCKED"}, {25, "MADV_COLLAPSE"},     {102, "MADV_GUARD_INSTALL"},
                                {103, "MADV_GUARD_REMOVE"}};

constexpr ShapeConstants shapes[] = {
    {Shape::mmap_protection, true, protections},   {Shape::mmap_flags, true, mmap_flags},
    {Shape::mremap_flags, true, mremap_flags},     {Shape::msync_flags, true, msync_flags},
    {Shape::mlockall_flags, true, mlockall_flags}, {Shape::madvise_advice, false, advices},
};

}  // namespace

std::span<const ShapeConstants> memory_constants() {
    return shapes;
}

}  // namespace slowtrace::render
