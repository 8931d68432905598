// DNS messages: what a lookup says, and that nothing else passes for one. Packets: fixtures/packets.
#include "slowtrace/dns.hpp"

#include <filesystem>
#include <random>

#include "catch.hpp"
#include "conversations.hpp"
#include "events_for_test.hpp"
#include "temporary_directory.hpp"

namespace slowtrace::wire {
namespace {

std::vector<std::uint8_t> packet(const std::string& name) {
    const std::string octets = test::read_file("fixtures/packets/" + name + ".dns");
    INFO("fixtures/packets/" << name << ".dns (run from the repository's top)");
    REQUIRE(!octets.empty());
    return {octets.begin(), octets.end()};
}

model::DnsMessage parse(const std::string& name) {
    const auto facts = parse_dns(packet(name));
    INFO(name);
    REQUIRE(facts.has_value());
    return *facts;
}

TEST_CASE("a question is read", "[dns]") {
    const model::DnsMessage query = parse("query-a");
    REQUIRE(query.id() == 0x1234);
    REQUIRE_FALSE(query.response());
    REQUIRE(query.questions_size() == 1);
    REQUIRE(query.questions(0).name() == "extra.example.org");
    REQUIRE(query.questions(0).type() == 1);
    REQUIRE(query.answers_size() == 0);
}

TEST_CASE("an alias and its address are read", "[dns]") {
    const model::DnsMessage answer = parse("answer-cname-chain");
    REQUIRE(answer.response());
    REQUIRE(answer.response_code() == 0);
    REQUIRE(answer.questions(0).name() == "extra.example.org");
    REQUIRE(answer.answers_size() == 2);
    REQUIRE(answer.answers(0).name() == "extra.example.org");
    REQUIRE(answer.answers(0).type() == 5);
    REQUIRE(answer.answers(0).target() == "cdn.example.net");
    REQUIRE(answer.answers(1).name() == "cdn.example.net");
    REQUIRE(answer.answers(1).type() == 1);
    REQUIRE(answer.answers(1).ip() == std::string("\xc6\x33\x64\x07", 4));
}

TEST_CASE("other shapes of lookups are read", "[dns]") {
    REQUIRE(parse("query-edns").questions(0).type() == 28);
    REQUIRE(parse("answer-aaaa").answers(0).ip().size() == 16);
    REQUIRE(parse("answer-nxdomain").response_code() == 3);
    REQUIRE(parse("answer-nxdomain").answers_size() == 0);
    REQUIRE(parse("answer-truncated").truncated());
    REQUIRE(parse("answer-format-error").response_code() == 1);
    REQUIRE(parse("two-questions").questions(1).name() == "cdn.example.net");
    REQUIRE(parse("root-name").questions(0).name() == ".");
    REQUIRE(parse("longest-name").questions(0).name().size() == 253);
    const model::DnsMessage mixed = parse("answer-other-types");
    REQUIRE(mixed.answers_size() == 1);
    REQUIRE(mixed.answers(0).type() == 1);
}

test::Lines of_datagram(const std::string& name) {
    const std::vector<std::uint8_t> octets = packet(name);
    return test::told(interpret_dns(false), {test::received({octets.begin(), octets.end()})});
}

TEST_CASE("services are read", "[dns]") {
    REQUIRE(of_datagram("answer-srv") == test::Lines{"answer 4660 _http._tcp.example.org/33"
                                                     " | _http._tcp.example.org/33 -> cdn.example.net:8080"
                                                     " | _http._tcp.example.org/33 -> extra.example.org:80"});
    REQUIRE(of_datagram("answer-svcb") ==
            test::Lines{"answer 4660 _dns.example.org/64 | _dns.example.org/64 -> cdn.example.net"});
}

TEST_CASE("each address hint of a service is an answer", "[dns]") {
    REQUIRE(of_datagram("answer-https") == test::Lines{"answer 4660 cdn.example.net/65"
                                                       " | cdn.example.net/65 198.51.100.7 -> cdn.example.net:8443"
                                                       " | cdn.example.net/65 198.51.100.8 -> cdn.example.net:8443"
                                                       " | cdn.example.net/65 2001:db8::7 -> cdn.example.net:8443"});
    REQUIRE(of_datagram("answer-https-alias") ==
            test::Lines{"answer 4660 pypi.example.com/65 | pypi.example.com/65 -> cdn.example.net"});
}

TEST_CASE("names are in presentation form", "[dns]") {
    REQUIRE(parse("odd-name").questions(0).name() == "a\\.b\\\\c.d\\032e.\\195\\169");
}

TEST_CASE("what is wrong is no lookup", "[dns]") {
    int seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator("fixtures/packets")) {
        const std::string name = entry.path().stem().string();
        if (!name.starts_with("bad-")) continue;
        ++seen;
        INFO(name);
        REQUIRE_FALSE(parse_dns(packet(name)));
    }
    REQUIRE(seen >= 14);
    REQUIRE_FALSE(parse_dns({}));
}

TEST_CASE("a message cut short keeps what was whole", "[dns]") {
    const std::vector<std::uint8_t> whole = packet("answer-cname-chain");
    const model::DnsMessage facts = *parse_dns(whole);
    int most_answers = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto cut = parse_dns(std::span(whole).first(size));
        INFO("cut to " << size);
        if (!cut) {
            REQUIRE(most_answers == 0);
            continue;
        }
        REQUIRE(cut->questions_size() == 1);
        REQUIRE(cut->answers_size() >= most_answers);
        most_answers = cut->answers_size();
        for (int i = 0; i < most_answers; ++i) REQUIRE(test::same(cut->answers(i), facts.answers(i)));
    }
    REQUIRE(most_answers == 2);
}

TEST_CASE("many answers are bounded", "[dns]") {
    std::vector<std::uint8_t> message = packet("query-a");
    message[2] = 0x81;
    message[3] = 0x80;
    constexpr int answers = 4'000;
    message[6] = answers >> 8;
    message[7] = answers & 0xff;
    for (int i = 0; i < answers; ++i)
        message.insert(message.end(), {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1});
    const auto facts = parse_dns(message);
    REQUIRE(facts.has_value());
    REQUIRE(facts->answers_size() == 256);
}

std::vector<std::uint8_t> stream_of(const std::vector<std::string>& names) {
    std::vector<std::uint8_t> stream;
    for (const std::string& name : names) {
        const std::vector<std::uint8_t> message = packet(name);
        stream.push_back(static_cast<std::uint8_t>(message.size() >> 8));
        stream.push_back(static_cast<std::uint8_t>(message.size()));
        stream.insert(stream.end(), message.begin(), message.end());
    }
    return stream;
}

TEST_CASE("a stream's messages come out however reads split it", "[dns]") {
    const std::vector<std::uint8_t> stream =
        stream_of({"query-a", "answer-cname-chain", "bad-pointer-loop", "answer-aaaa"});
    std::mt19937 random(3);
    for (int round = 0; round < 200; ++round) {
        DnsStream together;
        std::vector<model::DnsMessage> messages;
        for (std::size_t at = 0; at < stream.size();) {
            const std::size_t size = std::min<std::size_t>(round == 0 ? 1 : random() % 90, stream.size() - at);
            for (auto& message : together.feed(std::span(stream).subspan(at, size))) messages.push_back(message);
            at += size;
        }
        REQUIRE(messages.size() == 3);
        REQUIRE(test::same(messages[0], parse("query-a")));
        REQUIRE(test::same(messages[1], parse("answer-cname-chain")));
        REQUIRE(test::same(messages[2], parse("answer-aaaa")));
    }
}

TEST_CASE("questions in flight on one stream, however it is cut", "[dns]") {
    const auto text = [](const std::vector<std::string>& names) {
        const std::vector<std::uint8_t> octets = stream_of(names);
        return std::string(octets.begin(), octets.end());
    };
    const test::Conversation exchange{test::sent(text({"query-a", "query-edns"})),
                                      test::received(text({"answer-aaaa", "answer-cname-chain"}))};
    REQUIRE(test::told(interpret_dns(true), exchange) ==
            test::Lines{"question 4660 extra.example.org/1", "question 4660 pypi.example.com/28",
                        "answer 4660 pypi.example.com/28 | pypi.example.com/28 2001:db8::7",
                        "answer 4660 extra.example.org/1 | extra.example.org/5 -> cdn.example.net"
                        " | cdn.example.net/1 198.51.100.7"});
    test::check_splits([] { return interpret_dns(true); }, exchange);
}

TEST_CASE("a message read in part keeps what was whole, and the next is found", "[dns]") {
    const std::vector<std::uint8_t> octets = stream_of({"answer-cname-chain"});
    const std::string whole(octets.begin(), octets.end());
    constexpr std::size_t read = 70;
    const test::Conversation gap{test::received(whole.substr(0, read), whole.size() - read), test::received(whole)};
    const test::Lines lines = test::told(interpret_dns(true), gap);
    REQUIRE(lines.size() == 2);
    REQUIRE(lines[0] == "answer 4660 extra.example.org/1 | extra.example.org/5 -> cdn.example.net");
    REQUIRE(lines[1].starts_with(lines[0] + " | "));
    // Behind a length that was not read nothing can be told apart.
    REQUIRE(test::told(interpret_dns(true), {test::received("", 1), test::received(whole)}).empty());
    REQUIRE(test::told(interpret_dns(true),
                       {test::received(whole.substr(0, read), whole.size() - read + 1), test::received(whole)})
                .size() == 1);
}

TEST_CASE("a stream's empty messages are passed over", "[dns]") {
    std::vector<std::uint8_t> stream(6, 0);
    const std::vector<std::uint8_t> query = stream_of({"query-a"});
    stream.insert(stream.end(), query.begin(), query.end());
    REQUIRE(DnsStream().feed(stream).size() == 1);
}

}  // namespace
}  // namespace slowtrace::wire
