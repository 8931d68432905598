// Exports appear whole or not at all, and never replace anything unasked.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "catch.hpp"
#include "render/byte_sinks.hpp"
#include "slowtrace/error.hpp"
#include "slowtrace/unique_fd.hpp"

using namespace slowtrace;
using namespace slowtrace::render;
namespace fs = std::filesystem;

namespace {

class Folder {
   public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "slowtrace-sink-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~Folder() { fs::remove_all(path_); }
    std::string file(const std::string& name) const { return (path_ / name).string(); }
    std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
    }

   private:
    fs::path path_;
};

std::string contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

std::string uncompressed(const std::string& path) {
    gzFile file = gzopen(path.c_str(), "rb");
    REQUIRE(file != nullptr);
    REQUIRE(gzdirect(file) == 0);
    std::string text;
    std::array<char, 4096> block;
    int got = 0;
    while ((got = gzread(file, block.data(), block.size())) > 0)
        text.append(block.data(), static_cast<std::size_t>(got));
    REQUIRE(got == 0);
    REQUIRE(gzclose(file) == Z_OK);
    return text;
}

}  // namespace

TEST_CASE("A file appears with its name at commit, private", "[byte_sink]") {
    const Folder folder;
    const std::string path = folder.file("run.json");
    auto sink = open_byte_sink(path);
    sink->write("hello ");
    sink->write("world");
    CHECK_FALSE(fs::exists(path));
    sink->commit();
    CHECK(contents(path) == "hello world");
    CHECK(folder.entries() == 1);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
}

TEST_CASE("Without commit nothing is left", "[byte_sink]") {
    const Folder folder;
    open_byte_sink(folder.file("run.json"))->write(std::string(1 << 20, 'x'));
    CHECK(folder.entries() == 0);
}

TEST_CASE("An existing file is kept unless told otherwise", "[byte_sink]") {
    const Folder folder;
    const std::string path = folder.file("run.json");
    std::ofstream(path) << "precious";
    CHECK_THROWS_WITH(open_byte_sink(path), Catch::Contains(path) && Catch::Contains("exists"));
    CHECK(contents(path) == "precious");
    auto sink = open_byte_sink(path, true);
    sink->write("new");
    CHECK(contents(path) == "precious");
    sink->commit();
    CHECK(contents(path) == "new");
    CHECK(folder.entries() == 1);
}

TEST_CASE("A file that appeared meanwhile is kept too", "[byte_sink]") {
    const Folder folder;
    const std::string path = folder.file("run.json");
    auto sink = open_byte_sink(path);
    sink->write("late");
    std::ofstream(path) << "precious";
    CHECK_THROWS_AS(sink->commit(), Error);
    sink.reset();
    CHECK(contents(path) == "precious");
    CHECK(folder.entries() == 1);
}

TEST_CASE("Overwriting through a symbolic link replaces the file, not the link", "[byte_sink]") {
    const Folder folder;
    std::ofstream(folder.file("real")) << "old";
    fs::create_symlink(folder.file("real"), folder.file("link"));
    auto sink = open_byte_sink(folder.file("link"), true);
    sink->write("new");
    sink->commit();
    CHECK(fs::is_symlink(folder.file("link")));
    CHECK(contents(folder.file("real")) == "new");
}

TEST_CASE("What is not a regular file is written to, not replaced", "[byte_sink]") {
    const Folder folder;
    const std::string path = folder.file("fifo");
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const UniqueFd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    REQUIRE(reader);
    auto sink = open_byte_sink(path);
    sink->write("through");
    sink->commit();
    std::array<char, 16> got{};
    CHECK(::read(reader.get(), got.data(), got.size()) == 7);
    CHECK(std::string(got.data()) == "through");
    CHECK(fs::is_fifo(path));
}

TEST_CASE("Impossible paths are told by name", "[byte_sink]") {
    const Folder folder;
    CHECK_THROWS_WITH(open_byte_sink(folder.file("missing/run.json")), Catch::Contains("missing/run.json"));
    CHECK_THROWS_WITH(open_byte_sink(folder.file(".")), Catch::Contains("directory"));
}

TEST_CASE("A full disk is an error, not a short file", "[byte_sink]") {
    if (::access("/dev/full", W_OK) != 0) return;
    auto sink = open_byte_sink("/dev/full", true);
    sink->write("x");
    CHECK_THROWS_WITH(sink->commit(), Catch::Contains("No space left"));
}

TEST_CASE("A name ending in .gz is compressed", "[byte_sink]") {
    const Folder folder;
    const std::string path = folder.file("run.json.gz");
    std::mt19937 random(3);
    std::string text;
    while (text.size() < 3 << 20) text += std::to_string(random()) + "\n";
    auto sink = open_byte_sink(path);
    for (std::size_t at = 0; at < text.size(); at += 1000) sink->write(std::string_view(text).substr(at, 1000));
    sink->commit();
    CHECK(uncompressed(path) == text);
    CHECK(fs::file_size(path) < text.size());
    auto empty = open_byte_sink(folder.file("empty.gz"));
    empty->commit();
    CHECK(uncompressed(folder.file("empty.gz")).empty());
}
