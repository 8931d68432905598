// Lookups as DNS messages.
#include "wire/lookups.hpp"

#include <sys/socket.h>

#include "wire/host_name.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::uint32_t type_a = 1, type_cname = 5, type_aaaa = 28;
constexpr std::size_t ipv4_size = 4, ipv6_size = 16;
constexpr int max_answers = 256;

model::DnsMessage& add_message(const Lookup& lookup, model::DnsMessage::Carrier carrier,
                               std::vector<model::Event>& facts) {
    model::DnsMessage& message = *facts.emplace_back().mutable_dns();
    message.set_id(lookup.id);
    message.set_carrier(carrier);
    model::DnsMessage::Question& question = *message.add_questions();
    question.set_name(lookup.name);
    question.set_type(lookup.type);
    return message;
}

}  // namespace

std::uint32_t record_type(std::int64_t family) {
    if (family == AF_INET) return type_a;
    return family == AF_INET6 ? type_aaaa : 0;
}

void tell_question(const Lookup& lookup, model::DnsMessage::Carrier carrier, std::vector<model::Event>& facts) {
    if (!lookup.name.empty()) add_message(lookup, carrier, facts);
}

void tell_answer(const Lookup& lookup, const LookupAnswer& answer, model::DnsMessage::Carrier carrier,
                 std::vector<model::Event>& facts) {
    if (lookup.name.empty()) return;
    model::DnsMessage& message = add_message(lookup, carrier, facts);
    message.set_response(true);
    message.set_response_code(answer.code);
    const std::string owner = checked_host_name(answer.canonical_name).value_or(lookup.name);
    if (owner != lookup.name) {
        model::DnsMessage::Answer& alias = *message.add_answers();
        alias.set_name(lookup.name);
        alias.set_type(type_cname);
        alias.set_target(owner);
    }
    for (const std::string& address : answer.addresses) {
        if (address.size() != ipv4_size && address.size() != ipv6_size) continue;
        if (message.answers_size() >= max_answers) break;
        model::DnsMessage::Answer& record = *message.add_answers();
        record.set_name(owner);
        record.set_type(address.size() == ipv4_size ? type_a : type_aaaa);
        record.set_ip(address);
    }
}

}  // namespace slowtrace::wire
