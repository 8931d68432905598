// Reads and parses the files of /proc/PID.
#include "record/proc.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string_view>

#include "slowtrace/unique_fd.hpp"

namespace slowtrace::record {

namespace {

constexpr std::size_t command_line_limit = 64 * 1024;

std::string proc_path(pid_t tid, const char* name) {
    return "/proc/" + std::to_string(tid) + "/" + name;
}

template <typename Number>
Number number_after(std::string_view text, std::string_view label, int word = 0) {
    Number value{};
    auto at = text.find(label);
    if (at == std::string_view::npos) return value;
    text.remove_prefix(at + label.size());
    text = text.substr(0, text.find('\n'));
    for (; word >= 0; --word) {
        const auto digits = text.find_first_of("0123456789");
        if (digits == std::string_view::npos) return value;
        text.remove_prefix(digits);
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
        text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    }
    return value;
}

// The entries of a directory of /proc that are named by numbers.
std::vector<int> numbers_in(const std::string& path) {
    std::vector<int> result;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
    if (!directory) return result;
    while (const dirent* entry = readdir(directory.get()))
        if (entry->d_name[0] != '.') result.push_back(std::atoi(entry->d_name));
    return result;
}

// From the state on: the name in parentheses before it may itself contain anything.
std::string fields_of_stat(pid_t pid) {
    const auto stat = read_file(proc_path(pid, "stat"), 2048);
    const auto name_end = stat ? stat->rfind(") ") : std::string::npos;
    return name_end == std::string::npos ? "" : stat->substr(name_end + 2);
}

}  // namespace

std::optional<std::string> read_file(const std::string& path, std::size_t limit) {
    UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file) return std::nullopt;
    std::string content;
    char buffer[4096];
    while (content.size() < limit) {
        const ssize_t got = read(file.get(), buffer, std::min(sizeof buffer, limit - content.size()));
        if (got <= 0) break;
        content.append(buffer, static_cast<std::size_t>(got));
    }
    return content;
}

std::optional<std::string> read_link(const std::string& path) {
    char target[PATH_MAX];
    const ssize_t length = readlink(path.c_str(), target, sizeof target);
    if (length < 0) return std::nullopt;
    return std::string(target, static_cast<std::size_t>(length));
}

std::optional<ProcessStatus> read_status(pid_t tid) {
    const auto text = read_file(proc_path(tid, "status"), 8192);
    if (!text || text->empty()) return std::nullopt;
    ProcessStatus status;
    if (const auto at = text->find("\nState:\t"); at != std::string::npos && at + 8 < text->size())
        status.state = (*text)[at + 8];
    status.tgid = number_after<pid_t>(*text, "\nTgid:");
    status.parent = number_after<pid_t>(*text, "\nPPid:");
    status.tracer = number_after<pid_t>(*text, "\nTracerPid:");
    status.user = number_after<uid_t>(*text, "\nUid:");
    status.effective_user = number_after<uid_t>(*text, "\nUid:", 1);
    status.effective_group = number_after<gid_t>(*text, "\nGid:", 1);
    status.seccomp_mode = number_after<int>(*text, "\nSeccomp:");
    return status;
}

std::optional<std::string> read_comm(pid_t tid) {
    auto name = read_file(proc_path(tid, "comm"), 64);
    if (name && name->ends_with('\n')) name->pop_back();
    return name;
}

CommandLine read_command_line(pid_t tid) {
    CommandLine result;
    const auto text = read_file(proc_path(tid, "cmdline"), command_line_limit + 1);
    if (!text) return result;
    result.truncated = text->size() > command_line_limit;
    std::size_t from = 0;
    while (from < text->size()) {
        const auto to = std::min(text->find('\0', from), text->size());
        result.arguments.push_back(text->substr(from, to - from));
        from = to + 1;
    }
    return result;
}

void read_schedule(pid_t pid, pid_t tid, model::ThreadDeath& death) {
    const std::string task = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid);
    if (const auto schedule = read_file(task + "/schedstat", 256)) {
        long long run = 0, queued = 0;
        if (std::sscanf(schedule->c_str(), "%lld %lld", &run, &queued) == 2) {
            death.set_has_schedule(true);
            death.set_run_ns(run);
            death.set_queued_ns(queued);
        }
    }
    if (const auto stat = read_file(task + "/stat", 2048)) {
        // The name in parentheses may itself contain anything; fields count from after the last one.
        const auto name_end = stat->rfind(')');
        unsigned long minor = 0, major = 0;
        if (name_end != std::string::npos &&
            std::sscanf(stat->c_str() + name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %lu %*u %lu", &minor, &major) ==
                2) {
            death.set_minor_faults(minor);
            death.set_major_faults(major);
        }
    }
}

bool setuid_was_ignored(pid_t tid) {
    struct stat file;
    if (stat(proc_path(tid, "exe").c_str(), &file) != 0 || !(file.st_mode & (S_ISUID | S_ISGID))) return false;
    const auto status = read_status(tid);
    if (!status) return false;
    const bool user_ignored = (file.st_mode & S_ISUID) && status->effective_user != file.st_uid;
    // Set-gid without group execute permission means mandatory locking, not privilege (chmod(2)).
    const bool group_ignored =
        (file.st_mode & S_ISGID) && (file.st_mode & S_IXGRP) && status->effective_group != file.st_gid;
    return user_ignored || group_ignored;
}

std::vector<int> open_descriptors(pid_t tid) {
    return numbers_in(proc_path(tid, "fd"));
}

std::vector<pid_t> threads_of(pid_t pid) {
    return numbers_in(proc_path(pid, "task"));
}

std::uint64_t start_ticks(pid_t pid) {
    unsigned long long ticks = 0;
    const auto stat = fields_of_stat(pid);
    std::sscanf(stat.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                &ticks);
    return ticks;
}

bool is_kernel_thread(pid_t pid) {
    constexpr unsigned kernel_thread = 0x00200000;
    unsigned flags = 0;
    std::sscanf(fields_of_stat(pid).c_str(), "%*c %*d %*d %*d %*d %*d %u", &flags);
    return flags & kernel_thread;
}

}  // namespace slowtrace::record
