// HTTP/1.x: whom requests mean, through proxies too; nothing of paths, queries and credentials.
#include "catch.hpp"
#include "conversations.hpp"

namespace slowtrace::wire {
namespace {

using test::Conversation;
using test::Lines;
using test::received;
using test::sent;
using test::told;

Lines of_request(const std::string& octets) {
    return told(interpret_stream(), {sent(octets)});
}

const std::string get =
    "GET /simple/?token=secret HTTP/1.1\r\nUser-Agent: x\r\nAuthorization: Basic secret\r\nhOsT:\t"
    "pypi.example.com:8080 \r\nAccept: */*\r\n\r\n";
const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_CASE("the first request and its answer are told, then no more", "[http]") {
    const auto interpreter = interpret_stream();
    REQUIRE(test::feed(*interpreter, {sent(get), received(ok)}) ==
            Lines{"> request GET 11", "> HTTP_HOST pypi.example.com:8080", "< response 200 11"});
    REQUIRE(interpreter->settled());
    REQUIRE(test::feed(*interpreter, {sent(get), received(ok)}).empty());
}

TEST_CASE("HTTP facts do not depend on how transfers are cut", "[http]") {
    test::check_splits(interpret_stream, {sent(get), received(ok)});
    test::check_splits(interpret_stream, {sent("PUT /x HTTP/1.1\r\nExpect: 100-continue\r\nHost: a.test\r\n\r\n"),
                                          received("HTTP/1.1 100 Continue\r\n\r\n"), sent("body"),
                                          received("HTTP/1.1 201 Created\r\n\r\n")});
}

TEST_CASE("interim answers come before the final one", "[http]") {
    REQUIRE(
        told(interpret_stream(), {sent("PUT /x HTTP/1.1\r\nHost: a.test\r\n\r\n"),
                                  received("HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\nHTTP/1.1 204 None\r\n")}) ==
        Lines{"> request PUT 11", "> HTTP_HOST a.test", "< response 103 11", "< response 204 11"});
}

TEST_CASE("after an interim answer every exchange is looked at, bodies are not", "[http]") {
    const test::Said put = sent("PUT /x HTTP/1.1\r\nExpect: 100-continue\r\nHost: a.test\r\n\r\n");
    const Conversation once{put, received("HTTP/1.1 100 Continue\r\n\r\n"),
                            sent("GET / HTTP/1.1\r\nHost: body.test\r\n"), received(ok)};
    Conversation twice = once;
    twice.insert(twice.end(), once.begin(), once.end());
    const Lines told_once{"> request PUT 11", "> HTTP_HOST a.test", "< response 100 11", "< response 200 11"};
    Lines expected = told_once;
    expected.insert(expected.end(), told_once.begin(), told_once.end());
    REQUIRE(told(interpret_stream(), once) == told_once);
    REQUIRE(told(interpret_stream(), twice) == expected);
}

TEST_CASE("hosts are read in all their forms", "[http]") {
    const auto host = [](const std::string& value) {
        const Lines lines = of_request("GET / HTTP/1.1\r\nHost:" + value + "\r\n\r\n");
        REQUIRE(lines[0] == "> request GET 11");
        return lines.size() == 1 ? "" : lines[1];
    };
    REQUIRE(host(" [2001:db8::1]:8080") == "> HTTP_HOST 2001:db8::1:8080");
    REQUIRE(host("pypi.example.com.") == "> HTTP_HOST pypi.example.com");
    REQUIRE(host(" 192.0.2.7") == "> HTTP_HOST 192.0.2.7");
    for (const char* unsound : {"", " ", " a b", " a\x1b[m", " user:secret@a.test", " a.test:99999", " a.test:8x",
                                " a/b", " [2001:db8::1", " [2001:db8::1]x"}) {
        INFO(unsound);
        REQUIRE(host(unsound).empty());
    }
    REQUIRE(host(" " + std::string(254, 'x')).empty());
}

TEST_CASE("a folded or later Host is none", "[http]") {
    REQUIRE(of_request("GET / HTTP/1.1\r\nX: a\r\n Host: b.test\r\nHost: a.test\r\nHost: c.test\r\n\r\n") ==
            Lines{"> request GET 11", "> HTTP_HOST a.test"});
}

TEST_CASE("a tunnel's target is claimed and its inside read anew", "[http]") {
    Conversation through{sent("CONNECT user:secret@pypi.example.com:443 HTTP/1.1\r\nHost: proxy.test\r\n"
                              "Proxy-Authorization: Basic secret\r\n\r\n"),
                         received("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n")};
    const Conversation inside = test::conversation("tls13");
    through.insert(through.end(), inside.begin(), inside.end());
    const Lines lines = told(interpret_stream(), through);
    REQUIRE(test::without_records(lines) == Lines{"> request CONNECT 11", "> HTTP_CONNECT pypi.example.com:443",
                                                  "< response 200 11", "< proxy 200 granted",
                                                  "> TLS_SNI pypi.example.com"});
    REQUIRE(std::count(lines.begin(), lines.end(), "> tls 23") == 3);
    test::check_splits(interpret_stream, through);
}

TEST_CASE("a proxy has granted a tunnel once all of its answer is there", "[http]") {
    const auto interpreter = interpret_stream();
    test::feed(*interpreter, {sent("CONNECT a.test:443 HTTP/1.1\r\n\r\n")});
    const std::string answer = "HTTP/1.1 200 Fine\r\nVia: x\r\n\r\n";
    for (std::size_t i = 0; i < answer.size(); ++i) {
        const Lines lines = test::feed(*interpreter, {received(answer.substr(i, 1))});
        INFO(i);
        REQUIRE((std::count(lines.begin(), lines.end(), "< proxy 200 granted") == 1) == (i + 1 == answer.size()));
    }
}

TEST_CASE("a refused tunnel may be asked for again", "[http]") {
    const std::string connect = "CONNECT a.test:443 HTTP/1.1\r\n\r\n";
    const Conversation twice{sent(connect), received("HTTP/1.1 407 No\r\nContent-Length: 4\r\n\r\nno\r\n"),
                             sent(connect), received("HTTP/1.0 200 OK\r\n\r\n"),
                             sent("GET / HTTP/1.1\r\nHost: b.test\r\n\r\n")};
    REQUIRE(told(interpret_stream(), twice) == Lines{"> request CONNECT 11", "> HTTP_CONNECT a.test:443",
                                                     "< response 407 11", "< proxy 407", "> request CONNECT 11",
                                                     "> HTTP_CONNECT a.test:443", "< response 200 10",
                                                     "< proxy 200 granted", "> request GET 11", "> HTTP_HOST b.test"});
    test::check_splits(interpret_stream, twice);
}

TEST_CASE("tunnels inside tunnels are bounded", "[http]") {
    Conversation nested;
    for (int i = 0; i < 50; ++i) {
        nested.push_back(sent("CONNECT a.test:443 HTTP/1.1\r\n\r\n"));
        nested.push_back(received("HTTP/1.1 200 OK\r\n\r\n"));
    }
    const auto interpreter = interpret_stream();
    REQUIRE(test::feed(*interpreter, nested).size() < 40);
    REQUIRE(interpreter->settled());
}

TEST_CASE("every request to a proxy is looked at", "[http]") {
    const auto to = [](const std::string& host) {
        return sent("POST http://user:secret@" + host + "/p?q=secret HTTP/1.1\r\nHost: x.test\r\n\r\n");
    };
    const Conversation proxied{to("a.test"),
                               sent("POST http://body.test/ HTTP/1.1\r\n\r\n"),
                               received(ok),
                               received("body"),
                               sent("rest of the body"),
                               to("b.test:8080"),
                               received(ok)};
    REQUIRE(told(interpret_stream(), proxied) == Lines{"> request POST 11", "> HTTP_TARGET a.test", "< response 200 11",
                                                       "> request POST 11", "> HTTP_TARGET b.test:8080",
                                                       "< response 200 11"});
    test::check_splits(interpret_stream, {to("a.test"), received(ok), to("b.test:8080"), received(ok)});
    REQUIRE_FALSE(told(interpret_stream(), {to("a.test")}).empty());
}

TEST_CASE("targets name nothing but host and port", "[http]") {
    const auto target = [](const std::string& text) {
        const Lines lines = of_request("GET " + text + " HTTP/1.1\r\n\r\n");
        return lines.size() < 2 ? "" : lines[1];
    };
    REQUIRE(target("http://a.test?q=http://b.test/") == "> HTTP_TARGET a.test");
    REQUIRE(target("HTTPS://[2001:db8::1]:1#f") == "> HTTP_TARGET 2001:db8::1:1");
    REQUIRE(target("http://a:b@c@d.test/x") == "> HTTP_TARGET d.test");
    REQUIRE(target("http:///x").empty());
    REQUIRE(target("http://a\x1b[m/x").empty());
    REQUIRE(target("/http://a.test/").empty());
}

TEST_CASE("secrets are in no fact", "[http]") {
    for (const Conversation& with_secret :
         {Conversation{sent(get), received(ok)},
          Conversation{sent("GET http://u:secret@a.test/secret HTTP/1.1\r\n\r\n")},
          Conversation{sent("CONNECT secret:secret@a.test:1 HTTP/1.1\r\nCookie: secret\r\n\r\n")}}) {
        const auto interpreter = interpret_stream();
        std::vector<model::Event> facts;
        for (const test::Said& said : with_secret)
            interpreter->feed(said.flow,
                              {reinterpret_cast<const std::uint8_t*>(said.octets.data()), said.octets.size()},
                              said.octets.size(), facts);
        REQUIRE(!facts.empty());
        for (const model::Event& fact : facts) REQUIRE(fact.SerializeAsString().find("secret") == std::string::npos);
    }
}

TEST_CASE("a head without end is given up", "[http]") {
    const auto interpreter = interpret_stream();
    test::feed(*interpreter, {sent("GET / HTTP/1.1\r\n")});
    for (int i = 0; i < 1'000 && interpreter->wanted(Flow::sent) > 0; ++i)
        test::feed(*interpreter, {sent("X-Filler: " + std::string(100, 'x') + "\r\n")});
    REQUIRE(interpreter->settled());
}

TEST_CASE("what is not read of a head is not made up", "[http]") {
    const auto interpreter = interpret_stream();
    REQUIRE(test::feed(*interpreter, {sent("GET / HTTP/1.1\r\nHost: pypi.exa", 100), received(ok)}) ==
            Lines{"> request GET 11"});
    REQUIRE(interpreter->settled());
}

TEST_CASE("anything else settles at once", "[http]") {
    for (const std::string octets :
         {"SSH-2.0-OpenSSH_9.2\r\n", "EHLO a.test\r\n", "get", "GET x", "GETx\r\n", "\x16\x03\x01\x02\x01\x02", "\x80",
          "*1\r\n$4\r\nPING\r\n", "HELO\r\n", "\x04\x02..", "{", "G T /", "\r\n"}) {
        const auto interpreter = interpret_stream();
        INFO(octets);
        const bool undecided = octets == "get" || octets == "G T /";
        REQUIRE(test::feed(*interpreter, {sent(octets + (undecided ? "\t" : ""))}).empty());
        REQUIRE(interpreter->settled());
    }
    const auto server_first = interpret_stream();
    REQUIRE(server_first->wanted(Flow::received) == 0);
    test::feed(*server_first, {received("220 mail.test ESMTP\r\n")});
    REQUIRE_FALSE(server_first->settled());
    test::feed(*server_first, {sent("EHLO a.test\r\n")});
    REQUIRE(server_first->settled());
    const auto unread = interpret_stream();
    test::feed(*unread, {sent("", 1'000)});
    REQUIRE(unread->settled());
}

}  // namespace
}  // namespace slowtrace::wire
