// Counter numbers: two an endpoint, behind the fixed ones.
#include "render/json_endpoint_counters.hpp"

#include <algorithm>

#include "analyze/connection_account.hpp"

namespace slowtrace::render {
namespace {

using resolve::Phase;

std::uint32_t in_flight_counter(std::size_t endpoint) {
    return static_cast<std::uint32_t>(JsonCounter::count) + 2 * static_cast<std::uint32_t>(endpoint);
}
std::uint32_t rate_counter(std::size_t endpoint) {
    return in_flight_counter(endpoint) + 1;
}

// Bytes a second of an answer; 0 where it took too short to say, or no viewer could count so far.
std::int64_t rate_of(const resolve::PhaseStretch& stretch) {
    const std::int64_t ns = nanoseconds_between(stretch.from_ns, stretch.to_ns);
    if (!analyze::is_timed(ns, stretch.bytes_received)) return 0;
    const double rate = static_cast<double>(stretch.bytes_received) * 1e9 / static_cast<double>(ns);
    return rate < static_cast<double>(largest_exact_integer) ? static_cast<std::int64_t>(rate) : 0;
}

}  // namespace

void JsonEndpointCounters::add(Exchange& exchange, const std::string& endpoint, const resolve::PhaseStretch& stretch,
                               bool exact) {
    const bool exchanges =
        stretch.phase == Phase::request || stretch.phase == Phase::first_byte || stretch.phase == Phase::transfer;
    if (!exchanges || stretch.exchange == 0) return;
    if (exchange.number != stretch.exchange) {
        end(exchange);
        auto known = known_.find(endpoint);
        if (known == known_.end()) {
            if (endpoints_.size() >= most_endpoints) return;
            known = known_.emplace(endpoint, endpoints_.size()).first;
            endpoints_.push_back({endpoint, 0, 0, true});
        }
        exchange = {stretch.exchange, known->second, stretch.from_ns, stretch.from_ns};
        ++endpoints_[known->second].requests;
        if (!exact) endpoints_[known->second].exact = false;
    }
    exchange.to_ns = std::max(exchange.to_ns, stretch.to_ns);
    endpoints_[exchange.endpoint].bytes += stretch.bytes_received;
    const std::int64_t rate = stretch.phase == Phase::transfer ? rate_of(stretch) : 0;
    if (rate == 0) return;
    timeline_.counter(pid_, rate_counter(exchange.endpoint), stretch.from_ns, rate);
    timeline_.counter(pid_, rate_counter(exchange.endpoint), stretch.to_ns, -rate);
}

void JsonEndpointCounters::end(Exchange& exchange) {
    if (exchange.number != 0 && exchange.from_ns < exchange.to_ns) {
        timeline_.counter(pid_, in_flight_counter(exchange.endpoint), exchange.from_ns, 1);
        timeline_.counter(pid_, in_flight_counter(exchange.endpoint), exchange.to_ns, -1);
    }
    exchange = {};
}

std::vector<JsonCounterName> JsonEndpointCounters::busiest() const {
    std::vector<std::size_t> order(endpoints_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
        return endpoints_[a].bytes != endpoints_[b].bytes ? endpoints_[a].bytes > endpoints_[b].bytes
                                                          : endpoints_[a].requests > endpoints_[b].requests;
    });
    order.resize(std::min(order.size(), most_tracks));
    std::vector<JsonCounterName> names;
    for (const std::size_t i : order) {
        const std::string in_flight = endpoints_[i].exact ? "in flight, " : "in flight at least, ";
        names.push_back({in_flight_counter(i), in_flight + endpoints_[i].name, "requests"});
        names.push_back({rate_counter(i), "received, " + endpoints_[i].name, "bytes_per_second"});
    }
    return names;
}

}  // namespace slowtrace::render
