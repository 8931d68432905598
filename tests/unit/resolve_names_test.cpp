// Names: DNS answers and hosts files to the endpoints they explain; DNS exchanges from question to answer.
#include "resolve_probe.hpp"

using namespace slowtrace::resolve;

namespace {

// `thread` was told by its server that `name` (an alias of `target`, where given) is 192.0.2.`last`.
std::string answer(int thread, const std::string& name, int last, const std::string& target = "", int id = 7) {
    char octet[8];
    std::snprintf(octet, sizeof octet, "\\%03o", static_cast<unsigned>(last));
    std::string line = "dns { thread: " + std::to_string(thread) +
                       " fd: 3 time_ns: 50 response: true id: " + std::to_string(id) + " questions { name: \"" + name +
                       "\" type: 1 } ";
    if (!target.empty()) line += "answers { name: \"" + name + "\" type: 5 target: \"" + target + "\" } ";
    return line + "answers { name: \"" + (target.empty() ? name : target) + "\" type: 1 ip: \"\\300\\000\\002" + octet +
           "\" } }\n";
}

std::string question(const std::string& name, int type, int id, int time_ns) {
    return "dns { thread: 1 fd: 3 time_ns: " + std::to_string(time_ns) + " id: " + std::to_string(id) +
           " questions { name: \"" + name + "\" type: " + std::to_string(type) + " } }\n";
}

std::string hosts(int thread, const std::string& names) {
    return "hosts { thread: " + std::to_string(thread) + " entries { ip: \"" + host9 + "\" " + names + " } }\n";
}

// What a new connection of `thread` to 192.0.2.9:80 is called.
Endpoint connected_to(ProbeWithRoot& probe, int thread = 1) {
    Endpoint peer;
    probe.on_call = [&](const ResolvedCall& call) { peer = call.descriptors.front().file->connection->peer; };
    std::string id = std::to_string(thread);
    probe.play(id + " socket(2 1 0) = 8\n" + id + " connect(8 0 16) = 0" + address(1, ip4(host9, 80)));
    probe.on_call = nullptr;
    return peer;
}

// A DNS socket 3, connected to 192.0.2.53:53.
struct AskingProbe : ProbeWithRoot {
    AskingProbe() { play("1 socket(2 2 0) = 3\n1 connect(3 0 16) = 0" + address(1, ip4(host53, 53))); }
};

}  // namespace

TEST_CASE("the host is the name asked for, the canonical name the end of the CNAME chain", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(answer(1, "extra.example.org", 9, "cdn.example.net"));
    Endpoint peer = connected_to(probe);
    CHECK(peer.display() == "extra.example.org:80");
    CHECK(peer.canonical_name == "cdn.example.net");
    CHECK(peer.address == "192.0.2.9");
    CHECK(peer.evidence == NameEvidence::dns);
}

TEST_CASE("a longer chain, out of order and in another case; a loop; strangers", "[resolve]") {
    ProbeWithRoot probe;
    const std::string begin = "dns { thread: 1 response: true questions { name: \"a.test\" type: 1 } ";
    SECTION("out of order") {
        probe.play(begin + "answers { name: \"c.test\" type: 1 ip: \"" + host9 +
                   "\" } answers { name: \"B.test\" type: 5 "
                   "target: \"c.test\" } answers { name: \"A.test\" type: 5 target: \"b.test\" } }");
        Endpoint peer = connected_to(probe);
        CHECK(peer.host == "a.test");
        CHECK(peer.canonical_name == "c.test");
    }
    SECTION("a loop ends") {
        probe.play(begin +
                   "answers { name: \"a.test\" type: 5 target: \"b.test\" } answers { name: \"b.test\" type: 5 "
                   "target: \"a.test\" } }");
        CHECK(connected_to(probe).host.empty());
    }
    SECTION("an address of another name is not learnt") {
        probe.play(begin + "answers { name: \"stranger.test\" type: 1 ip: \"" + host9 + "\" } }");
        CHECK(connected_to(probe).host.empty());
    }
}

TEST_CASE("the process' own answer counts first, then its ancestors', then anyone's", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(child(2, 2, 200) + child(3, 3, 300));
    probe.play(
        "birth { thread: 4 process: 4 tid: 400 pid: 400 kind: FORK has_parent: true parent_thread: 2 time_ns: 6 }");
    probe.play(answer(4, "own.test", 9) + answer(2, "parent.test", 9) + answer(1, "root.test", 9) +
               answer(3, "aunt.test", 9));
    CHECK(connected_to(probe, 4).host == "own.test");
    CHECK(connected_to(probe, 2).host == "parent.test");
    CHECK(connected_to(probe, 1).host == "root.test");
    ProbeWithRoot other;
    other.play(child(2, 2, 200) + child(3, 3, 300) + answer(2, "first.test", 9) + answer(2, "second.test", 9));
    CHECK(connected_to(other, 3).host == "second.test");
    CHECK(connected_to(other, 1).host == "second.test");
}

TEST_CASE("the most recent answer wins, also when it repeats an old one", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(answer(1, "one.test", 9) + answer(1, "two.test", 9));
    CHECK(connected_to(probe).host == "two.test");
    probe.play(answer(1, "one.test", 9));
    CHECK(connected_to(probe).host == "one.test");
}

TEST_CASE("hosts files name what DNS did not, by each line's first name", "[resolve]") {
    ProbeWithRoot probe;
    probe.play(child(2, 2, 200));
    probe.play(hosts(1, "names: \"pypi.example.com\" names: \"alias\"") + hosts(2, "names: \"other.test\""));
    CHECK(connected_to(probe, 1).host == "pypi.example.com");
    CHECK(connected_to(probe, 1).evidence == NameEvidence::hosts_file);
    CHECK(connected_to(probe, 2).host == "other.test");
    probe.play(answer(2, "asked.test", 9));
    CHECK(connected_to(probe, 1).host == "asked.test");
}

TEST_CASE("reverse lookups come last and are marked", "[resolve]") {
    ProbeWithRoot probe;
    probe.play("reverse_name { ip: \"" + host9 + "\" name: \"ptr.test\" }");
    CHECK(connected_to(probe).evidence == NameEvidence::reverse_lookup);
    CHECK(connected_to(probe).host == "ptr.test");
    probe.play(hosts(1, "names: \"file.test\""));
    CHECK(connected_to(probe).host == "file.test");
}

TEST_CASE("a question and its answer are one exchange; A and AAAA in flight are two", "[resolve]") {
    AskingProbe probe;
    probe.play(question("extra.example.org", 1, 7, 100) + question("extra.example.org", 28, 8, 101));
    probe.play(
        "dns { thread: 1 fd: 3 time_ns: 150 response: true id: 8 questions { name: \"extra.example.org\" type: 28 } }");
    CHECK(probe.told("dns") == Lines{"extra.example.org type 28 of 192.0.2.53:53 answered"});
    probe.play(answer(1, "Extra.Example.Org", 9, "cdn.example.net"));
    CHECK(probe.told("dns").back() ==
          "extra.example.org type 1 of 192.0.2.53:53 answered 192.0.2.9 is cdn.example.net");
    probe.play("1 close(3) = 0");
    CHECK(probe.told("dns").size() == 2);
}

TEST_CASE("an answer to another question is no answer", "[resolve]") {
    AskingProbe probe;
    probe.play(question("one.test", 1, 7, 100));
    probe.play(answer(1, "one.test", 9, "", 6) + answer(1, "two.test", 9, "", 7));
    CHECK(probe.told("dns").empty());
    probe.play("1 close(3) = 0");
    CHECK(probe.told("dns") == Lines{"one.test type 1 of 192.0.2.53:53 unanswered"});
}

TEST_CASE("asked again, the first question stays unanswered", "[resolve]") {
    AskingProbe probe;
    probe.play(question("one.test", 1, 7, 100) + question("one.test", 1, 7, 600));
    CHECK(probe.told("dns") == Lines{"one.test type 1 of 192.0.2.53:53 unanswered"});
    probe.play(answer(1, "one.test", 9));
    CHECK(probe.told("dns").back() == "one.test type 1 of 192.0.2.53:53 answered 192.0.2.9");
}

TEST_CASE("a connection to a DNS server knows what it was last asked, before the call is told", "[resolve]") {
    ProbeWithRoot probe;
    std::string asked;
    bool dns = false;
    probe.on_call = [&](const ResolvedCall& call) {
        asked = call.descriptors.front().file->connection->question;
        dns = call.descriptors.front().file->connection->is_dns();
    };
    probe.play("1 socket(2 2 0) = 3");
    CHECK_FALSE(dns);
    probe.play("dns { thread: 1 fd: 3 time_ns: 30 id: 7 questions { name: \"one.test\" type: 1 } server {" +
               ip4(host53, 53) + "} }");
    probe.play("1 sendto(3 0 9 0) = 9" + address(4, ip4(host53, 53)));
    CHECK(asked == "one.test");
    CHECK(dns);
    probe.finish();
    CHECK(probe.told("dns") == Lines{"one.test type 1 of 192.0.2.53:53 unanswered"});
}
