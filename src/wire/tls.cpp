// TLS records are followed by their headers until the handshake is over; only the hellos are looked into.
//
// A record straddles transfers (OpenSSL reads five octets, then the rest) and transfers hold several. Where a header
// falls into octets that were not read, that direction is given up: nothing is guessed.
#include "wire/tls.hpp"

#include <algorithm>
#include <array>

#include "wire/tls_hello.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::size_t header_size = 5;
constexpr std::size_t max_record = 16'384 + 2'048;  // RFC 5246 §6.2.3
constexpr std::size_t max_hello_records = 16, max_records_told = 64;
// A look at the client's first flight, at the server's (its certificates too), and at what follows.
constexpr std::size_t sent_hello_look = 4'096, received_hello_look = 8'192, later_look = 1'024;
constexpr std::uint32_t change_cipher_spec = 20, handshake = 22, application_data = 23, heartbeat = 24;
constexpr std::uint32_t tls_1_3 = 0x0304;
// TLS 1.3: Finished travels as application_data, before it perhaps the client's certificate, after it the request.
constexpr int encrypted_records_told = 3;
// The server's, behind that Finished: session tickets, each as long as the others (RFC 8446 §4.6.1), and HTTP/2's
// settings, shorter than any answer's head. They are told until one is something else.
constexpr int records_before_answer = 6;
constexpr std::uint32_t settings_below = 100;

struct Side {
    std::array<std::uint8_t, header_size> header{};
    std::size_t header_read = 0;
    std::size_t body_left = 0;
    bool hello_next = true;              // the next handshake message is a hello
    std::vector<std::uint8_t> hello;     // what there is of it
    std::vector<model::TlsRecord> held;  // the records it travels in, told when it is whole
    bool ciphers_changed = false;
    int encrypted = 0;
    std::uint32_t ticket_length = 0;  // of the first record that may be one
    std::size_t told = 0;
    bool settled = false;
};

class Tls : public Protocol {
   public:
    std::size_t wanted(Flow flow) const override {
        const Side& side = sides_[index(flow)];
        if (side.settled) return 0;
        const std::size_t hello_look = flow == Flow::sent ? sent_hello_look : received_hello_look;
        return side.body_left + (side.hello_next ? hello_look : later_look);
    }
    std::size_t take(Flow flow, Octets octets, Facts& facts) override;
    void skip(Flow flow, std::uint64_t size, Facts& facts) override;
    bool settled() const override { return sides_[0].settled && sides_[1].settled; }

   private:
    static std::size_t index(Flow flow) { return static_cast<std::size_t>(flow); }
    void start_record(Flow flow, Facts& facts);
    void collect_hello(Flow flow, Octets body, Facts& facts);
    // What there is of the hello is all that will be.
    void end_hello(Flow flow, Facts& facts);
    void tell(Flow flow, model::TlsRecord record, Facts& facts);
    // The record just told may have been the last of the handshake that way.
    void settle(Flow flow, std::uint32_t type, std::uint32_t length);
    bool last_received(std::uint32_t type, std::uint32_t length);
    bool last_sent() const;

    std::array<Side, 2> sides_;
    std::uint32_t version_ = 0;  // chosen by the server; 0: not known
    bool http2_offered_ = false;
    bool finished_sent_ = false;  // under TLS 1.3
    std::string name_;            // claimed last
};

std::size_t Tls::take(Flow flow, Octets octets, Facts& facts) {
    const std::size_t size = octets.size();
    Side& side = sides_[index(flow)];
    while (!octets.empty() && !side.settled) {
        if (side.body_left == 0) {
            side.header[side.header_read++] = octets[0];
            octets = octets.subspan(1);
            if (side.header_read == header_size) start_record(flow, facts);
            continue;
        }
        const Octets body = octets.first(std::min(side.body_left, octets.size()));
        octets = octets.subspan(body.size());
        side.body_left -= body.size();
        if (!side.held.empty()) collect_hello(flow, body, facts);
    }
    return size;
}

void Tls::skip(Flow flow, std::uint64_t size, Facts& facts) {
    Side& side = sides_[index(flow)];
    if (side.settled || size == 0) return;
    end_hello(flow, facts);
    if (size > side.body_left) side.settled = true;
    side.body_left -= static_cast<std::size_t>(std::min<std::uint64_t>(size, side.body_left));
}

void Tls::start_record(Flow flow, Facts& facts) {
    Side& side = sides_[index(flow)];
    OctetReader reader(side.header);
    model::TlsRecord record;
    record.set_type(static_cast<std::uint32_t>(reader.number(1)));
    const bool version_sound = reader.number(1) == 3 && reader.number(1) <= 4;
    record.set_length(static_cast<std::uint32_t>(reader.number(2)));
    side.header_read = 0;
    if (record.type() < change_cipher_spec || record.type() > heartbeat || !version_sound ||
        record.length() > max_record) {
        end_hello(flow, facts);
        side.settled = true;
        return;
    }
    side.body_left = record.length();
    if (record.type() == handshake && side.hello_next) {
        side.held.push_back(std::move(record));
        if (side.held.size() > max_hello_records) end_hello(flow, facts);
        return;
    }
    end_hello(flow, facts);
    tell(flow, std::move(record), facts);
}

void Tls::collect_hello(Flow flow, Octets body, Facts& facts) {
    Side& side = sides_[index(flow)];
    side.hello.insert(side.hello.end(), body.begin(), body.end());
    const std::size_t size = handshake_size(side.hello);
    const bool expected = side.hello[0] == (flow == Flow::sent ? client_hello : server_hello);
    if (size > max_hello) side.hello.resize(1);  // what there is of it depends on the transfer
    if (!expected || size > max_hello || (size > 0 && side.hello.size() >= size)) end_hello(flow, facts);
}

void Tls::end_hello(Flow flow, Facts& facts) {
    Side& side = sides_[index(flow)];
    if (side.held.empty()) return;
    side.hello_next = false;
    TlsHello hello;
    if (!side.hello.empty() && side.hello[0] == (flow == Flow::sent ? client_hello : server_hello)) {
        const std::size_t size = handshake_size(side.hello);
        hello = read_hello(Octets(side.hello).first(std::min(size == 0 ? 1 : size, side.hello.size())));
        side.held[0].set_handshake_type(side.hello[0]);
        side.held[0].set_version(hello.version);
        for (const std::string& protocol : hello.protocols) side.held[0].add_protocols(protocol);
    }
    if (flow == Flow::sent)
        http2_offered_ = std::find(hello.protocols.begin(), hello.protocols.end(), "h2") != hello.protocols.end();
    if (flow == Flow::received && hello.version != 0) version_ = hello.version;
    if (hello.retry)
        for (Side& again : sides_) again.hello_next = true;
    for (model::TlsRecord& record : std::exchange(side.held, {})) tell(flow, std::move(record), facts);
    std::exchange(side.hello, {});
    if (hello.server_name.empty() || hello.server_name == name_) return;
    name_ = hello.server_name;
    facts.name(model::NameClaim::TLS_SNI, name_, 0);
}

void Tls::tell(Flow flow, model::TlsRecord record, Facts& facts) {
    const std::uint32_t type = record.type(), length = record.length();
    facts.tls(std::move(record));
    settle(flow, type, length);
}

void Tls::settle(Flow flow, std::uint32_t type, std::uint32_t length) {
    Side& side = sides_[index(flow)];
    if (++side.told >= max_records_told) side.settled = true;
    // What the server encrypts before the client's Finished is its own part of the handshake.
    if (type == application_data && (flow == Flow::sent || finished_sent_)) ++side.encrypted;
    if (type == application_data && flow == Flow::sent && version_ == tls_1_3) finished_sent_ = true;
    if (flow == Flow::sent ? last_sent() : last_received(type, length)) side.settled = true;
    if (type == change_cipher_spec) side.ciphers_changed = true;
}

bool Tls::last_sent() const {
    const bool old_version = version_ != 0 && version_ < tls_1_3;
    return sides_[index(Flow::sent)].encrypted >= (old_version ? 1 : encrypted_records_told);
}

bool Tls::last_received(std::uint32_t type, std::uint32_t length) {
    Side& side = sides_[index(Flow::received)];
    if (version_ != tls_1_3)
        return type == application_data || (type == handshake && side.ciphers_changed && !side.hello_next);
    if (type != application_data || !finished_sent_ || (http2_offered_ && length < settings_below))
        return side.encrypted >= records_before_answer;
    if (side.ticket_length == 0) side.ticket_length = length;
    return length != side.ticket_length || side.encrypted >= records_before_answer;
}

}  // namespace

Match match_tls(Octets opening) {
    constexpr std::size_t message_type = header_size;
    if (opening.size() > 0 && opening[0] != handshake) return Match::no;
    if (opening.size() > 1 && opening[1] != 3) return Match::no;
    if (opening.size() > 2 && opening[2] > 4) return Match::no;
    if (opening.size() <= message_type) return Match::maybe;
    return opening[message_type] == client_hello ? Match::yes : Match::no;
}

std::unique_ptr<Protocol> make_tls() {
    return std::make_unique<Tls>();
}

}  // namespace slowtrace::wire
