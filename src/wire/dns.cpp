// DNS messages. Only lookups are facts here (opcode QUERY): their questions and the addresses, aliases
// and services answered. Authority and additional records, EDNS's OPT among them, say nothing about names and are not
// read.
#include "slowtrace/dns.hpp"

#include <algorithm>
#include <array>

#include "wire/dns_name.hpp"
#include "wire/dns_service.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::size_t header_size = 12;
constexpr std::size_t max_message = 65'535;
constexpr std::size_t least_question = 5, least_record = 11;
constexpr int max_questions = 64, max_answers = 256;  // kept; more says nothing new

constexpr std::uint32_t type_a = 1, type_cname = 5, type_aaaa = 28, type_srv = 33, type_svcb = 64, type_https = 65;
constexpr std::uint32_t class_internet = 1;

std::uint32_t get_u16(Octets message, std::size_t offset) {
    return std::uint32_t{message[offset]} << 8 | message[offset + 1];
}

struct Counts {
    std::uint32_t questions, answers, authorities, additionals;
};

// Whether these counts can be those of a lookup at all, however much of it was read.
bool plausible(const Counts& counts, const model::DnsMessage& facts) {
    const std::size_t records = std::size_t{counts.answers} + counts.authorities + counts.additionals;
    if (counts.questions * least_question + records * least_record > max_message - header_size) return false;
    if (!facts.response()) return counts.questions > 0 && counts.answers == 0 && counts.authorities == 0;
    return counts.questions > 0 || counts.answers > 0 || facts.response_code() != 0;
}

bool read_header(Octets message, model::DnsMessage& facts, Counts& counts) {
    if (message.size() < header_size) return false;
    const std::uint32_t flags = get_u16(message, 2);
    constexpr std::uint32_t opcode = 0x7800, truncated = 0x0200, response = 0x8000, response_code = 0x000f;
    if ((flags & opcode) != 0) return false;
    facts.set_id(get_u16(message, 0));
    facts.set_response((flags & response) != 0);
    facts.set_truncated((flags & truncated) != 0);
    facts.set_response_code(flags & response_code);
    counts = {get_u16(message, 4), get_u16(message, 6), get_u16(message, 8), get_u16(message, 10)};
    return plausible(counts, facts);
}

Parsed read_question(Octets message, std::size_t& offset, model::DnsMessage& facts) {
    std::string name;
    const Parsed parsed = read_name(message, offset, name);
    if (parsed != Parsed::whole) return parsed;
    if (message.size() - offset < 4) return Parsed::cut;
    const std::uint32_t type = get_u16(message, offset);
    offset += 4;
    if (facts.questions_size() >= max_questions) return Parsed::whole;
    model::DnsMessage::Question* question = facts.add_questions();
    question->set_name(std::move(name));
    question->set_type(type);
    return Parsed::whole;
}

// One record's data, where its name and type are in `answer` already.
struct Data {
    Octets message;
    std::size_t offset, end;  // both inside the message
    model::DnsMessage::Answer answer;
};

// Nothing beyond what is worth keeping.
void keep(model::DnsMessage::Answer answer, model::DnsMessage& facts) {
    if (facts.answers_size() < max_answers) *facts.add_answers() = std::move(answer);
}

Parsed read_address(Data& data, model::DnsMessage& facts) {
    const std::size_t size = data.end - data.offset;
    if (size != (data.answer.type() == type_a ? 4U : 16U)) return Parsed::malformed;
    data.answer.set_ip(data.message.data() + data.offset, size);
    keep(std::move(data.answer), facts);
    return Parsed::whole;
}

// A name that fills the data to its end.
Parsed read_target(Data& data, model::DnsMessage& facts) {
    const Parsed parsed = read_name(data.message.first(data.end), data.offset, *data.answer.mutable_target());
    if (parsed != Parsed::whole || data.offset != data.end) return Parsed::malformed;
    keep(std::move(data.answer), facts);
    return Parsed::whole;
}

// RFC 2782: priority, weight, port, target.
Parsed read_service_location(Data& data, model::DnsMessage& facts) {
    constexpr std::size_t fixed = 6;
    if (data.end - data.offset < fixed) return Parsed::malformed;
    data.answer.set_port(get_u16(data.message, data.offset + 4));
    data.offset += fixed;
    return read_target(data, facts);
}

Parsed read_service_binding(Data& data, model::DnsMessage& facts) {
    return read_binding(data.message.first(data.end), data.offset, data.answer,
                        [&](const model::DnsMessage::Answer& answer) { keep(answer, facts); });
}

struct RecordType {
    std::uint32_t type;
    Parsed (*read)(Data& data, model::DnsMessage& facts);
};
constexpr std::array<RecordType, 6> record_types{{{type_a, read_address},
                                                  {type_cname, read_target},
                                                  {type_aaaa, read_address},
                                                  {type_srv, read_service_location},
                                                  {type_svcb, read_service_binding},
                                                  {type_https, read_service_binding}}};

Parsed read_answer(Octets message, std::size_t& offset, model::DnsMessage& facts) {
    model::DnsMessage::Answer answer;
    const Parsed named = read_name(message, offset, *answer.mutable_name());
    if (named != Parsed::whole) return named;
    constexpr std::size_t fixed = 10;  // type, class, TTL, length
    if (message.size() - offset < fixed) return Parsed::cut;
    const std::uint32_t type = get_u16(message, offset), record_class = get_u16(message, offset + 2);
    const std::size_t length = get_u16(message, offset + 8);
    offset += fixed;
    if (message.size() - offset < length) return Parsed::cut;
    const std::size_t start = offset;
    offset += length;
    const auto known = std::ranges::find(record_types, type, &RecordType::type);
    if (record_class != class_internet || known == record_types.end()) return Parsed::whole;
    answer.set_type(type);
    Data data{message, start, offset, std::move(answer)};
    return known->read(data, facts);
}

Parsed read_sections(Octets message, const Counts& counts, model::DnsMessage& facts) {
    std::size_t offset = header_size;
    Parsed parsed = Parsed::whole;
    for (std::uint32_t i = 0; i < counts.questions && parsed == Parsed::whole; ++i)
        parsed = read_question(message, offset, facts);
    for (std::uint32_t i = 0; i < counts.answers && parsed == Parsed::whole; ++i)
        parsed = read_answer(message, offset, facts);
    return parsed;
}

}  // namespace

std::optional<model::DnsMessage> parse_dns(std::span<const std::uint8_t> message) {
    model::DnsMessage facts;
    Counts counts{};
    if (!read_header(message.first(std::min(message.size(), max_message)), facts, counts)) return std::nullopt;
    const Parsed parsed = read_sections(message.first(std::min(message.size(), max_message)), counts, facts);
    if (parsed == Parsed::malformed) return std::nullopt;
    // Cut before anything was said: a dozen octets are too little to call it DNS.
    if (parsed == Parsed::cut && facts.questions_size() == 0 && facts.answers_size() == 0) return std::nullopt;
    return facts;
}

}  // namespace slowtrace::wire
