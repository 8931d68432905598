// Recognises the opening by the path the program gave; reads through /proc/TID/fd.
#include "record/hosts_witness.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "record/proc.hpp"
#include "slowtrace/hosts_file.hpp"

namespace slowtrace::record {

namespace {

using model::Call;

bool opened_hosts(const OpenCall& open) {
    const Call call = open.row->call;
    if (call != Call::openat && call != Call::open && call != Call::openat2) return false;
    return open.call.result() >= 0 && std::ranges::any_of(open.call.captured(), [](const model::Captured& captured) {
               return captured.path() == "/etc/hosts";
           });
}

std::string stamp_of(const struct stat& file) {
    return std::to_string(file.st_dev) + " " + std::to_string(file.st_ino) + " " + std::to_string(file.st_size) + " " +
           std::to_string(file.st_mtim.tv_sec) + "." + std::to_string(file.st_mtim.tv_nsec);
}

}  // namespace

void HostsWitness::after(const Tracee& tracee, const OpenCall& open) {
    constexpr std::size_t size_limit = 1 << 20, processes_limit = 4096;
    if (!opened_hosts(open)) return;
    const std::string path = "/proc/" + std::to_string(tracee.tid) + "/fd/" + std::to_string(open.call.result());
    struct stat file;
    if (stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return;
    if (told_.size() >= processes_limit) told_.clear();
    std::string& told = told_[tracee.process];
    std::string stamp = stamp_of(file);
    if (stamp == told) return;
    told = std::move(stamp);
    const auto text = read_file(path, size_limit);
    if (!text) return;
    model::Event event;
    *event.mutable_hosts() = wire::parse_hosts(*text);
    event.mutable_hosts()->set_thread(index(tracee.thread));
    event.mutable_hosts()->set_time_ns(open.call.exit_ns());
    sink_.event(event);
}

}  // namespace slowtrace::record
