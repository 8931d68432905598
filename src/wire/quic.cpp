// QUIC connections by their client's Initials: the ClientHello in them names the server.
//
// The hello is spread over frames in any order and over datagrams (large key shares, or to keep others from reading
// only the first). Later Initials carry another destination identifier, but the first one's keys; after a Retry, new
// ones.
#include <algorithm>

#include "wire/protocol.hpp"
#include "wire/quic_packet.hpp"
#include "wire/quic_protection.hpp"
#include "wire/tls_hello.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::size_t look = 4'096;
constexpr std::uint64_t least_first_datagram = 1'200;  // RFC 9000 §14.1
constexpr int max_datagrams = 8, max_packets = 8;      // looked at; packets in each
constexpr std::size_t max_crypto = 16'384;
constexpr std::uint8_t long_header = 0x80;

// A stream's octets as they come, in any order.
class Pieces {
   public:
    void add(std::uint64_t offset, Octets data) {
        if (offset > max_crypto || data.size() > max_crypto - offset) return;
        const auto begin = static_cast<std::size_t>(offset);
        const std::size_t end = begin + data.size();
        if (octets_.size() < end) {
            octets_.resize(end);
            known_.resize(end);
        }
        std::copy(data.begin(), data.end(), octets_.begin() + static_cast<std::ptrdiff_t>(begin));
        std::fill(known_.begin() + static_cast<std::ptrdiff_t>(begin),
                  known_.begin() + static_cast<std::ptrdiff_t>(end), true);
    }
    // What there is without a gap.
    Octets beginning() const {
        const auto gap = std::find(known_.begin(), known_.end(), false);
        return Octets(octets_).first(static_cast<std::size_t>(gap - known_.begin()));
    }

   private:
    std::vector<std::uint8_t> octets_;
    std::vector<bool> known_;
};

class QuicDatagrams : public Interpreter {
   public:
    std::size_t wanted(Flow flow) const override { return settled_ || flow == Flow::received ? 0 : look; }
    void feed(Flow flow, Octets octets, std::uint64_t size, std::vector<model::Event>& facts) override;
    bool settled() const override { return settled_; }

   private:
    void read_initial(const LongPacket& packet, Octets octets);
    void claim(std::vector<model::Event>& facts);
    std::optional<InitialProtection> protection_;
    Pieces crypto_;
    int datagrams_ = 0;
    bool settled_ = false;
};

void QuicDatagrams::feed(Flow flow, Octets octets, std::uint64_t size, std::vector<model::Event>& facts) {
    if (settled_ || flow == Flow::received) return;
    const bool first = datagrams_++ == 0;
    if (first && (size < least_first_datagram || octets.empty() || (octets[0] & long_header) == 0)) {
        settled_ = true;
        return;
    }
    for (int packets = 0; packets < max_packets; ++packets) {
        const auto packet = read_long_packet(octets);
        if (!packet) break;
        if (packet->initial) read_initial(*packet, octets.first(packet->size));
        octets = octets.subspan(packet->size);
    }
    claim(facts);
    settled_ = settled_ || datagrams_ >= max_datagrams;
    if (settled_) crypto_ = {};
}

void QuicDatagrams::read_initial(const LongPacket& packet, Octets octets) {
    auto frames = protection_ ? protection_->open(octets, packet.number_at) : std::nullopt;
    if (!frames) {
        const auto own = InitialProtection::make(packet.version, packet.destination);
        frames = own ? own->open(octets, packet.number_at) : std::nullopt;
        if (!frames) return;
        protection_ = own;
    }
    for (const CryptoFrame& frame : read_crypto_frames(*frames)) crypto_.add(frame.offset, frame.data);
}

void QuicDatagrams::claim(std::vector<model::Event>& events) {
    const Octets message = crypto_.beginning();
    if (message.empty()) return;
    const std::size_t size = handshake_size(message);
    if (message[0] != client_hello || size > max_crypto) settled_ = true;
    if (settled_ || size == 0 || message.size() < size) return;
    settled_ = true;
    const TlsHello hello = read_hello(message.first(size));
    if (!hello.server_name.empty()) Facts(Flow::sent, events).name(model::NameClaim::QUIC_SNI, hello.server_name, 0);
}

}  // namespace

std::unique_ptr<Interpreter> interpret_datagrams() {
    return std::make_unique<QuicDatagrams>();
}

}  // namespace slowtrace::wire
