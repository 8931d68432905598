// What to tell the sink once the call that brought it about has been told.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

class Notices {
   public:
    // `outcome` may change until it is told; null: it is the attempt's.
    void attempt(ConnectAttempt attempt, std::shared_ptr<const Connection> connection,
                 std::shared_ptr<const AttemptOutcome> outcome = nullptr) {
        attempt.connection = connection.get();
        pending_.push_back([attempt, kept = std::move(connection), outcome = std::move(outcome)](ResolvedSink& to) {
            ConnectAttempt told = attempt;
            if (outcome != nullptr) told.outcome = *outcome;
            to.connect_attempt(told);
        });
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

    // Notices may be held back: those since size() was so much.
    using Batch = std::vector<std::function<void(ResolvedSink&)>>;
    std::size_t size() const { return pending_.size(); }
    Batch take_from(std::size_t first) {
        if (first > pending_.size()) return {};
        const auto begin = pending_.begin() + static_cast<std::ptrdiff_t>(first);
        Batch batch(std::make_move_iterator(begin), std::make_move_iterator(pending_.end()));
        pending_.erase(begin, pending_.end());
        return batch;
    }
    void put_back(Batch batch) {
        pending_.insert(pending_.end(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
    }

    void flush(ResolvedSink& sink) {
        if (pending_.empty()) return;
        for (const auto& notice : pending_) notice(sink);
        pending_.clear();
    }

   private:
    Batch pending_;
};

}  // namespace slowtrace::resolve
