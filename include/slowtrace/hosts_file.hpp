// /etc/hosts as text → facts (hosts(5)).
#pragma once

#include <string_view>

#include "model/trace.pb.h"

namespace slowtrace::wire {

// The entries of a hosts file; lines that do not parse are skipped, at most 10,000 entries are kept.
model::HostsFile parse_hosts(std::string_view text);

}  // namespace slowtrace::wire
