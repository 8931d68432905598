// Local services that answer for DNS: systemd-resolved and nscd, by the socket they listen on or what they were asked.
#pragma once

#include <string>

#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

// The service that has this socket for nothing else; empty for any other endpoint. The system bus is none: most of
// what passes there is not about names.
std::string name_service_at(const Endpoint& endpoint);
// Empty for DNS itself.
std::string name_service_of(model::DnsMessage::Carrier carrier);

}  // namespace slowtrace::resolve
