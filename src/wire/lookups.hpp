// Lookups of host names through a name service, as the DNS messages that ask and answer the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/trace.pb.h"
#include "wire/octets.hpp"

namespace slowtrace::wire {

// RFC 1035 §4.1.1.
inline constexpr std::uint32_t no_error = 0, server_failure = 2, no_such_name = 3, refused = 5;

struct Lookup {
    std::string name;        // checked; empty: a request that is no lookup, or for no sound name
    std::uint32_t id = 0;    // told with question and answer alike
    std::uint32_t type = 0;  // A, AAAA; 0: any
};

// The record type of an address family, AF_INET or AF_INET6; 0 for any other.
std::uint32_t record_type(std::int64_t family);

struct LookupAnswer {
    std::uint32_t code = no_error;
    std::string canonical_name;          // as it came; told where it is sound and another than the one asked
    std::vector<std::string> addresses;  // of 4 or 16 octets; others are left out
};

void tell_question(const Lookup& lookup, model::DnsMessage::Carrier carrier, std::vector<model::Event>& facts);
void tell_answer(const Lookup& lookup, const LookupAnswer& answer, model::DnsMessage::Carrier carrier,
                 std::vector<model::Event>& facts);

}  // namespace slowtrace::wire
