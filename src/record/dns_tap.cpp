// Finds the buffers of a send or receive, reads them once, and hands them to the DNS parser.
#include "record/dns_tap.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <vector>

#include "record/remote_memory.hpp"
#include "slowtrace/dns.hpp"

namespace slowtrace::record {

namespace {

using model::Call;
using Octets = std::vector<std::uint8_t>;

constexpr std::size_t message_limit = 65535, vector_limit = 64, batch_limit = 64;
constexpr std::uint32_t dns_port = 53;

enum class Layout { buffer, vectors, message, messages };
struct Tapped {
    Call call;
    bool receives;
    Layout layout;
    int flags_argument;    // -1: none
    int address_argument;  // -1: none
};
constexpr std::array<Tapped, 11> tapped_calls{{
    {Call::read, true, Layout::buffer, -1, -1},
    {Call::recvfrom, true, Layout::buffer, 3, 4},
    {Call::readv, true, Layout::vectors, -1, -1},
    {Call::recvmsg, true, Layout::message, 2, 1},
    {Call::recvmmsg, true, Layout::messages, 3, 1},
    {Call::recvmmsg_time64, true, Layout::messages, 3, 1},
    {Call::write, false, Layout::buffer, -1, -1},
    {Call::sendto, false, Layout::buffer, -1, 4},
    {Call::writev, false, Layout::vectors, -1, -1},
    {Call::sendmsg, false, Layout::message, -1, 1},
    {Call::sendmmsg, false, Layout::messages, -1, 1},
}};

const Tapped* find_tapped(Call call) {
    const auto found = std::ranges::find(tapped_calls, call, &Tapped::call);
    return found == tapped_calls.end() ? nullptr : &*found;
}

class Gatherer {
   public:
    Gatherer(RemoteMemory& memory, const Architecture& architecture)
        : memory_(memory), word_(static_cast<std::uint64_t>(architecture.pointer_bytes)) {}

    Octets buffer(RemoteAddress at, std::uint64_t size) {
        Octets octets(std::min<std::uint64_t>(size, message_limit));
        octets.resize(memory_.read(at, std::as_writable_bytes(std::span(octets))));
        return octets;
    }
    Octets vectors(RemoteAddress at, std::uint64_t count, std::uint64_t size) {
        Octets all;
        for (std::uint64_t entry = 0; entry < std::min<std::uint64_t>(count, vector_limit) && size > 0; ++entry) {
            const std::uint64_t base = word(at + 2 * entry * word_);
            const std::uint64_t length = std::min(size, word(at + (2 * entry + 1) * word_));
            const Octets part = buffer({base}, length);
            all.insert(all.end(), part.begin(), part.end());
            size -= length;
            if (all.size() > message_limit) break;
        }
        return all;
    }
    Octets message(RemoteAddress header, std::uint64_t size) {
        return vectors({word(header + 2 * word_)}, word(header + 3 * word_), size);
    }
    std::uint64_t header_stride() const { return word_ == 8 ? 64 : 32; }
    std::uint32_t message_length(RemoteAddress header) {
        return memory_.value<std::uint32_t>(header + (word_ == 8 ? 56 : 28)).value_or(0);
    }

   private:
    std::uint64_t word(RemoteAddress at) {
        if (word_ == 8) return memory_.value<std::uint64_t>(at).value_or(0);
        return memory_.value<std::uint32_t>(at).value_or(0);
    }
    RemoteMemory& memory_;
    std::uint64_t word_;
};

std::vector<Octets> gather(const Tapped& tapped, const OpenCall& open, Gatherer& gatherer) {
    const RemoteAddress at{open.call.arguments(1)};
    const auto result = static_cast<std::uint64_t>(open.call.result());
    std::vector<Octets> messages;
    switch (tapped.layout) {
        case Layout::buffer:
            messages.push_back(gatherer.buffer(at, result));
            break;
        case Layout::vectors:
            messages.push_back(gatherer.vectors(at, open.call.arguments(2), result));
            break;
        case Layout::message:
            messages.push_back(gatherer.message(at, result));
            break;
        case Layout::messages:
            for (std::uint64_t entry = 0; entry < std::min<std::uint64_t>(result, batch_limit); ++entry) {
                const RemoteAddress header = at + entry * gatherer.header_stride();
                messages.push_back(gatherer.message(header, gatherer.message_length(header)));
            }
    }
    return messages;
}

// The address the call itself names, where it names one.
const model::SocketAddress* named_peer(const Tapped& tapped, const model::Syscall& call, std::size_t message) {
    for (const model::Captured& captured : call.captured()) {
        if (static_cast<int>(captured.argument()) != tapped.address_argument) continue;
        if (captured.has_address()) return &captured.address();
        if (captured.has_messages() && static_cast<int>(message) < captured.messages().messages_size() &&
            captured.messages().messages(static_cast<int>(message)).has_address())
            return &captured.messages().messages(static_cast<int>(message)).address();
    }
    return nullptr;
}

}  // namespace

void tap_dns(Tracee& tracee, RemoteMemory& memory, const OpenCall& open, EventSink& sink) {
    const Tapped* tapped = find_tapped(open.row->call);
    if (!tapped || open.call.result() <= 0) return;
    const int fd = static_cast<int>(open.call.arguments(0));
    DescriptorWatch& watch = *tracee.descriptors;
    if (!watch.dns(fd)) {
        const model::SocketAddress* peer = named_peer(*tapped, open.call, 0);
        if (!peer || peer->port() != dns_port || peer->ip().empty()) return;
        watch.marked_dns(fd);
    }
    // Bytes that are only looked at arrive a second time.
    if (tapped->flags_argument >= 0 &&
        (open.call.arguments(tapped->flags_argument) & static_cast<std::uint64_t>(MSG_PEEK)))
        return;
    Gatherer gatherer(memory, *open.architecture);
    const std::vector<Octets> gathered = gather(*tapped, open, gatherer);
    for (std::size_t at = 0; at < gathered.size(); ++at) {
        std::vector<model::DnsMessage> messages;
        if (watch.stream(fd))
            messages = (tapped->receives ? watch.stream_in(fd) : watch.stream_out(fd)).feed(gathered[at]);
        else if (auto message = wire::parse_dns(gathered[at]))
            messages.push_back(std::move(*message));
        for (model::DnsMessage& message : messages) {
            model::Event event;
            message.set_thread(index(tracee.thread));
            message.set_time_ns(open.call.exit_ns());
            message.set_fd(fd);
            if (const model::SocketAddress* peer = named_peer(*tapped, open.call, at))
                *message.mutable_server() = *peer;
            event.mutable_dns()->Swap(&message);
            sink.event(event);
        }
    }
}

}  // namespace slowtrace::record
