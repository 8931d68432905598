// Conversations for the interpreters' tests: from strings or fixtures/packets, split at will; facts as lines of text.
#pragma once

#include <string>
#include <vector>

#include "../fuzz/conversation.hpp"

namespace slowtrace::test {

// One transfer as a test writes it down.
struct Said {
    wire::Flow flow;
    std::string octets;
    std::uint64_t unread = 0;
};
inline Said sent(std::string octets, std::uint64_t unread = 0) {
    return {wire::Flow::sent, std::move(octets), unread};
}
inline Said received(std::string octets, std::uint64_t unread = 0) {
    return {wire::Flow::received, std::move(octets), unread};
}
using Conversation = std::vector<Said>;

// fixtures/packets/NAME.conversation
Conversation conversation(const std::string& name);

// Every transfer in pieces of `size` octets, or its first cut in two at `at`.
Conversation in_pieces(const Conversation& conversation, std::size_t size);
Conversation split_at(const Conversation& conversation, std::size_t transfer, std::size_t at);

// What an interpreter tells, a line a fact: "> tls 22 client_hello 0304 h2", "< response 200 11", "> SOCKS
// pypi.test:443".
using Lines = std::vector<std::string>;
Lines feed(wire::Interpreter& interpreter, const Conversation& conversation);
Lines told(std::unique_ptr<wire::Interpreter> interpreter, const Conversation& conversation);
// Those of them that do not begin with "> tls" or "< tls".
Lines without_records(Lines lines);

// That splitting each transfer at every position, and all of them into single octets, changes nothing.
using Make = std::unique_ptr<wire::Interpreter> (*)();
void check_splits(Make make, const Conversation& conversation);

}  // namespace slowtrace::test
