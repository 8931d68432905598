// Conversations: files, splits, facts as text.
#include "conversations.hpp"

#include <arpa/inet.h>

#include <array>
#include <cstdio>

#include "catch.hpp"
#include "temporary_directory.hpp"

namespace slowtrace::test {
namespace {

std::span<const std::uint8_t> octets_of(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string in_hexadecimal(std::uint32_t number) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%04x", number);
    return text.data();
}

std::string text_of(const model::TlsRecord& record) {
    std::string text = "tls " + std::to_string(record.type());
    if (record.handshake_type() != 0)
        text += (record.handshake_type() == 1 ? " client_hello " : " server_hello ") + in_hexadecimal(record.version());
    for (const std::string& protocol : record.protocols()) text += " " + protocol;
    return text;
}

std::string text_of(const model::StreamFact& fact) {
    switch (fact.fact_case()) {
        case model::StreamFact::kName:
            return model::NameClaim::Source_Name(fact.name().source()) + " " + fact.name().name() +
                   (fact.name().port() ? ":" + std::to_string(fact.name().port()) : "");
        case model::StreamFact::kTls:
            return text_of(fact.tls());
        case model::StreamFact::kRequest:
            return "request " + fact.request().method() + " " + std::to_string(fact.request().version());
        case model::StreamFact::kResponse:
            return "response " + std::to_string(fact.response().status()) + " " +
                   std::to_string(fact.response().version());
        case model::StreamFact::kProxy:
            return "proxy " + std::to_string(fact.proxy().status()) + (fact.proxy().granted() ? " granted" : "");
        default:
            return "nothing";
    }
}

std::string address_text(const std::string& ip) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (ip.size() != 4 && ip.size() != 16) return ip.empty() ? "" : "(wrong size)";
    ::inet_ntop(ip.size() == 4 ? AF_INET : AF_INET6, ip.data(), text.data(), text.size());
    return text.data();
}

std::string text_of(const model::DnsMessage& message) {
    std::string text = message.response() ? "answer" : "question";
    if (message.carrier() != model::DnsMessage::DNS) text += " " + model::DnsMessage::Carrier_Name(message.carrier());
    text += " " + std::to_string(message.id());
    if (message.response_code() != 0) text += " code " + std::to_string(message.response_code());
    for (const auto& question : message.questions())
        text += " " + question.name() + "/" + std::to_string(question.type());
    for (const auto& answer : message.answers()) {
        text += " | " + answer.name() + "/" + std::to_string(answer.type());
        if (!answer.ip().empty()) text += " " + address_text(answer.ip());
        if (!answer.target().empty()) text += " -> " + answer.target();
        if (answer.port() != 0) text += ":" + std::to_string(answer.port());
    }
    return text;
}

std::string text_of(const model::Event& event) {
    if (event.has_stream()) return (event.stream().sent() ? "> " : "< ") + text_of(event.stream());
    return text_of(event.dns());
}

}  // namespace

Conversation conversation(const std::string& name) {
    const std::string file = read_file("fixtures/packets/" + name + ".conversation");
    INFO("fixtures/packets/" << name << ".conversation (run from the repository's top)");
    REQUIRE(!file.empty());
    Conversation read;
    for (const Transfer& transfer : transfers_of(octets_of(file)))
        read.push_back({transfer.flow, std::string(transfer.octets.begin(), transfer.octets.end()),
                        transfer.size - transfer.octets.size()});
    return read;
}

Conversation in_pieces(const Conversation& conversation, std::size_t size) {
    Conversation pieces;
    for (const Said& said : conversation) {
        for (std::size_t at = 0; at < said.octets.size(); at += size)
            pieces.push_back({said.flow, said.octets.substr(at, size), 0});
        if (said.unread > 0) pieces.push_back({said.flow, "", said.unread});
    }
    return pieces;
}

Conversation split_at(const Conversation& conversation, std::size_t transfer, std::size_t at) {
    Conversation split = conversation;
    const auto whole = split.begin() + static_cast<std::ptrdiff_t>(transfer);
    const Said first{whole->flow, whole->octets.substr(0, at), 0};
    whole->octets.erase(0, at);
    split.insert(whole, first);
    return split;
}

Lines feed(wire::Interpreter& interpreter, const Conversation& conversation) {
    std::vector<Transfer> transfers;
    for (const Said& said : conversation)
        transfers.push_back({said.flow, octets_of(said.octets), said.octets.size() + said.unread});
    Lines lines;
    for (const model::Event& fact : facts_of(transfers, interpreter)) lines.push_back(text_of(fact));
    return lines;
}

Lines told(std::unique_ptr<wire::Interpreter> interpreter, const Conversation& conversation) {
    return feed(*interpreter, conversation);
}

Lines without_records(Lines lines) {
    std::erase_if(lines, [](const std::string& line) { return line.substr(2, 4) == "tls "; });
    return lines;
}

void check_splits(Make make, const Conversation& conversation) {
    const Lines whole = told(make(), conversation);
    for (std::size_t transfer = 0; transfer < conversation.size(); ++transfer)
        for (std::size_t at = 1; at < conversation[transfer].octets.size(); ++at) {
            const Lines lines = told(make(), split_at(conversation, transfer, at));
            if (lines == whole) continue;  // an assertion for each position would be slow
            INFO("transfer " << transfer << " split at " << at);
            REQUIRE(lines == whole);
        }
    REQUIRE(told(make(), in_pieces(conversation, 1)) == whole);
    REQUIRE(told(make(), in_pieces(conversation, 7)) == whole);
}

}  // namespace slowtrace::test
