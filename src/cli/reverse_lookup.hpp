// Names of addresses by reverse lookup (PTR): the only DNS questions slowtrace asks itself, for --resolve.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace slowtrace::cli {

// Asks for all `addresses` (4 or 16 octets each, network order) in parallel and returns address → name for
// those answered with a valid host name before `limit` has passed. No failure is worth more than a missing
// name, so nothing is thrown. `servers` ("127.0.0.1:53,…") replaces those of resolv.conf when not empty.
std::map<std::string, std::string> reverse_lookup(const std::vector<std::string>& addresses,
                                                  std::chrono::milliseconds limit,
                                                  const std::string& servers = {}) noexcept;

}  // namespace slowtrace::cli
