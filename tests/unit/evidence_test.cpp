// Where a host's name came from, in words.
#include "render/evidence.hpp"

#include "catch.hpp"

using namespace slowtrace;
using render::evidence_sentence;
using resolve::Endpoint;
using resolve::NameClaim;
using resolve::NameEvidence;
using resolve::Transport;

namespace {

Endpoint named(NameEvidence evidence) {
    return {Transport::tcp, "b.cdn.test", evidence, "", "203.0.113.9", 443};
}

}  // namespace

TEST_CASE("a name that only a look-up gave tells the other names of its address") {
    const NameClaim other{NameEvidence::dns, "a.cdn.test"}, chosen{NameEvidence::dns, "b.cdn.test"};
    const auto dns = named(NameEvidence::dns);
    CHECK(evidence_sentence({dns}, {chosen}) == "203.0.113.9; the program asked DNS for b.cdn.test");
    CHECK(evidence_sentence({dns}, {other, chosen, other}) ==
          "203.0.113.9; the program asked DNS for b.cdn.test (a.cdn.test has the same address)");
    const NameClaim third{NameEvidence::dns, "c.cdn.test"}, fourth{NameEvidence::dns, "d.cdn.test"};
    CHECK(
        evidence_sentence({dns}, {other, third, fourth, chosen}) ==
        "203.0.113.9; the program asked DNS for b.cdn.test (a.cdn.test, c.cdn.test and 1 more have the same address)");
}

TEST_CASE("a name the program said itself, or that is better known, has no rivals") {
    const NameClaim other{NameEvidence::dns, "a.cdn.test"}, chosen{NameEvidence::dns, "b.cdn.test"};
    const NameClaim said{NameEvidence::tls_sni, "b.cdn.test"}, reverse{NameEvidence::reverse_lookup, "host9.test"};
    CHECK(evidence_sentence({named(NameEvidence::tls_sni)}, {other, chosen, said}) ==
          "203.0.113.9; the program asked DNS for b.cdn.test, then named it by TLS SNI");
    CHECK(evidence_sentence({named(NameEvidence::dns)}, {reverse, chosen}) ==
          "203.0.113.9; the program asked DNS for b.cdn.test");
}
