// A regular file opened for reading, every refusal in words.
#include "trace/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "slowtrace/error.hpp"

namespace slowtrace::trace {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw Error("cannot read " + path + ": " + why);
}

std::string remedy_for(int error) {
    const std::string what = std::strerror(error);
    if (error == ENOENT) return what + " (record one with: slowtrace -o NAME -- COMMAND)";
    if (error == EACCES) return what + " (traces are private to the user who recorded them)";
    return what;
}

struct stat status_of(const UniqueFd& file, const std::string& path) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) refuse(path, std::strerror(errno));
    return status;
}

}  // namespace

// O_NONBLOCK: a FIFO nobody writes must not hold us here.
InputFile::InputFile(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    if (!file_) refuse(path, remedy_for(errno));
    const struct stat status = status_of(file_, path);
    if (S_ISDIR(status.st_mode)) refuse(path, "it is a directory (name the trace inside it)");
    if (!S_ISREG(status.st_mode)) refuse(path, "not a regular file (save it to one first)");
    if (status.st_size == 0) refuse(path, "it is empty (nothing was recorded; record again)");
}

std::uint64_t InputFile::size() const {
    return static_cast<std::uint64_t>(status_of(file_, path_).st_size);
}

void InputFile::read(std::uint64_t offset, std::size_t count, std::string& out) const {
    out.resize(count);
    std::size_t done = 0;
    while (done < count) {
        const ssize_t got = ::pread(file_.get(), out.data() + done, count - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) refuse(path_, std::strerror(errno));
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    out.resize(done);
}

}  // namespace slowtrace::trace
