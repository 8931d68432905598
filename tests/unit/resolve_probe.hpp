// Plays a few lines of text into a Resolver and keeps what its sink was told as lines of text.
//
// A line is an Event in TextFormat (`death { thread: 1 }`), or a call of the x86-64 table:
//     1 openat(-100 0 0) = 3 @10-20 captured { argument: 1 path: "/x" }
// that is thread, name, arguments, result (-errno for a failure), times (10 apart when left out), and the
// rest of the Syscall in TextFormat.
#pragma once

#include <google/protobuf/text_format.h>

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

using Lines = std::vector<std::string>;

class ResolveProbe : public ResolvedSink {
   public:
    ResolveProbe() : resolver_(std::make_unique<Resolver>(*this)) {}

    // Starts with one process, thread 1 of process 1.
    static constexpr const char* root = "birth { thread: 1 process: 1 tid: 100 pid: 100 kind: ROOT time_ns: 1 }";

    ResolveProbe& play(const std::string& text) {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            line.erase(0, line.find_first_not_of(' '));
            if (line.empty()) continue;
            if (line[0] >= '0' && line[0] <= '9')
                resolver_->syscall(parse_call(line));
            else
                resolver_->event(parse_event(line));
        }
        return *this;
    }
    ResolveProbe& finish() {
        resolver_->finish();
        return *this;
    }
    Resolver& resolver() { return *resolver_; }

    Lines all;
    // What was told with this first word, without it.
    Lines told(const std::string& word) const {
        Lines found;
        for (const std::string& line : all)
            if (line.rfind(word + ' ', 0) == 0) found.push_back(line.substr(word.size() + 1));
        return found;
    }
    // Called for each call, in place of a line about it.
    std::function<void(const ResolvedCall&)> on_call;

    static std::string text(const ResolvedDescriptor& descriptor) {
        std::string line = std::to_string(descriptor.number) + '=';
        if (descriptor.file == nullptr) return line + "closed";
        return line + text(*descriptor.file);
    }
    static std::string text(const OpenFile& file) {
        if (file.connection) return "socket " + file.connection->peer.display();
        return file.path.empty() ? "unknown" : file.path;
    }
    static std::string text(const Endpoint& end) { return end.display(); }

    void process_started(const Process& process) override { note("started", "P" + id(process.id)); }
    void process_executed(const Process& process, std::int64_t) override { note("executed", process.name()); }
    void process_ended(const Process& process) override {
        note("process-ended", "P" + id(process.id) + " at " + std::to_string(process.death_ns.value_or(-1)) +
                                  " status " + (process.status ? std::to_string(*process.status) : "none"));
    }
    void thread_started(const Thread& thread) override { note("thread", "T" + id(thread.id)); }
    void thread_renamed(const Thread& thread) override { note("renamed", thread.name); }
    void thread_ended(const Thread& thread) override { note("thread-ended", "T" + id(thread.id)); }
    void call(const ResolvedCall& call) override {
        if (on_call) on_call(call);
        std::string line(call.row.name);
        for (const ResolvedDescriptor& one : call.descriptors) line += (one.argument < 0 ? " ->" : " ") + text(one);
        for (const ResolvedDescriptor& one : call.watched)
            line += " ?" + text(one) + " " + std::to_string(one.wanted) + ":" + std::to_string(one.ready);
        if (call.child) line += " child P" + id(*call.child);
        note("call", line);
    }
    void signal(const Thread& thread, const model::Signal&) override { note("signal", "T" + id(thread.id)); }
    void job_stop(const Thread& thread, const model::JobStop&) override { note("stop", "T" + id(thread.id)); }
    void escape(const Thread& thread, const model::Escape&) override { note("escape", "T" + id(thread.id)); }
    void loss(const model::Loss& loss) override { note("loss", std::to_string(loss.events())); }
    void connection_opened(const Connection& connection, std::int64_t time_ns) override {
        note("opened", connection.peer.display() + " at " + std::to_string(time_ns));
    }
    void connection_closed(const Connection& connection, std::int64_t time_ns) override {
        note("closed", connection.peer.display() + " at " + std::to_string(time_ns) + " sent " +
                           std::to_string(connection.bytes_sent) + " received " +
                           std::to_string(connection.bytes_received));
    }
    void connect_attempt(const ConnectAttempt& attempt) override {
        static const char* const outcomes[] = {"connected", "refused",   "timed_out",  "unreachable", "reset",
                                               "failed",    "abandoned", "unfinished", "lost_race"};
        note("attempt", attempt.connection->peer.display() + " " + outcomes[static_cast<int>(attempt.outcome)] + " " +
                            std::to_string(attempt.from_ns) + "-" + std::to_string(attempt.to_ns));
    }
    // "connect 10-20 +5 -7 #1": the phase, when, octets sent and received, the exchange where it is of one.
    void phase(const Connection&, const PhaseStretch& stretch) override {
        static const char* const names[] = {"connect", "tls", "request", "first_byte", "transfer", "idle"};
        std::string line = std::string(names[static_cast<int>(stretch.phase)]) + ' ' + std::to_string(stretch.from_ns) +
                           '-' + std::to_string(stretch.to_ns);
        if (stretch.bytes_sent != 0) line += " +" + std::to_string(stretch.bytes_sent);
        if (stretch.bytes_received != 0) line += " -" + std::to_string(stretch.bytes_received);
        if (stretch.exchange != 0) line += " #" + std::to_string(stretch.exchange);
        note("phase", line);
        stretches.push_back(stretch);
    }
    std::vector<PhaseStretch> stretches;
    void dns_exchange(const DnsExchange& exchange) override {
        std::string line = exchange.name + " type " + std::to_string(exchange.type) + " of " +
                           exchange.server.display() + (exchange.answered ? " answered" : " unanswered");
        for (const std::string& address : exchange.addresses) line += ' ' + address;
        if (!exchange.canonical_name.empty()) line += " is " + exchange.canonical_name;
        note("dns", line);
    }
    void end(const model::RunEnd& end) override {
        note("end", std::to_string(end.time_ns()) + (end.has_status() ? " with status" : ""));
    }

   private:
    template <typename Id>
    static std::string id(Id value) {
        return std::to_string(index(value));
    }
    void note(const std::string& word, const std::string& line) { all.push_back(word + ' ' + line); }

    static model::Event parse_event(const std::string& line) {
        model::Event event;
        INFO(line);
        REQUIRE(google::protobuf::TextFormat::ParseFromString(line, &event));
        return event;
    }

    model::Syscall parse_call(const std::string& line) {
        model::Syscall call;
        std::size_t open = line.find('('), close = line.find(')'), space = line.find(' ');
        INFO(line);
        REQUIRE(close != std::string::npos);
        const model::SyscallRow* row = model::find_syscall(line.substr(space + 1, open - space - 1));
        REQUIRE(row != nullptr);
        call.set_thread(static_cast<std::uint32_t>(std::stoul(line)));
        call.set_abi(model::X86_64);
        call.set_number(static_cast<std::uint32_t>(row->x86_64));
        std::istringstream arguments(line.substr(open + 1, close - open - 1));
        for (std::int64_t value = 0; arguments >> value;) call.add_arguments(static_cast<std::uint64_t>(value));
        while (call.arguments_size() < 6) call.add_arguments(0);

        std::istringstream rest(line.substr(close + 1));
        std::string equals;
        std::int64_t result = 0;
        rest >> equals >> result >> std::ws;
        call.set_result(result);
        clock_ += 10;
        call.set_entry_ns(clock_);
        call.set_exit_ns(clock_ + 5);
        if (rest.peek() == '@') {
            char mark;
            std::int64_t entry = 0, exit = 0;
            rest >> mark >> entry >> mark >> exit;
            call.set_entry_ns(entry);
            call.set_exit_ns(exit);
            clock_ = exit;
        }
        std::string tail{std::istreambuf_iterator<char>(rest), {}};
        REQUIRE(google::protobuf::TextFormat::MergeFromString(tail, &call));
        return call;
    }

    std::unique_ptr<Resolver> resolver_;
    std::int64_t clock_ = 0;
};

// One process with one thread, and a way to ask what a descriptor means to a thread now.
struct ProbeWithRoot : ResolveProbe {
    ProbeWithRoot() { play(root); }
    std::string at(int fd, int thread = 1) {
        play(std::to_string(thread) + " fsync(" + std::to_string(fd) + ") = 0");
        return told("call").back().substr(std::string("fsync ").size());
    }
};

// TextFormat of what calls carry, short enough for a line.
inline std::string path(int argument, const std::string& value) {
    return " captured { argument: " + std::to_string(argument) + " path: \"" + value + "\" } ";
}
inline std::string ip4(const std::string& escaped, int port) {
    return " family: 2 ip: \"" + escaped + "\" port: " + std::to_string(port) + " ";
}
inline std::string address(int argument, const std::string& value) {
    return " captured { argument: " + std::to_string(argument) + " address { " + value + " } } ";
}
inline std::string unix_path(const std::string& value) {
    return " family: 1 path: \"" + value + "\" ";
}
inline std::string pair(int first, int second) {
    return " captured { argument: 0 pair { first: " + std::to_string(first) + " second: " + std::to_string(second) +
           " } } ";
}
inline std::string number(int argument, int value) {
    return " captured { argument: " + std::to_string(argument) + " number: " + std::to_string(value) + " } ";
}
inline std::string polled(int fd, int wanted, int ready) {
    return " captured { argument: 0 poll { members { fd: " + std::to_string(fd) + " wanted: " + std::to_string(wanted) +
           " ready: " + std::to_string(ready) + " } } } ";
}
// epoll_ctl's (argument 3) or epoll_wait's (argument 1) one event.
inline std::string event(int argument, unsigned events, int cookie) {
    return " captured { argument: " + std::to_string(argument) +
           " epoll { members { events: " + std::to_string(events) + " data: " + std::to_string(cookie) + " } } } ";
}
inline std::string passing(int fd) {
    return " captured { argument: 1 messages { messages { bytes: 1 passed_descriptors: " + std::to_string(fd) +
           " } } } ";
}

// 192.0.2.9, 192.0.2.53
inline const std::string host9 = "\\300\\000\\002\\011", host53 = "\\300\\000\\002\\065";

// A process born of thread 1 with these flags (FORK without CLONE_FILES by default).
inline std::string child(int thread, int process, int pid, const std::string& more = "kind: FORK clone_flags: 17") {
    std::string id = std::to_string(pid);
    return "birth { thread: " + std::to_string(thread) + " process: " + std::to_string(process) + " tid: " + id +
           " pid: " + id + " has_parent: true parent_thread: 1 time_ns: 5 " + more + " }\n";
}

// A second thread of process 1 that shares its descriptors (CLONE_VM|FS|FILES|SIGHAND|THREAD).
inline const std::string second_thread =
    "birth { thread: 2 process: 1 tid: 101 pid: 100 kind: CLONE has_parent: true parent_thread: 1 time_ns: 2 "
    "clone_flags: 0x10f00 }\n";

}  // namespace slowtrace::resolve
