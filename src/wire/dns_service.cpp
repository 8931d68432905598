// A priority, the target's name, and parameters of which the port and the address hints are read.
#include "wire/dns_service.hpp"

namespace slowtrace::wire {
namespace {

// SvcParamKeys (RFC 9460 §14.3.2).
constexpr std::uint64_t port_key = 3, ipv4_hint_key = 4, ipv6_hint_key = 6;
constexpr std::size_t ipv4_size = 4, ipv6_size = 16;

struct Parameters {
    std::uint32_t port = 0;
    Octets ipv4_hints, ipv6_hints;
};

bool read_parameters(Octets data, Parameters& parameters) {
    OctetReader reader(data);
    while (!reader.empty()) {
        const std::uint64_t key = reader.number(2);
        const Octets value = reader.part(2);
        if (reader.cut()) return false;
        if (key == port_key) {
            if (value.size() != 2) return false;
            parameters.port = static_cast<std::uint32_t>(OctetReader(value).number(2));
        }
        if (key == ipv4_hint_key) parameters.ipv4_hints = value;
        if (key == ipv6_hint_key) parameters.ipv6_hints = value;
    }
    return parameters.ipv4_hints.size() % ipv4_size == 0 && parameters.ipv6_hints.size() % ipv6_size == 0;
}

}  // namespace

Parsed read_binding(Octets message, std::size_t offset, model::DnsMessage::Answer answer,
                    const std::function<void(const model::DnsMessage::Answer&)>& keep) {
    OctetReader fixed(message.subspan(offset));
    const bool alias = fixed.number(2) == 0;
    if (fixed.cut()) return Parsed::malformed;
    offset += 2;
    if (read_name(message, offset, *answer.mutable_target()) != Parsed::whole) return Parsed::malformed;
    Parameters parameters;
    if (!read_parameters(message.subspan(offset), parameters)) return Parsed::malformed;
    // The root stands for the record's own name; of an alias it says that there is none (RFC 9460 §2.5).
    if (answer.target() == "." && alias) return Parsed::whole;
    if (answer.target() == ".") answer.set_target(answer.name());
    if (!alias) answer.set_port(parameters.port);
    if (alias || (parameters.ipv4_hints.empty() && parameters.ipv6_hints.empty())) {
        keep(answer);
        return Parsed::whole;
    }
    const auto each = [&](Octets hints, std::size_t size) {
        for (; !hints.empty(); hints = hints.subspan(size)) {
            answer.set_ip(hints.data(), size);
            keep(answer);
        }
    };
    each(parameters.ipv4_hints, ipv4_size);
    each(parameters.ipv6_hints, ipv6_size);
    return Parsed::whole;
}

}  // namespace slowtrace::wire
