// What a DNS response says: which addresses belong to which host.
#pragma once

#include <string>
#include <vector>

#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

// DNS names are equal whatever their case (RFC 4343).
bool same_name(const std::string& one, const std::string& other);
std::string lower_name(std::string name);

struct Resolution {
    // The host is the question's name, as that is what the program wanted; behind SRV records (RFC 2782) it is the
    // target, which offers the service asked for. HTTPS and SVCB (RFC 9460) lead to the question's host whatever
    // their target, without the labels that stand for scheme and port.
    struct Located {
        std::string address, host;
    };
    std::vector<Located> located;  // in the order of the answers
    std::string canonical_name;    // the end of the CNAME chain, empty when it is the question's name
    std::vector<std::string> addresses() const;
};

// What a response says about its first question's name.
Resolution follow_answers(const model::DnsMessage& response);

}  // namespace slowtrace::resolve
