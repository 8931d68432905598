// One connection is one request: a header and a key, then a header and what it announces. Numbers are 32 bits in the
// machine's own order.
//
// Clients ask first for a descriptor of the shared cache (GETFDHST); found there, a name never passes the socket.
#include "wire/nscd.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <limits>

#include "wire/host_name.hpp"
#include "wire/lookups.hpp"
#include "wire/message_interpreter.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::int32_t interface_version = 2;
constexpr std::int32_t get_host_by_name = 4, get_host_by_name_v6 = 5, get_address_info = 14;
constexpr std::size_t number_size = 4, request_header_size = 3 * number_size;
constexpr std::size_t host_header_size = 8 * number_size, address_info_header_size = 6 * number_size;
constexpr std::size_t max_key = 1'024;  // MAXKEYLEN
constexpr std::size_t ipv4_size = 4, ipv6_size = 16;

// The number at that place of a header.
std::int32_t number(Octets octets, std::size_t place) {
    std::int32_t value = 0;
    std::memcpy(&value, octets.data() + place * number_size, number_size);
    return value;
}

// A length a header states: negative ones, and more than a reply could be, are as good as endless.
std::size_t length(Octets octets, std::size_t place) {
    constexpr std::int32_t most = 1 << 20;
    const std::int32_t stated = number(octets, place);
    return stated < 0 || stated > most ? most : static_cast<std::size_t>(stated);
}

std::uint32_t response_code(std::int32_t resolver_error) {
    struct Known {
        std::int32_t error;
        std::uint32_t code;
    };
    constexpr std::array<Known, 2> known{{{HOST_NOT_FOUND, no_such_name}, {NO_DATA, no_error}}};
    const auto found = std::ranges::find(known, resolver_error, &Known::error);
    return found == known.end() ? server_failure : found->code;
}

std::string without_terminator(Octets text) {
    std::string_view view = text_of(text);
    return std::string(view.substr(0, view.find('\0')));
}

void split_addresses(Octets octets, std::size_t size, LookupAnswer& answer) {
    for (; octets.size() >= size; octets = octets.subspan(size))
        answer.addresses.emplace_back(text_of(octets.first(size)));
}

// What a reply's header says of it: version, found, …; found is 1, 0, or -1 where the daemon does not serve hosts.
struct ReplyKind {
    std::size_t header_size;
    std::size_t error_place;
    // The octets behind the header, and reading them.
    std::size_t (*data_size)(Octets header, std::uint32_t type);
    void (*read)(Octets header, Octets data, std::uint32_t type, LookupAnswer& answer);
};

// Name, aliases' lengths, addresses. An IPv6 question answered by IPv4 addresses has them in both forms.
std::size_t host_data_size(Octets header, std::uint32_t type) {
    const std::size_t addresses = length(header, 6);
    std::size_t each = ipv4_size;
    if (type == record_type(AF_INET6)) each = length(header, 5) == ipv4_size ? ipv4_size + ipv6_size : ipv6_size;
    return length(header, 2) + length(header, 3) * number_size + addresses * each;
}
void read_host(Octets header, Octets data, std::uint32_t type, LookupAnswer& answer) {
    OctetReader reader(data);
    answer.canonical_name = without_terminator(reader.take(length(header, 2)));
    reader.take(length(header, 3) * number_size);
    const bool mapped = type == record_type(AF_INET6) && length(header, 5) == ipv4_size;
    if (mapped) reader.take(length(header, 6) * ipv4_size);
    split_addresses(reader.rest(), type == record_type(AF_INET6) ? ipv6_size : ipv4_size, answer);
}

// Addresses one behind the other, the family of each in an octet, the canonical name.
std::size_t address_info_data_size(Octets header, std::uint32_t) {
    return length(header, 2) + length(header, 3) + length(header, 4);
}
void read_address_info(Octets header, Octets data, std::uint32_t, LookupAnswer& answer) {
    OctetReader reader(data);
    OctetReader addresses(reader.take(length(header, 3)));
    for (const std::uint8_t family : reader.take(length(header, 2)))
        answer.addresses.emplace_back(text_of(addresses.take(family == AF_INET ? ipv4_size : ipv6_size)));
    answer.canonical_name = without_terminator(reader.rest());
}

constexpr ReplyKind host_reply{host_header_size, 7, host_data_size, read_host};
constexpr ReplyKind address_info_reply{address_info_header_size, 5, address_info_data_size, read_address_info};

struct RequestKind {
    std::int32_t type;
    std::int32_t family;
    const ReplyKind* reply;
};
constexpr std::array<RequestKind, 3> requests{{{get_host_by_name, AF_INET, &host_reply},
                                               {get_host_by_name_v6, AF_INET6, &host_reply},
                                               {get_address_info, AF_UNSPEC, &address_info_reply}}};

class Nscd : public MessageInterpreter {
   protected:
    std::size_t needed(Flow flow, Octets pending) const override {
        if (flow == Flow::sent)
            return request_header_size + (pending.size() < request_header_size ? 0 : length(pending, 2));
        if (!reply_) return 1;
        if (pending.size() < reply_->header_size) return reply_->header_size;
        return reply_->header_size + (number(pending, 1) == 1 ? reply_->data_size(pending, lookup_.type) : 0);
    }
    void read(Flow flow, Octets message, std::vector<model::Event>& facts) override {
        flow == Flow::sent ? read_request(message, facts) : read_reply(message, facts);
    }

   private:
    void read_request(Octets message, std::vector<model::Event>& facts) {
        const auto kind = std::ranges::find(requests, number(message, 1), &RequestKind::type);
        const Octets key = message.subspan(request_header_size);
        if (reply_ || number(message, 0) != interface_version || kind == requests.end() || key.size() > max_key)
            return settle();
        lookup_.name = checked_host_name(without_terminator(key)).value_or("");
        lookup_.type = record_type(kind->family);
        if (lookup_.name.empty()) return settle();
        reply_ = kind->reply;
        tell_question(lookup_, model::DnsMessage::NSCD, facts);
    }
    void read_reply(Octets message, std::vector<model::Event>& facts) {
        settle();
        if (!reply_ || number(message, 0) != interface_version) return;
        const std::int32_t found = number(message, 1);
        LookupAnswer answer;
        if (found == 1)
            reply_->read(message, message.subspan(reply_->header_size), lookup_.type, answer);
        else
            answer.code = found == 0 ? response_code(number(message, reply_->error_place)) : refused;
        tell_answer(lookup_, answer, model::DnsMessage::NSCD, facts);
    }
    const ReplyKind* reply_ = nullptr;  // to the request that was made
    Lookup lookup_;
};

}  // namespace

std::unique_ptr<Interpreter> interpret_nscd() {
    return std::make_unique<Nscd>();
}

}  // namespace slowtrace::wire
