// DNS messages. Only lookups are facts here (opcode QUERY): their questions and the addresses and aliases
// answered. Authority and additional records, EDNS's OPT among them, say nothing about names and are not read.
#include "slowtrace/dns.hpp"

#include <algorithm>

#include "wire/dns_name.hpp"

namespace slowtrace::wire {
namespace {

using Octets = std::span<const std::uint8_t>;

constexpr std::size_t header_size = 12;
constexpr std::size_t max_message = 65'535;
constexpr std::size_t least_question = 5, least_record = 11;
constexpr int max_questions = 64, max_answers = 256;  // kept; more says nothing new

constexpr std::uint32_t type_a = 1, type_cname = 5, type_aaaa = 28;
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

// The data of one record: from `offset` to `end`, both inside the message.
Parsed read_data(Octets message, std::size_t offset, std::size_t end, model::DnsMessage::Answer& answer) {
    if (answer.type() == type_cname) {
        const Parsed parsed = read_name(message.first(end), offset, *answer.mutable_target());
        return parsed == Parsed::whole && offset == end ? Parsed::whole : Parsed::malformed;
    }
    if (end - offset != (answer.type() == type_a ? 4U : 16U)) return Parsed::malformed;
    answer.set_ip(message.data() + offset, end - offset);
    return Parsed::whole;
}

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
    if (record_class != class_internet || (type != type_a && type != type_aaaa && type != type_cname))
        return Parsed::whole;
    answer.set_type(type);
    const Parsed parsed = read_data(message, start, offset, answer);
    if (parsed == Parsed::whole && facts.answers_size() < max_answers) *facts.add_answers() = std::move(answer);
    return parsed;
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

std::vector<model::DnsMessage> DnsStream::feed(std::span<const std::uint8_t> octets) {
    constexpr std::size_t prefix = 2;
    std::vector<model::DnsMessage> messages;
    while (!octets.empty()) {
        const std::size_t wanted = pending_.size() < prefix ? prefix : prefix + get_u16(pending_, 0);
        const std::size_t taken = std::min(wanted - pending_.size(), octets.size());
        pending_.insert(pending_.end(), octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(taken));
        octets = octets.subspan(taken);
        if (pending_.size() < prefix || pending_.size() < prefix + get_u16(pending_, 0)) continue;
        if (auto message = parse_dns(Octets(pending_).subspan(prefix))) messages.push_back(std::move(*message));
        pending_.clear();
    }
    return messages;
}

}  // namespace slowtrace::wire
