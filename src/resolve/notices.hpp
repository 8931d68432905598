// What to tell the sink once the call that brought it about has been told.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

class Notices {
   public:
    void attempt(ConnectAttempt attempt, std::shared_ptr<const Connection> connection) {
        attempt.connection = connection.get();
        pending_.push_back([attempt, kept = std::move(connection)](ResolvedSink& to) { to.connect_attempt(attempt); });
    }
    void phase(std::shared_ptr<const Connection> connection, PhaseStretch stretch) {
        pending_.push_back(
            [kept = std::move(connection), told = std::move(stretch)](ResolvedSink& to) { to.phase(*kept, told); });
    }
    void closed(std::shared_ptr<const Connection> connection, std::int64_t time_ns) {
        pending_.push_back(
            [kept = std::move(connection), time_ns](ResolvedSink& to) { to.connection_closed(*kept, time_ns); });
    }
    void exchange(DnsExchange exchange) {
        pending_.push_back([kept = std::move(exchange)](ResolvedSink& to) { to.dns_exchange(kept); });
    }

    void flush(ResolvedSink& sink) {
        if (pending_.empty()) return;
        for (const auto& notice : pending_) notice(sink);
        pending_.clear();
    }

   private:
    std::vector<std::function<void(ResolvedSink&)>> pending_;
};

}  // namespace slowtrace::resolve
