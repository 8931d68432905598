// What holds of every fact and every interpreter, whatever the octets: for the fuzzers of interpreters.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "conversation.hpp"

namespace slowtrace::test {

inline bool printable(const std::string& text, std::size_t most) {
    return !text.empty() && text.size() <= most &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

inline bool sound(const model::StreamFact& fact) {
    const auto& protocols = fact.tls().protocols();
    switch (fact.fact_case()) {
        case model::StreamFact::kName:
            return printable(fact.name().name(), 253) && !fact.name().name().ends_with('.') &&
                   fact.name().name().find_first_of("/@?#\\\"<>") == std::string::npos &&
                   fact.name().port() <= 65'535 && fact.name().source() != model::NameClaim::UNKNOWN;
        case model::StreamFact::kTls:
            return fact.tls().type() <= 255 && fact.tls().length() <= 65'535 && protocols.size() <= 8 &&
                   std::all_of(protocols.begin(), protocols.end(), [](auto& name) { return printable(name, 32); });
        case model::StreamFact::kRequest:
            return printable(fact.request().method(), 32) && fact.request().version() <= 20;
        case model::StreamFact::kResponse:
            return fact.response().status() >= 100 && fact.response().status() <= 999;
        case model::StreamFact::kProxy:
            return fact.proxy().status() <= 999;
        default:
            return false;
    }
}

inline bool sound(const model::DnsMessage& message) {
    constexpr std::size_t most = 253 * 4;  // octets of a name, each written "\255" at worst
    for (const auto& question : message.questions())
        if (!printable(question.name(), most)) return false;
    for (const auto& answer : message.answers()) {
        if (!printable(answer.name(), most) || answer.port() > 65'535) return false;
        if (!answer.target().empty() && !printable(answer.target(), most)) return false;
        if (answer.ip().empty() ? answer.target().empty() : answer.ip().size() != 4 && answer.ip().size() != 16)
            return false;
    }
    return message.questions_size() <= 64 && message.answers_size() <= 256;
}

// Feeds transfers one by one, each in memory of exactly its size, and checks what the interface promises.
inline std::vector<model::Event> checked_facts(const std::vector<Transfer>& transfers, wire::Interpreter& interpreter) {
    std::vector<model::Event> facts;
    for (const Transfer& transfer : transfers) {
        const bool settled = interpreter.settled();
        const std::size_t before = facts.size(), wanted = interpreter.wanted(transfer.flow);
        if (wanted > 128 * 1'024 || (settled && wanted > 0)) std::abort();
        const auto part = transfer.octets.first(std::min(wanted, transfer.octets.size()));
        const std::vector<std::uint8_t> read(part.begin(), part.end());
        interpreter.feed(transfer.flow, read, transfer.size, facts);
        if (settled && (facts.size() > before || !interpreter.settled())) std::abort();
        if (facts.size() - before > 64 + read.size()) std::abort();
    }
    for (const model::Event& fact : facts)
        if (!(fact.has_stream() ? sound(fact.stream()) : fact.has_dns() && sound(fact.dns()))) std::abort();
    return facts;
}

// That transfers cut in two tell the same, where each is read as a whole.
inline void check_cuts(const std::vector<Transfer>& transfers, wire::Interpreter& whole, wire::Interpreter& cut) {
    std::vector<model::Event> expected, facts;
    std::size_t at = 1;
    for (const Transfer& transfer : transfers) {
        whole.feed(transfer.flow, transfer.octets, transfer.octets.size(), expected);
        const std::size_t first = std::min(at = at * 7 % 61, transfer.octets.size());
        cut.feed(transfer.flow, transfer.octets.first(first), first, facts);
        cut.feed(transfer.flow, transfer.octets.subspan(first), transfer.octets.size() - first, facts);
    }
    const auto same = [](const model::Event& a, const model::Event& b) {
        return a.SerializeAsString() == b.SerializeAsString();
    };
    if (!std::equal(expected.begin(), expected.end(), facts.begin(), facts.end(), same)) std::abort();
}

}  // namespace slowtrace::test
