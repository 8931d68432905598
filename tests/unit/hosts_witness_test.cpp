// /etc/hosts as this very process opens it: told once, until it changes.
#include "record/hosts_witness.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "catch.hpp"
#include "slowtrace/unique_fd.hpp"

using namespace slowtrace;
using namespace slowtrace::record;
using model::Call;

namespace {

class Counting : public EventSink {
   public:
    void event(const model::Event& event) override { hosts += event.has_hosts(), last = event.hosts(); }
    void syscall(const model::Syscall&) override {}
    int hosts = 0;
    model::HostsFile last;
};

OpenCall opened(Call call, const std::string& path, std::int64_t result) {
    OpenCall open;
    for (const model::SyscallRow& row : model::all_syscalls())
        if (row.call == call) open.row = &row;
    open.call.set_exit_ns(8);
    open.call.set_result(result);
    open.call.add_captured()->set_path(path);
    return open;
}

}  // namespace

TEST_CASE("opening the hosts file tells what it says, once to each process", "[witness]") {
    const UniqueFd file(open("/etc/hosts", O_RDONLY | O_CLOEXEC));
    if (!file) {
        WARN("this machine has no hosts file");
        return;
    }
    Counting sink;
    HostsWitness witness(sink);
    Tracee tracee;
    tracee.tid = getpid();
    witness.after(tracee, opened(Call::openat, "/etc/host.conf", file.get()));
    witness.after(tracee, opened(Call::openat, "/etc/hosts", -2));
    witness.after(tracee, opened(Call::readlink, "/etc/hosts", file.get()));
    CHECK(sink.hosts == 0);
    tracee.thread = ThreadId{4};
    witness.after(tracee, opened(Call::openat, "/etc/hosts", file.get()));
    CHECK(sink.hosts == 1);
    CHECK(sink.last.thread() == 4);
    CHECK(sink.last.time_ns() == 8);
    witness.after(tracee, opened(Call::openat, "/etc/hosts", file.get()));
    CHECK(sink.hosts == 1);
    tracee.process = ProcessId{1};
    witness.after(tracee, opened(Call::openat, "/etc/hosts", file.get()));
    CHECK(sink.hosts == 2);
}
