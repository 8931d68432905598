// Who is at the other end, by all evidence: ranks, proxies, name services, the time the name took, local peers.
#include "resolve_probe.hpp"

using namespace slowtrace;
using namespace slowtrace::resolve;

namespace {

std::string heard(int fd, const std::string& fact, bool sent = true) {
    return "stream { thread: 1 fd: " + std::to_string(fd) + " time_ns: 60 sent: " + (sent ? "true " : "false ") + fact +
           " }\n";
}

std::string said(int fd, const std::string& source, const std::string& name, int port = 0) {
    return heard(fd, "name { source: " + source + " name: \"" + name + "\" port: " + std::to_string(port) + " }");
}

std::string dns(const std::string& name, int type, int time_ns, const std::string& answers = "", int thread = 1) {
    return "dns { thread: " + std::to_string(thread) + " fd: 3 time_ns: " + std::to_string(time_ns) +
           " id: " + std::to_string(type) + (answers.empty() ? "" : " response: true") + " questions { name: \"" +
           name + "\" type: " + std::to_string(type) + " } " + answers + " }\n";
}

std::string record(const std::string& name, int type, const std::string& more) {
    return " answers { name: \"" + name + "\" type: " + std::to_string(type) + " " + more + " } ";
}
const std::string to_9 = "ip: \"" + host9 + "\"";

// Socket 3 asks DNS; sockets from 4 on are connected.
struct NamingProbe : ProbeWithRoot {
    NamingProbe() { play("1 socket(2 2 0) = 3 @2-3\n1 connect(3 0 16) = 0 @4-5" + address(1, ip4(host53, 53))); }
    void connect(int fd, int from_ns = 100, int port = 443) {
        play("1 socket(2 1 0) = " + std::to_string(fd) + " @" + std::to_string(from_ns - 9) + "-" +
             std::to_string(from_ns - 8));
        play("1 connect(" + std::to_string(fd) + " 0 16) = 0 @" + std::to_string(from_ns) + "-" +
             std::to_string(from_ns + 10) + address(1, ip4(host9, port)));
    }
    Connection of(int fd) {
        Connection found;
        on_call = [&](const ResolvedCall& call) { found = *call.subject()->file->connection; };
        at(fd);
        on_call = nullptr;
        return found;
    }
};

}  // namespace

TEST_CASE("each kind of evidence names the peer, the better ones for good; all are kept", "[resolve][claims]") {
    NamingProbe probe;
    probe.play("reverse_name { ip: \"" + host9 + "\" name: \"ptr.test\" }");
    probe.play("hosts { thread: 1 entries { ip: \"" + host9 + "\" names: \"file.test\" } }");
    probe.play(dns("asked.test", 1, 50, record("asked.test", 5, "target: \"cdn.test\"") + record("cdn.test", 1, to_9)));
    probe.connect(4);
    CHECK(probe.of(4).peer.host == "asked.test");
    CHECK(probe.of(4).peer.canonical_name == "cdn.test");
    probe.play(said(4, "HTTP2_AUTHORITY", "authority.test"));
    CHECK(probe.of(4).peer.evidence == NameEvidence::http2_authority);
    CHECK(probe.of(4).peer.canonical_name.empty());
    probe.play(said(4, "TLS_SNI", "sni.test") + said(4, "HTTP_HOST", "host.test", 8443) +
               said(4, "TLS_SNI", "sni.test"));
    const Connection connection = probe.of(4);
    CHECK(connection.peer.display() == "sni.test:443");
    CHECK(connection.peer.evidence == NameEvidence::tls_sni);
    CHECK(connection.peer.carrier.empty());
    CHECK(connection.claims == std::vector<NameClaim>{{NameEvidence::reverse_lookup, "ptr.test", 0},
                                                      {NameEvidence::hosts_file, "file.test", 0},
                                                      {NameEvidence::dns, "asked.test", 0},
                                                      {NameEvidence::http2_authority, "authority.test", 0},
                                                      {NameEvidence::tls_sni, "sni.test", 0},
                                                      {NameEvidence::http_host, "host.test", 8443}});
}

TEST_CASE("one address with two SNI names is two endpoints", "[resolve][claims]") {
    NamingProbe probe;
    probe.connect(4);
    probe.connect(5, 200);
    probe.play(said(4, "TLS_SNI", "pypi.example.com") + said(5, "TLS_SNI", "extra.example.org"));
    CHECK(probe.at(4) == "4=socket pypi.example.com:443");
    CHECK(probe.at(5) == "5=socket extra.example.org:443");
}

TEST_CASE("through a proxy the target is the endpoint, the proxy its carrier", "[resolve][claims]") {
    NamingProbe probe;
    probe.play(dns("proxy.test", 1, 50, record("proxy.test", 1, to_9)));
    probe.connect(4, 100, 3128);
    SECTION("CONNECT, then TLS inside") {
        probe.play(said(4, "HTTP_HOST", "files.example.com", 443) + said(4, "HTTP_CONNECT", "files.example.com", 443));
        CHECK(probe.of(4).peer.display() == "files.example.com:443");
        CHECK(probe.of(4).peer.carrier == "proxy.test:3128");
        CHECK(probe.of(4).peer.address == "192.0.2.9");
        probe.play(said(4, "TLS_SNI", "inner.example.com"));
        CHECK(probe.of(4).peer.display() == "inner.example.com:443");
        CHECK(probe.of(4).peer.carrier == "proxy.test:3128");
    }
    SECTION("absolute targets change from request to request, and back") {
        probe.play(said(4, "HTTP_TARGET", "one.test") + said(4, "HTTP_HOST", "one.test"));
        CHECK(probe.of(4).peer.display() == "one.test:80");
        probe.play(said(4, "HTTP_TARGET", "two.test", 8080));
        CHECK(probe.of(4).peer.display() == "two.test:8080");
        probe.play(said(4, "HTTP_TARGET", "one.test"));
        CHECK(probe.of(4).peer.display() == "one.test:80");
        CHECK(probe.of(4).peer.carrier == "proxy.test:3128");
        CHECK(probe.of(4).claims.size() == 4);
        probe.play(said(4, "HTTP_TARGET", "198.51.100.7", 9999));
        CHECK(probe.of(4).peer.display() == "198.51.100.7:9999");
        probe.play(said(4, "HTTP_TARGET", "two.test"));
        CHECK(probe.of(4).peer.display() == "two.test:80");
    }
    SECTION("SOCKS by an address: the name the program knew for it, then what it says inside") {
        probe.play("dns { thread: 1 fd: 3 time_ns: 50 response: true questions { name: \"target.test\" type: 28 } " +
                   record("target.test", 28, "ip: \"\\040\\001\\015\\270\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\001\"") +
                   "}");
        probe.play(said(4, "SOCKS", "2001:db8::1", 80));
        CHECK(probe.of(4).peer.display() == "target.test:80");
        CHECK(probe.of(4).peer.carrier == "proxy.test:3128");
        probe.play(said(4, "HTTP_HOST", "virtual.test"));
        CHECK(probe.of(4).peer.display() == "virtual.test:80");
    }
    SECTION("an address nobody named stays one") {
        probe.play(said(4, "SOCKS", "2001:db8::7", 80));
        CHECK(probe.of(4).peer.display() == "[2001:db8::7]:80");
    }
}

TEST_CASE("an address never replaces a name, odd names pass, unsound ones do not", "[resolve][claims]") {
    NamingProbe probe;
    probe.connect(4);
    probe.play(said(4, "TLS_SNI", "192.0.2.9"));
    CHECK(probe.of(4).peer.evidence == NameEvidence::tls_sni);
    probe.play(said(4, "HTTP_HOST", "_odd_.test"));
    CHECK(probe.of(4).peer.host == "_odd_.test");
    probe.play(said(4, "TLS_SNI", "192.0.2.9"));
    CHECK(probe.of(4).peer.host == "_odd_.test");
    probe.play(said(4, "TLS_SNI", "a b") + said(4, "TLS_SNI", "a\\nb") + said(4, "TLS_SNI", std::string(254, 'a')) +
               said(4, "UNKNOWN", "unknown.test") + said(9, "TLS_SNI", "nowhere.test"));
    CHECK(probe.of(4).claims.size() == 2);
    for (int i = 0; i < 1000; ++i) probe.play(said(4, "HTTP_HOST", "h" + std::to_string(i) + ".test"));
    CHECK(probe.of(4).claims.size() <= 64);
    CHECK(probe.of(4).peer.host == "h999.test");
}

TEST_CASE("what comes in on an accepted connection does not name the client", "[resolve][claims]") {
    ProbeWithRoot probe;
    probe.play("1 socket(2 1 0) = 3\n1 listen(3 5) = 0\n1 accept4(3 0 0 0) = 4" + address(1, ip4(host9, 999)));
    probe.play(heard(4, "name { source: TLS_SNI name: \"us.test\" }", false));
    CHECK(probe.at(4) == "4=socket 192.0.2.9:999");
}

TEST_CASE("children and siblings that asked are nearer than strangers", "[resolve][claims]") {
    NamingProbe probe;
    probe.play(child(2, 2, 200) + child(3, 3, 300));
    probe.play(
        "birth { thread: 4 process: 4 tid: 400 pid: 400 kind: FORK has_parent: true parent_thread: 2 time_ns: 6 }\n"
        "birth { thread: 5 process: 5 tid: 500 pid: 500 kind: ATTACHED time_ns: 7 }");
    probe.play(dns("child.test", 1, 50, record("child.test", 1, to_9), 4));
    probe.play(dns("stranger.test", 1, 51, record("stranger.test", 1, to_9), 5));
    probe.connect(6);
    CHECK(probe.of(6).peer.host == "child.test");
}

TEST_CASE("of several names of one address the one asked for last before the connect", "[resolve][claims]") {
    NamingProbe probe;
    probe.play(dns("before.test", 1, 50, record("before.test", 1, to_9)));
    probe.play(dns("after.test", 1, 150, record("after.test", 1, to_9)));
    probe.connect(4, 100);
    CHECK(probe.of(4).peer.host == "before.test");
    probe.connect(5, 200);
    CHECK(probe.of(5).peer.host == "after.test");
}

TEST_CASE("services: SRV names its targets, HTTPS the host asked about", "[resolve][claims]") {
    NamingProbe probe;
    SECTION("SRV") {
        probe.play(dns("_imap._tcp.example.org", 33, 50,
                       record("_imap._tcp.example.org", 33, "target: \"imap.example.org\" port: 143") +
                           record("imap.example.org", 1, to_9) + record("other.example.org", 1, to_9)));
        probe.connect(4);
        CHECK(probe.of(4).peer.host == "imap.example.org");
    }
    SECTION("HTTPS hints") {
        probe.play(dns("_8443._https.extra.example.org", 65, 50,
                       record("_8443._https.extra.example.org", 65, to_9 + " target: \"svc.example.net\"")));
        probe.connect(4);
        CHECK(probe.of(4).peer.host == "extra.example.org");
    }
    SECTION("the addresses of an HTTPS target") {
        probe.play(
            dns("extra.example.org", 65, 50,
                record("extra.example.org", 65, "target: \"svc.example.net\"") + record("svc.example.net", 1, to_9)));
        probe.connect(4);
        CHECK(probe.of(4).peer.host == "extra.example.org");
    }
}

TEST_CASE("the questions that led to an address are one span, for the first to connect", "[resolve][claims]") {
    NamingProbe probe;
    probe.play(dns("extra.example.org", 1, 20) + dns("extra.example.org", 28, 21));
    probe.play(dns("extra.example.org", 28, 40, record("extra.example.org", 5, "target: \"extra.example.org\"")));
    probe.play(dns("extra.example.org", 1, 50, record("extra.example.org", 1, to_9)));
    // What getaddrinfo(3) does to sort addresses is no use of them.
    probe.play("1 socket(2 2 0) = 9 @60-61\n1 connect(9 0 16) = 0 @62-63" + address(1, ip4(host9, 443)));
    probe.connect(4, 100);
    probe.connect(5, 200);
    CHECK(probe.of(4).dns_from_ns == 20);
    CHECK(probe.of(4).dns_to_ns == 50);
    CHECK_FALSE(probe.of(5).dns_from_ns);
    // Asked anew, it is another span.
    probe.play(dns("Extra.Example.org", 1, 300) +
               dns("extra.example.org", 1, 330, record("extra.example.org", 1, to_9)));
    probe.connect(6, 400);
    CHECK(probe.of(6).dns_from_ns == 300);
    CHECK(probe.of(6).dns_to_ns == 330);
}

TEST_CASE("name services: their sockets are dns, the bus only while it answers", "[resolve][claims]") {
    ProbeWithRoot probe;
    std::vector<std::string> services;
    probe.on_call = [&](const ResolvedCall& call) {
        if (!call.descriptors.empty() && call.descriptors.front().file->connection)
            services.push_back(call.descriptors.front().file->connection->name_service);
    };
    auto message = [](const char* carrier, int time_ns, const std::string& more) {
        return "dns { thread: 1 fd: 3 carrier: " + std::string(carrier) + " id: 4 time_ns: " + std::to_string(time_ns) +
               " questions { name: \"extra.example.org\" type: 0 } " + more + "}\n";
    };
    const std::string answer = "response: true" + record("cdn.example.net", 1, to_9);
    std::string carrier = "RESOLVED_DBUS";
    SECTION("varlink, known before it is asked") {
        carrier = "RESOLVED_VARLINK";
        probe.play("1 socket(1 1 0) = 3\n1 connect(3 0 99) = 0" +
                   address(1, unix_path("/run/systemd/resolve/io.systemd.Resolve")));
        CHECK(services.back() == "systemd-resolved");
    }
    SECTION("nscd") {
        carrier = "NSCD";
        probe.play("1 socket(1 1 0) = 3\n1 connect(3 0 99) = 0" + address(1, unix_path("/var/run/nscd/socket")));
        CHECK(services.back() == "nscd");
    }
    SECTION("the system bus") {
        probe.play("1 socket(1 1 0) = 3\n1 connect(3 0 99) = 0" + address(1, unix_path("/run/dbus/system_bus_socket")));
        CHECK(services.back().empty());
    }
    probe.play(message(carrier.c_str(), 20, "") + "1 sendto(3 0 9 0) = 9");
    CHECK_FALSE(services.back().empty());
    probe.play(message(carrier.c_str(), 90, answer) + "1 recvfrom(3 0 9 0) = 9 @80-90");
    CHECK_FALSE(services.back().empty());
    probe.play("1 recvfrom(3 0 9 0) = 9");
    CHECK(services.back().empty() == (carrier == "RESOLVED_DBUS"));
    CHECK(probe.told("dns").back().find("extra.example.org type 0") == 0);
    probe.on_call = nullptr;
    probe.play("1 socket(2 1 0) = 4\n1 connect(4 0 16) = 0 @200-210" + address(1, ip4(host9, 443)));
    CHECK(probe.at(4) == "4=socket extra.example.org:443");
}

TEST_CASE("the kernel's last word is kept, the one at the close above all", "[resolve][claims]") {
    NamingProbe probe;
    probe.connect(4);
    auto report = [](bool closing, int rtt) {
        return "tcp { thread: 1 fd: 4 time_ns: 300 rtt_ns: " + std::to_string(rtt) +
               (closing ? " closing: true }\n" : " }\n");
    };
    probe.play(report(false, 1) + report(false, 2));
    CHECK(probe.of(4).tcp->rtt_ns() == 2);
    probe.play(report(true, 3) + report(false, 4) + "tcp { thread: 1 fd: 77 rtt_ns: 5 }");
    CHECK(probe.of(4).tcp->rtt_ns() == 3);
}

TEST_CASE("the process at the other end, and which traced one it is", "[resolve][claims]") {
    NamingProbe probe;
    probe.connect(4);
    probe.play(child(2, 2, 200));
    probe.play("peer_process { thread: 1 fd: 4 time_ns: 300 pid: 777 name: \"postgres\" listener: true }");
    CHECK(probe.of(4).local_peer->name == "postgres");
    CHECK(probe.of(4).local_peer->listener);
    CHECK_FALSE(probe.of(4).local_peer->process);
    probe.play("peer_process { thread: 1 fd: 4 time_ns: 310 pid: 200 name: \"worker\" }");
    REQUIRE(probe.of(4).local_peer->process);
    CHECK(index(*probe.of(4).local_peer->process) == 2);
    probe.play("process_exit { process: 2 time_ns: 400 }\ndeath { thread: 2 time_ns: 400 }");
    probe.play("peer_process { thread: 1 fd: 4 time_ns: 500 pid: 200 name: \"later\" }");
    CHECK_FALSE(probe.of(4).local_peer->process);
}
