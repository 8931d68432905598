// Two counters an endpoint: requests in flight, and the rate at which its answers come in.
//
// Changes are told for every endpoint as they become known; which endpoints are worth a track is known at the end, and
// the rest is left out when the file is written.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "render/json_timeline.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::render {

class JsonEndpointCounters {
   public:
    static constexpr std::size_t most_tracks = 20;         // endpoints that get counters
    static constexpr std::size_t most_endpoints = 10'000;  // that are considered

    JsonEndpointCounters(JsonTimeline& timeline, std::uint32_t pid) : timeline_(timeline), pid_(pid) {}

    // A connection's request in progress.
    struct Exchange {
        std::uint64_t number = 0;  // 0: none
        std::size_t endpoint = 0;
        std::int64_t from_ns = 0, to_ns = 0;
    };
    // Not `exact`: the connection may carry several requests at once.
    void add(Exchange& exchange, const std::string& endpoint, const resolve::PhaseStretch& stretch, bool exact);
    void end(Exchange& exchange);
    // The endpoints most was received from.
    std::vector<JsonCounterName> busiest() const;

   private:
    struct Endpoint {
        std::string name;
        std::uint64_t bytes = 0, requests = 0;
        bool exact = true;
    };

    JsonTimeline& timeline_;
    std::uint32_t pid_;
    std::map<std::string, std::size_t> known_;  // indices into endpoints_
    std::vector<Endpoint> endpoints_;
};

}  // namespace slowtrace::render
