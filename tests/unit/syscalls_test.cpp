// The syscall table against the kernel's headers, and against itself.
#include "slowtrace/syscalls.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "catch.hpp"

using namespace slowtrace::model;

namespace {

using Numbers = std::map<std::string, int>;

// "#define __NR_read 0", "#define __NR_read (__X32_SYSCALL_BIT + 0)".
Numbers numbers_in_header(const std::string& path) {
    Numbers numbers;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string define, name, value;
        words >> define >> name;
        std::getline(words, value);
        if (define != "#define" || !name.starts_with("__NR_")) continue;
        const auto digits = value.find_last_not_of(") ");
        const auto start = value.find_last_of(" +(", digits) + 1;
        numbers[name.substr(5)] = std::stoi(value.substr(start, digits - start + 1));
    }
    return numbers;
}

// asm-generic/unistd.h as the compiler sees it for a 64-bit machine that wants what arm64 wants
// (arch/arm64/include/uapi/asm/unistd.h).
Numbers generic_numbers(const std::string& path) {
    // Compiled out on every 64-bit machine, or only named where a 32-bit one differs.
    const std::set<std::string> not_calls = {"syscalls", "arch_specific_syscall", "sync_file_range2"};
    Numbers numbers;
    std::map<std::string, std::string> wide;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string define, name, value;
        words >> define >> name >> value;
        if (define == "#")
            words.str(line.substr(1)), words.clear(), words >> define >> name >> value, define = "#" + define;
        if (define != "#define") continue;
        if (name.starts_with("__NR3264_")) wide[name] = value;
        if (!name.starts_with("__NR_") || not_calls.contains(name.substr(5))) continue;
        if (value.starts_with("__NR3264_") && wide.contains(value))
            numbers.try_emplace(name.substr(5), std::stoi(wide.at(value)));
        if (std::isdigit(static_cast<unsigned char>(value[0])) != 0) numbers[name.substr(5)] = std::stoi(value);
    }
    return numbers;
}

// The names after which the second spelling of a 3264 number is a 32-bit machine's.
const std::set<std::string> only_on_32_bits = {"fcntl64",      "statfs64",   "fstatfs64", "truncate64", "ftruncate64",
                                               "llseek",       "sendfile64", "fstatat64", "fstat64",    "mmap2",
                                               "fadvise64_64", "stat64",     "lstat64"};

std::string header_name(const SyscallRow& row, Abi abi) {
    if (abi == I386 && row.call == Call::old_mmap) return "mmap";
    if (abi == I386 && row.call == Call::old_select) return "select";
    return std::string(row.name);
}

void compare(const Numbers& header, Abi abi) {
    REQUIRE(header.size() > 200);
    int newest = 0;
    std::set<std::string> known;
    // x32's own numbers begin at 512 and do not grow.
    for (const auto& [name, number] : header)
        if (number < 512) newest = std::max(newest, number);
    for (const SyscallRow& row : all_syscalls()) {
        const int number = number_in(row, abi);
        if (number < 0) continue;
        const std::string name = header_name(row, abi);
        known.insert(name);
        // x86's own additions between 335 and 423 are newer than some headers too.
        const bool newer = number > newest || row.call == Call::uretprobe || row.call == Call::uprobe;
        INFO(name << " in " << Abi_Name(abi));
        if (const auto found = header.find(name); found != header.end())
            CHECK(found->second == number);
        else
            CHECK(newer);
    }
    for (const auto& [name, number] : header) {
        INFO(name << " = " << number << " in " << Abi_Name(abi));
        CHECK((known.contains(name) || number > 466));
    }
}

constexpr Abi abis[] = {X86_64, I386, X32, AARCH64};

struct NextArgument {
    Shape shape;
    std::set<Shape> next;
};

}  // namespace

TEST_CASE("syscall numbers are those of the kernel's headers") {
    const std::string x86 = "/usr/include/x86_64-linux-gnu/asm/";
    const std::string generic = "/usr/include/asm-generic/unistd.h";
    if (std::filesystem::exists(x86 + "unistd_64.h")) {
        compare(numbers_in_header(x86 + "unistd_64.h"), X86_64);
        compare(numbers_in_header(x86 + "unistd_32.h"), I386);
        compare(numbers_in_header(x86 + "unistd_x32.h"), X32);
    }
    if (std::filesystem::exists(generic)) {
        Numbers numbers = generic_numbers(generic);
        for (const std::string& name : only_on_32_bits) numbers.erase(name);
        std::erase_if(numbers, [](const auto& entry) {
            return entry.first.ends_with("_time64") ||
                   (entry.first.ends_with("64") && entry.second >= 403 && entry.second <= 411);
        });
        compare(numbers, AARCH64);
    }
}

TEST_CASE("numbers, names and rows lead to one another") {
    for (const Abi abi : abis) {
        std::map<int, std::string_view> seen;
        for (const SyscallRow& row : all_syscalls()) {
            const int number = number_in(row, abi);
            if (number < 0) continue;
            INFO(row.name << " in " << Abi_Name(abi));
            CHECK(seen.emplace(number, row.name).second);
            CHECK(&syscall_row(abi, static_cast<std::uint32_t>(number)) == &row);
            CHECK(find_syscall(row.name) == &row);
        }
    }
    CHECK(&syscall_row(X32, 0x40000000u | 45) != find_syscall("recvfrom"));
    CHECK(&syscall_row(X32, 0x40000000u | 517) == find_syscall("recvfrom"));
    CHECK(&syscall_row(X32, 517) == find_syscall("recvfrom"));
    CHECK(find_syscall("break")->call == Call::break_);
    CHECK(find_syscall("syscall") == nullptr);
    CHECK(find_syscall("") == nullptr);
}

TEST_CASE("a number without a row is named by its number") {
    CHECK(syscall_row(X86_64, 467).call == Call::unknown);
    CHECK(syscall_name(X86_64, 467) == "syscall_467");
    CHECK(syscall_name(X32, 0x40000000u | 467) == "syscall_467");
    CHECK(syscall_name(X86_64, 0) == "read");
    for (const std::uint32_t number : {1023u, 1024u, 0x40000000u, 0xffffffffu}) {
        CHECK(syscall_row(X86_64, number).call == Call::unknown);
        CHECK(syscall_row(ABI_UNKNOWN, number).call == Call::unknown);
    }
    CHECK(syscall_row(X86_64, 467).argument_count() == 6);
    CHECK(number_in(syscall_row(X86_64, 467), X86_64) == -1);
}

TEST_CASE("a shape's neighbours are what capture relies on") {
    const std::set<Shape> counts = {Shape::integer, Shape::unsigned_integer};
    const NextArgument rules[] = {
        {Shape::address_in, {Shape::integer}},
        {Shape::address_out, {Shape::pointer}},
        {Shape::option_value, {Shape::pointer}},
        {Shape::iovec, counts},
        {Shape::messages_in, counts},
        {Shape::messages_out, counts},
        {Shape::poll_set, counts},
        {Shape::clone_arguments, counts},
        {Shape::open_how, counts},
        {Shape::epoll_events, counts},
        {Shape::buffer_in, counts},
        {Shape::buffer_out, counts},
        {Shape::fcntl_command, {Shape::fcntl_argument}},
        {Shape::ioctl_request, {Shape::ioctl_argument}},
        {Shape::socket_level, {Shape::socket_option}},
        {Shape::offset_low, {Shape::offset_high}},
    };
    for (const SyscallRow& row : all_syscalls()) {
        const int count = row.argument_count();
        for (int i = 0; i < count; ++i) {
            const ArgumentRow& argument = row.arguments[static_cast<std::size_t>(i)];
            INFO(row.name << ": " << argument.name);
            CHECK(argument.shape != Shape::none);  // none only at the end
            CHECK_FALSE(argument.name.empty());
            for (const NextArgument& rule : rules) {
                if (argument.shape != rule.shape) continue;
                REQUIRE(i + 1 < count);
                CHECK(rule.next.contains(row.arguments[static_cast<std::size_t>(i) + 1].shape));
            }
            if (argument.shape == Shape::descriptor_set) CHECK(row.arguments[0].name == "nfds");
            if (argument.shape == Shape::socket_protocol) CHECK(row.arguments[0].shape == Shape::socket_family);
        }
        // A call that takes or yields a descriptor is in %desc or %network, unless it is about something else.
        if (row.returns == Returns::descriptor)
            CHECK((has(row.classes, SyscallClass::descriptor) || has(row.classes, SyscallClass::network)));
        if (row.arguments[0].shape == Shape::path) CHECK(has(row.classes, SyscallClass::file));
    }
}

TEST_CASE("errors and signals have their names") {
    CHECK(error_name(2) == "ENOENT");
    CHECK(error_name(11) == "EAGAIN");
    CHECK(error_name(35) == "EDEADLK");
    CHECK(error_name(95) == "EOPNOTSUPP");
    CHECK(error_name(110) == "ETIMEDOUT");
    CHECK(error_name(115) == "EINPROGRESS");
    CHECK(error_name(512) == "ERESTARTSYS");
    CHECK(error_name(516) == "ERESTART_RESTARTBLOCK");
    CHECK(error_name(4000) == "errno_4000");
    CHECK(error_name(0) == "errno_0");
    CHECK(signal_name(1) == "SIGHUP");
    CHECK(signal_name(9) == "SIGKILL");
    CHECK(signal_name(17) == "SIGCHLD");
    CHECK(signal_name(31) == "SIGSYS");
    CHECK(signal_name(35) == "SIGRT_3");
    CHECK(signal_name(0) == "signal_0");
    CHECK(signal_name(65) == "signal_65");
}
