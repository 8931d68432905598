// Conversations as files: fixtures/packets/*.conversation, and what a fuzzer makes of its input.
//
// A sequence of transfers, each: one octet of which bit 0 says received, the others how many times 64 further octets
// passed without being read; two octets of length; the octets read.
#pragma once

#include <vector>

#include "slowtrace/stream_facts.hpp"

namespace slowtrace::test {

struct Transfer {
    wire::Flow flow;
    std::span<const std::uint8_t> octets;
    std::uint64_t size;
};

// A last transfer that is cut short is as long as what is there.
inline std::vector<Transfer> transfers_of(std::span<const std::uint8_t> file) {
    constexpr std::size_t header_size = 3, unread_unit = 64;
    std::vector<Transfer> transfers;
    while (file.size() >= header_size) {
        const std::size_t told = std::size_t{file[1]} * 256 + file[2];
        const auto octets = file.subspan(header_size, std::min(told, file.size() - header_size));
        const wire::Flow flow = file[0] % 2 == 0 ? wire::Flow::sent : wire::Flow::received;
        transfers.push_back({flow, octets, octets.size() + file[0] / 2 * unread_unit});
        file = file.subspan(header_size + octets.size());
    }
    return transfers;
}

// As a recorder reads: never more than is wanted.
inline std::vector<model::Event> facts_of(const std::vector<Transfer>& transfers, wire::Interpreter& interpreter) {
    std::vector<model::Event> facts;
    for (const Transfer& transfer : transfers) {
        const std::size_t wanted = interpreter.wanted(transfer.flow);
        const auto read = transfer.octets.first(std::min(wanted, transfer.octets.size()));
        interpreter.feed(transfer.flow, read, transfer.size, facts);
    }
    return facts;
}

}  // namespace slowtrace::test
