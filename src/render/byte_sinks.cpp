// Byte sinks over file descriptors and zlib.
#include "render/byte_sinks.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "slowtrace/error.hpp"
#include "slowtrace/unique_fd.hpp"

namespace slowtrace::render {
namespace {

constexpr std::size_t buffer_bytes = 256 << 10;

[[noreturn]] void fail(const std::string& what, const std::string& path, int error) {
    throw Error(what + " " + path + ": " + std::strerror(error));
}

[[noreturn]] void refuse_existing(const std::string& path) {
    throw Error(path + " exists already; name another file or remove it first");
}

void write_all(int file, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) fail("cannot write", path, written < 0 ? errno : ENOSPC);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

// Writes straight to a descriptor: standard output, a device, a FIFO.
class DescriptorSink : public ByteSink {
   public:
    DescriptorSink(int file, std::string path) : file_(file), path_(std::move(path)) {}
    DescriptorSink(UniqueFd file, std::string path)
        : owned_(std::move(file)), file_(owned_.get()), path_(std::move(path)) {}
    void write(std::string_view bytes) override {
        buffer_ += bytes;
        if (buffer_.size() >= buffer_bytes) flush();
    }
    void commit() override { flush(); }

   protected:
    void flush() {
        write_all(file_, buffer_, path_);
        buffer_.clear();
    }
    UniqueFd owned_;
    int file_;
    std::string path_;
    std::string buffer_;
};

// A temporary file beside its final name. rename(2) is atomic, so nobody ever reads half an export.
class RenamedFileSink : public ByteSink {
   public:
    RenamedFileSink(std::string path, bool overwrite) : path_(std::move(path)), overwrite_(overwrite) {
        temporary_ = path_ + ".XXXXXX";
        file_ = UniqueFd(::mkostemp(temporary_.data(), O_CLOEXEC));  // mode 0600
        if (!file_) fail("cannot create", path_, errno);
        temporary_named_ = true;
    }
    ~RenamedFileSink() override {
        if (temporary_named_) ::unlink(temporary_.c_str());
    }
    void write(std::string_view bytes) override {
        buffer_ += bytes;
        if (buffer_.size() < buffer_bytes) return;
        write_all(file_.get(), buffer_, path_);
        buffer_.clear();
    }
    void commit() override {
        write_all(file_.get(), buffer_, path_);
        buffer_.clear();
        file_.reset();
        if (overwrite_) {
            if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot write", path_, errno);
        } else {
            rename_without_replacing();
        }
        temporary_named_ = false;
    }

   private:
    // RENAME_NOREPLACE is not in every file system (rename(2)); link(2) refuses an existing name everywhere.
    void rename_without_replacing() {
        const auto path = path_.c_str();
        if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path, RENAME_NOREPLACE) == 0) return;
        if (errno == EINVAL || errno == ENOSYS) {
            if (::link(temporary_.c_str(), path) == 0) {
                ::unlink(temporary_.c_str());
                return;
            }
        }
        if (errno == EEXIST) refuse_existing(path_);
        fail("cannot write", path_, errno);
    }

    std::string path_, temporary_;
    bool overwrite_, temporary_named_ = false;
    UniqueFd file_;
    std::string buffer_;
};

class GzipSink : public ByteSink {
   public:
    explicit GzipSink(std::unique_ptr<ByteSink> inner) : inner_(std::move(inner)) {
        constexpr int window_bits_gzip = 15 + 16, memory_level = 8, level = 5;
        if (deflateInit2(&stream_, level, Z_DEFLATED, window_bits_gzip, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
            throw Error("cannot compress: zlib does not start");
    }
    ~GzipSink() override { deflateEnd(&stream_); }
    GzipSink(const GzipSink&) = delete;
    GzipSink& operator=(const GzipSink&) = delete;
    void write(std::string_view bytes) override {
        buffer_ += bytes;
        if (buffer_.size() >= buffer_bytes) compress(Z_NO_FLUSH);
    }
    void commit() override {
        compress(Z_FINISH);
        inner_->commit();
    }

   private:
    void compress(int flush) {
        // zlib's input pointer is not const in this version; it does not write through it (zlib.h, z_const).
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(buffer_.size());
        do {
            stream_.next_out = output_.data();
            stream_.avail_out = static_cast<uInt>(output_.size());
            deflate(&stream_, flush);
            inner_->write({reinterpret_cast<const char*>(output_.data()), output_.size() - stream_.avail_out});
        } while (stream_.avail_out == 0);
        buffer_.clear();
    }

    std::unique_ptr<ByteSink> inner_;
    z_stream stream_{};
    std::string buffer_;
    std::array<Bytef, 64 << 10> output_;
};

std::unique_ptr<ByteSink> open_uncompressed(const std::string& path, bool overwrite) {
    if (path == "-") return std::make_unique<DescriptorSink>(STDOUT_FILENO, "standard output");
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::make_unique<RenamedFileSink>(path, overwrite);
    if (S_ISDIR(status.st_mode)) throw Error(path + " is a directory; name a file");
    if (!S_ISREG(status.st_mode)) {
        UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
        if (!file) fail("cannot write", path, errno);
        return std::make_unique<DescriptorSink>(std::move(file), path);
    }
    if (!overwrite) refuse_existing(path);
    // Through a symbolic link the file is replaced, not the link.
    const std::unique_ptr<char, decltype(&std::free)> target(::realpath(path.c_str(), nullptr), &std::free);
    return std::make_unique<RenamedFileSink>(target ? target.get() : path, overwrite);
}

}  // namespace

std::unique_ptr<ByteSink> gzip_into(std::unique_ptr<ByteSink> inner) {
    return std::make_unique<GzipSink>(std::move(inner));
}

std::unique_ptr<ByteSink> open_byte_sink(const std::string& path, bool overwrite) {
    auto sink = open_uncompressed(path, overwrite);
    return path.ends_with(".gz") ? gzip_into(std::move(sink)) : std::move(sink);
}

}  // namespace slowtrace::render
