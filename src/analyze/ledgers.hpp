// What was exchanged with each endpoint, and how long the program waited for it.
#pragma once

#include <map>
#include <string>

#include "analyze/attempt_groups.hpp"
#include "analyze/cause_table.hpp"
#include "analyze/distribution.hpp"

namespace slowtrace::analyze {

class EndpointLedger {
   public:
    // More distinct endpoints than this share one line.
    static constexpr std::size_t limit = 100'000;

    void opened(const resolve::Connection& connection);
    void closed(const resolve::Connection& connection);
    void attempted(const resolve::ConnectAttempt& attempt);
    void waited(const resolve::Connection& connection, CauseKind kind, std::int64_t ns);
    void asked(const resolve::DnsExchange& exchange);

    // Connect attempts per endpoint, by the subject its causes have.
    std::map<std::string, Attempts> attempts() const;
    std::vector<EndpointLine> finished() const;

   private:
    struct Row {
        EndpointLine line;
        AttemptGroup attempts;
        Distribution lookups;
    };
    Row& row(const resolve::Connection& connection);
    Row& row(const std::string& name, const resolve::Endpoint& endpoint);

    std::map<std::pair<resolve::Transport, std::string>, Row> rows_;
};

}  // namespace slowtrace::analyze
