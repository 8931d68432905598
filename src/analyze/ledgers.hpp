// What was exchanged with each endpoint, and how long the program waited for it.
//
// A living connection has an account of its own until its peer's name is certain; what was noted there then goes to
// the endpoint it turned out to be with.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "analyze/connection_account.hpp"
#include "analyze/endpoint_row.hpp"
#include "analyze/peers.hpp"
#include "analyze/time_strip.hpp"

namespace slowtrace::analyze {

class EndpointLedger {
   public:
    // More distinct endpoints than this share one line.
    static constexpr std::size_t limit = 100'000;
    // After so many new intervals the older half of all is turned into sums (Overlap).
    static constexpr std::size_t intervals_limit = 1'000'000;
    static constexpr std::size_t strip_stretches = 60;

    void opened(const resolve::Connection& connection) { account(connection); }
    // Opened, and not yet closed. What never had a peer is neither: it goes by the name of the moment.
    bool is_open(const resolve::Connection& connection) const { return open_.contains(connection.id); }
    void phase(const resolve::Connection& connection, const resolve::PhaseStretch& stretch);
    void closed(const resolve::Connection& connection);
    void attempted(const resolve::ConnectAttempt& attempt);
    void waited(const resolve::Connection& connection, CauseKind kind, std::int64_t ns);
    void asked(const resolve::DnsExchange& exchange);
    // peers() will be asked for this one.
    void remember(const resolve::Connection& connection) { account(connection).remembered = true; }
    // After the last event, before anything below is asked: closes what nobody closed.
    void finish();

    const FinalPeers& peers() const { return peers_; }
    // Null when there is no such endpoint. DNS servers are apart: causes call them by the names asked for.
    const EndpointRow* find(const std::string& name, bool dns_server) const;
    std::vector<EndpointLine> finished() const;
    // Of all downloads together; empty when there were none.
    ConcurrencyStrip downloads() const;

   private:
    ConnectionAccount& account(const resolve::Connection& connection);
    EndpointRow& row(const std::string& name, const resolve::Endpoint& endpoint);
    EndpointRow& row(const resolve::Connection& connection, const resolve::Endpoint& peer);
    void pass_early(ConnectionAccount& account, EndpointRow& row);
    void pass(ConnectionAccount& account, EndpointRow& row, const Passage& passage);
    void continue_exchange(ConnectionAccount& account, EndpointRow& row, const Passage& passage);
    void downloaded(const OpenExchange& exchange, const Passage& passage);
    void end_exchange(ConnectionAccount& account);
    void limit_intervals();
    void close(ConnectionAccount& account, EndpointRow& row);

    std::map<std::pair<std::string, resolve::Transport>, EndpointRow> rows_;
    std::unordered_map<std::uint64_t, ConnectionAccount> open_;  // by Connection::id
    FinalPeers peers_;
    TimeStrip strip_;
    Overlap in_flight_;
    std::uint64_t downloaded_bytes_ = 0, timed_bytes_ = 0;
    bool downloads_exact_ = true;
    std::size_t new_intervals_ = 0;
};

}  // namespace slowtrace::analyze
