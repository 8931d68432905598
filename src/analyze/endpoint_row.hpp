// One endpoint's line while it is being added up.
#pragma once

#include <set>
#include <string>

#include "analyze/attempt_groups.hpp"
#include "analyze/distribution.hpp"
#include "analyze/overlap.hpp"
#include "analyze/report.hpp"

namespace slowtrace::analyze {

struct EndpointRow {
    EndpointLine line;
    AttemptGroup attempts;
    Distribution lookups, dns, connect, tls, first_byte, rtt;
    Overlap exchanges, transfers, timed;

    void attempted(const resolve::ConnectAttempt& attempt);
    void waited(CauseKind kind, std::int64_t ns);
    void at_address(const std::string& address);
    // A connection that ends carried so many requests here, and others to the hosts `siblings`.
    void carried(const resolve::Connection& connection, std::uint64_t requests, const std::set<std::string>& siblings);
    // What it tells about itself as a whole.
    void closed(const resolve::Connection& connection);
    EndpointLine finished() const;
};

}  // namespace slowtrace::analyze
