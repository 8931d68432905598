// Threads as they are found: those in a call for long (--live), or all of them because SIGUSR1 asked.
#include <algorithm>
#include <array>

#include "record/epoll_list.hpp"
#include "record/proc.hpp"
#include "record/recorder_engine.hpp"
#include "record/tcp_report.hpp"

namespace slowtrace::record {

namespace {

constexpr std::size_t sockets_told = 8;        // of a call that waits for many
constexpr std::size_t descriptors_tried = 64;  // most of them may be no TCP sockets
constexpr std::int64_t second_ns = 1'000'000'000;

// After --live's own threshold, a call is told again at these ages, and then every five minutes.
constexpr std::array ages_ns{10 * second_ns, 60 * second_ns, 300 * second_ns};

std::int64_t next_age_ns(std::int64_t age_ns) {
    for (const std::int64_t age : ages_ns)
        if (age > age_ns) return age;
    return age_ns - age_ns % ages_ns.back() + ages_ns.back();
}

// What a call waits for, as far as it was read at its entry.
std::vector<int> descriptors_of(const OpenCall& open, pid_t tid) {
    std::vector<int> found;
    for (std::size_t at = 0; at < open.row->arguments.size(); ++at) {
        if (open.row->arguments[at].shape != model::Shape::descriptor) continue;
        const int fd = static_cast<int>(static_cast<std::uint32_t>(open.call.arguments(static_cast<int>(at))));
        found.push_back(fd);
        if (open.row->name.starts_with("epoll_") && at == 0)
            for (const auto& interest : read_epoll_list(tid, fd, descriptors_tried)) found.push_back(interest.fd());
    }
    for (const model::Captured& captured : open.call.captured()) {
        for (const auto& member : captured.poll().members()) found.push_back(member.fd());
        for (const int fd : captured.descriptors().wanted()) found.push_back(fd);
    }
    found.resize(std::min(found.size(), descriptors_tried));
    std::erase_if(found, [](int fd) { return fd < 0; });
    return found;
}

std::string state_letter(pid_t tid) {
    const auto status = read_status(tid);
    return status ? std::string(1, status->state) : "";
}

}  // namespace

void Engine::tell_moment(Tracee& tracee, model::Moment::Reason reason, std::int64_t now, bool last) {
    model::Moment moment;
    moment.set_thread(index(tracee.thread));
    moment.set_time_ns(now);
    moment.set_reason(reason);
    moment.set_state(state_letter(tracee.tid));
    moment.set_last(last);
    if (tracee.in_call) {
        model::Syscall& call = *moment.mutable_call();
        call = tracee.open.call;
        call.set_ending(model::Syscall::IN_PROGRESS);
        call.set_exit_ns(now);
        if (call.pieces_size() > 0) {
            auto& piece = *call.add_pieces();
            piece.set_from_ns(tracee.open.piece_entry_ns);
            piece.set_to_ns(now);
        }
        for (const int fd : descriptors_of(tracee.open, tracee.tid)) {
            if (moment.sockets_size() == static_cast<int>(sockets_told)) break;
            auto report = ask_tcp(tracee.pid, tracee.tid, fd);
            if (!report) continue;
            calls_.explain(tracee, fd);
            report->set_thread(moment.thread());
            report->set_time_ns(now);
            *moment.add_sockets() = *std::move(report);
        }
    }
    event_.mutable_moment()->Swap(&moment);
    sink_.event(event_);
}

void Engine::tell_long_waits() {
    const std::int64_t now = now_ns();
    if (now - long_waits_told_ns_ < wake_period_ns()) return;
    long_waits_told_ns_ = now;
    for (auto& [tid, tracee] : tracees_) {
        if (!tracee->in_call) continue;
        const std::int64_t since_ns = tracee->waits.since_ns(*tracee->open.row, tracee->open.call);
        const std::int64_t age_ns = now - since_ns;
        if (age_ns < *options_.long_wait_ns) continue;
        if (tracee->told_since_ns != since_ns) {
            tracee->told_since_ns = since_ns;
            tracee->tell_at_age_ns = *options_.long_wait_ns;
        }
        if (age_ns < tracee->tell_at_age_ns) continue;
        tracee->tell_at_age_ns = next_age_ns(age_ns);
        tell_moment(*tracee, model::Moment::LONG_WAIT, now, false);
    }
}

void Engine::tell_all_threads() {
    std::vector<Tracee*> all;
    for (auto& [tid, tracee] : tracees_)
        if (!tracee->death_told) all.push_back(tracee.get());
    std::ranges::sort(all, {}, [](const Tracee* one) { return index(one->thread); });
    const std::int64_t now = now_ns();
    for (Tracee* tracee : all) tell_moment(*tracee, model::Moment::ASKED, now, tracee == all.back());
}

}  // namespace slowtrace::record
