// One endpoint's line while it is being added up.
#pragma once

#include "analyze/attempt_groups.hpp"
#include "analyze/distribution.hpp"
#include "analyze/overlap.hpp"
#include "analyze/report.hpp"

namespace slowtrace::analyze {

struct EndpointRow {
    EndpointLine line;
    AttemptGroup attempts;
    Distribution lookups, dns, connect, tls, first_byte, rtt;
    Overlap exchanges, transfers;

    void attempted(const resolve::ConnectAttempt& attempt);
    void waited(CauseKind kind, std::int64_t ns);
    // What a connection that ends tells about itself, its traffic apart.
    void closed(const resolve::Connection& connection);
    EndpointLine finished() const;
};

}  // namespace slowtrace::analyze
