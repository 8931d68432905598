// DNS over TCP: two octets of length, then the message.
#include <algorithm>
#include <utility>

#include "slowtrace/dns.hpp"
#include "wire/octets.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::size_t prefix = 2;

}  // namespace

std::size_t DnsStream::left() const {
    if (pending_.size() < prefix) return prefix - pending_.size();
    return prefix + OctetReader(pending_).number(prefix) - pending_.size() - skipped_;
}

void DnsStream::end_when_whole(std::vector<model::DnsMessage>& messages) {
    if (pending_.size() < prefix || left() > 0) return;
    if (auto message = parse_dns(Octets(pending_).subspan(prefix))) messages.push_back(std::move(*message));
    pending_.clear();
    skipped_ = 0;
}

std::vector<model::DnsMessage> DnsStream::feed(std::span<const std::uint8_t> octets) {
    std::vector<model::DnsMessage> messages;
    while (!octets.empty() && !lost_) {
        const Octets part = octets.first(std::min(left(), octets.size()));
        octets = octets.subspan(part.size());
        // Behind a gap the rest of a message makes no sense.
        if (skipped_ > 0)
            skipped_ += part.size();
        else
            pending_.insert(pending_.end(), part.begin(), part.end());
        end_when_whole(messages);
    }
    return messages;
}

std::vector<model::DnsMessage> DnsStream::skip(std::uint64_t size) {
    std::vector<model::DnsMessage> messages;
    if (size == 0 || lost_) return messages;
    lost_ = pending_.size() < prefix || size > left();
    if (pending_.size() < prefix) return messages;
    skipped_ += static_cast<std::size_t>(std::min<std::uint64_t>(size, left()));
    end_when_whole(messages);
    return messages;
}

}  // namespace slowtrace::wire
