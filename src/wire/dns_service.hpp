// Service bindings in DNS: SVCB and HTTPS records (RFC 9460).
#pragma once

#include <functional>

#include "model/trace.pb.h"
#include "wire/dns_name.hpp"
#include "wire/octets.hpp"

namespace slowtrace::wire {

// Reads the data of one record, from `offset` to the message's end. Gives `keep` one answer for each address hint, or
// a single one without: `answer` with target, port and address filled in.
Parsed read_binding(Octets message, std::size_t offset, model::DnsMessage::Answer answer,
                    const std::function<void(const model::DnsMessage::Answer&)>& keep);

}  // namespace slowtrace::wire
