// The exchanges of a program with its DNS server.
#include <array>

#include "slowtrace/dns.hpp"
#include "slowtrace/stream_facts.hpp"
#include "wire/octets.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::size_t max_message = 65'535, length_prefix = 2;

void tell(std::vector<model::DnsMessage> messages, std::vector<model::Event>& facts) {
    for (model::DnsMessage& message : messages) *facts.emplace_back().mutable_dns() = std::move(message);
}

class DnsDatagrams : public Interpreter {
   public:
    std::size_t wanted(Flow) const override { return max_message; }
    void feed(Flow, Octets octets, std::uint64_t, std::vector<model::Event>& facts) override {
        if (auto message = parse_dns(octets)) *facts.emplace_back().mutable_dns() = std::move(*message);
    }
    bool settled() const override { return false; }
};

class DnsOverStream : public Interpreter {
   public:
    std::size_t wanted(Flow) const override { return length_prefix + max_message; }
    void feed(Flow flow, Octets octets, std::uint64_t size, std::vector<model::Event>& facts) override {
        octets = octets.first(static_cast<std::size_t>(std::min<std::uint64_t>(octets.size(), size)));
        DnsStream& stream = streams_[static_cast<std::size_t>(flow)];
        tell(stream.feed(octets), facts);
        tell(stream.skip(size - octets.size()), facts);
    }
    bool settled() const override { return false; }

   private:
    std::array<DnsStream, 2> streams_;
};

}  // namespace

std::unique_ptr<Interpreter> interpret_dns(bool stream) {
    if (stream) return std::make_unique<DnsOverStream>();
    return std::make_unique<DnsDatagrams>();
}

}  // namespace slowtrace::wire
