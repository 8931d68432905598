// SOCKS requests name the host the client means; credentials are passed over.
#include "wire/socks.hpp"

#include <arpa/inet.h>

#include <array>

#include "wire/host_name.hpp"
#include "wire/message_steps.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::uint8_t connect_command = 1;
constexpr std::size_t ipv4_size = 4, ipv6_size = 16;

std::string address_text(Octets address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(address.size() == ipv4_size ? AF_INET : AF_INET6, address.data(), text.data(), text.size());
    return text.data();
}

void claim(std::string_view host, std::uint64_t port, Facts& facts) {
    if (const auto name = checked_host_name(host))
        facts.name(model::NameClaim::SOCKS, *name, static_cast<std::uint32_t>(port));
}

constexpr std::size_t octet_at(Octets octets, std::size_t at) {
    return at < octets.size() ? octets[at] : 0;
}

// --- version 5: a greeting, perhaps credentials, the request

constexpr std::uint8_t version_5 = 5, no_credentials = 0, user_and_password = 2;
constexpr std::uint8_t ipv4_kind = 1, domain_kind = 3, ipv6_kind = 4;

class Socks5 : public MessageSteps {
   protected:
    Flow turn() const override { return steps[step_].turn; }
    std::size_t needed(Octets pending) const override { return steps[step_].needed(pending); }
    void read(Octets message, Facts& facts) override { (this->*steps[step_].read)(message, facts); }

   private:
    enum { greeting_step, method_step, credentials_step, verdict_step, request_step, reply_step, step_count };

    void greeting(Octets, Facts&) { step_ = method_step; }
    void method(Octets message, Facts&) {
        if (message[0] != version_5 || (message[1] != no_credentials && message[1] != user_and_password))
            return settle();
        step_ = message[1] == no_credentials ? request_step : credentials_step;
    }
    void credentials(Octets, Facts&) { step_ = verdict_step; }
    void verdict(Octets message, Facts&) {
        step_ = request_step;
        if (message[1] != 0) settle();
    }
    void request(Octets message, Facts& facts) {
        const std::size_t kind = message[3];
        const bool known = kind == ipv4_kind || kind == domain_kind || kind == ipv6_kind;
        if (message[0] != version_5 || message[1] != connect_command || !known) return settle();
        step_ = reply_step;
        OctetReader reader(message.subspan(4));
        const Octets host =
            kind == domain_kind ? reader.part(1) : reader.take(kind == ipv4_kind ? ipv4_size : ipv6_size);
        const std::uint64_t port = reader.number(2);
        claim(kind == domain_kind ? std::string(text_of(host)) : address_text(host), port, facts);
    }
    void reply(Octets message, Facts& facts) {
        if (message[0] != version_5) return settle();
        facts.proxy(message[1], message[1] == 0);
        message[1] == 0 ? open() : settle();
    }

    static std::size_t greeting_size(Octets pending) { return 2 + octet_at(pending, 1); }
    static std::size_t two_octets(Octets) { return 2; }
    static std::size_t credentials_size(Octets pending) {
        const std::size_t user = octet_at(pending, 1);
        return 3 + user + octet_at(pending, 2 + user);
    }
    static std::size_t address_size(Octets pending) {
        const std::size_t kind = octet_at(pending, 3);
        if (kind == ipv4_kind) return 10;
        if (kind == ipv6_kind) return 22;
        return 7 + (kind == domain_kind ? octet_at(pending, 4) : 0);
    }
    // Of a refusal the rest is not waited for.
    static std::size_t reply_size(Octets pending) { return octet_at(pending, 1) != 0 ? 2 : address_size(pending); }

    struct Step {
        Flow turn;
        std::size_t (*needed)(Octets pending);
        void (Socks5::*read)(Octets message, Facts& facts);
    };
    static const std::array<Step, step_count> steps;
    std::size_t step_ = greeting_step;
};

const std::array<Socks5::Step, Socks5::step_count> Socks5::steps{{{Flow::sent, greeting_size, &Socks5::greeting},
                                                                  {Flow::received, two_octets, &Socks5::method},
                                                                  {Flow::sent, credentials_size, &Socks5::credentials},
                                                                  {Flow::received, two_octets, &Socks5::verdict},
                                                                  {Flow::sent, address_size, &Socks5::request},
                                                                  {Flow::received, reply_size, &Socks5::reply}}};

// --- version 4: one request with the user's name, in 4a also the host's

constexpr std::uint8_t version_4 = 4, granted_4 = 90;
constexpr std::size_t fixed_4 = 8;  // version, command, port, address; the reply is as long

// An address nobody has, 0.0.0.x, announces a host name (4a).
bool names_host(Octets request) {
    return octet_at(request, 4) == 0 && octet_at(request, 5) == 0 && octet_at(request, 6) == 0 &&
           octet_at(request, 7) != 0;
}

// Up to and with the zero octet that ends a text; more than there are when it is missing.
std::size_t text_end(Octets octets, std::size_t from) {
    const auto begin = octets.begin() + static_cast<std::ptrdiff_t>(std::min(from, octets.size()));
    const auto end = std::find(begin, octets.end(), 0);
    return static_cast<std::size_t>(end - octets.begin()) + 1;
}

class Socks4 : public MessageSteps {
   protected:
    Flow turn() const override { return requested_ ? Flow::received : Flow::sent; }
    std::size_t needed(Octets pending) const override {
        if (requested_ || pending.size() < fixed_4) return fixed_4;
        const std::size_t user_end = text_end(pending, fixed_4);
        return user_end > pending.size() || !names_host(pending) ? user_end : text_end(pending, user_end);
    }
    void read(Octets message, Facts& facts) override { requested_ ? reply(message, facts) : request(message, facts); }

   private:
    void request(Octets message, Facts& facts) {
        requested_ = true;
        OctetReader reader(message.subspan(2));
        const std::uint64_t port = reader.number(2);
        const Octets address = reader.take(ipv4_size);
        const std::size_t user_end = text_end(message, fixed_4);
        const Octets host = message.subspan(user_end, names_host(message) ? message.size() - user_end - 1 : 0);
        claim(names_host(message) ? std::string(text_of(host)) : address_text(address), port, facts);
    }
    void reply(Octets message, Facts& facts) {
        constexpr std::uint8_t reply_version = 0, last_refusal = 93;
        if (message[0] != reply_version || message[1] < granted_4 || message[1] > last_refusal) return settle();
        facts.proxy(message[1], message[1] == granted_4);
        message[1] == granted_4 ? open() : settle();
    }
    bool requested_ = false;
};

}  // namespace

Match match_socks5(Octets opening) {
    if (opening[0] != version_5) return Match::no;
    if (opening.size() < 2) return Match::maybe;
    return opening[1] != 0 ? Match::yes : Match::no;
}

std::unique_ptr<Protocol> make_socks5() {
    return std::make_unique<Socks5>();
}

Match match_socks4(Octets opening) {
    if (opening[0] != version_4) return Match::no;
    if (opening.size() < fixed_4 + 1)
        return opening.size() > 1 && opening[1] != connect_command ? Match::no : Match::maybe;
    // The user's name is text: it keeps other protocols that begin alike apart.
    const Octets user = opening.subspan(fixed_4, text_end(opening, fixed_4) - fixed_4 - 1);
    const bool text = std::ranges::all_of(user, [](std::uint8_t octet) { return octet >= 0x20 && octet < 0x7f; });
    return opening[1] == connect_command && text ? Match::yes : Match::no;
}

std::unique_ptr<Protocol> make_socks4() {
    return std::make_unique<Socks4>();
}

}  // namespace slowtrace::wire
