"""Real clients reach real servers by every kind of name; ledger, report, timeline and JSON must all tell that name."""

import os
import shutil
import time

import town
from client_side import SCENARIOS, ClientSide
from endpoints import Ledger
from lab import Skipped, check, check_equal

TOGETHER = True  # they share one town
CLIENTS = os.path.join(SCENARIOS, "clients")
PROXY, SOCKS = f"proxy.test:{town.PROXY_PORT}", f"proxy.test:{town.SOCKS_PORT}"
PYTHON = "/usr/bin/python3"  # the distribution's, because its pip is


class Recorded:
    """A recorded client, and what each view of the run says of it."""

    def __init__(self, lab, finished, status):
        check_equal(finished.status, status, f"the client's status ({finished.report[-400:]})")
        self.finished = finished
        self.ledger = Ledger(lab, finished.run)
        self.report = lab.report_of(finished.run)
        self.timeline = lab.timeline_text(finished.run)
        self.trace = lab.exported(finished.run, "json")["traceEvents"]

    def connections(self, name):
        """What the viewer's JSON tells of each connection to that name, and of its phases.

        A proxy's connection may serve several targets: it is called by the last, its phases by their own.
        """
        found = []
        for whole in self.trace:
            if whole.get("cat") != "connection" or "address" not in whole["args"]:
                continue
            phases = self._phases(whole)
            names = [whole["name"], *(phase["args"].get("endpoint", "") for phase in phases)]
            if name in (shown.split(" (")[0] for shown in names):
                found.append((whole["args"], [phase["name"] for phase in phases]))
        return found

    def _phases(self, whole):
        return [part for part in self.trace if part.get("cat") == "connection" and "address" not in part["args"]
                and part["tid"] == whole["tid"] and whole["ts"] <= part["ts"] <= whole["ts"] + whole["dur"]]

    def endpoint(self, name, evidence=(), carrier=None):
        """The endpoint of that name, told by all views, with that evidence in the ledger."""
        endpoint = self.ledger.one(name)
        check_equal(endpoint.carrier, carrier, f"the proxy that carries {name}")
        for kind in evidence:
            check(kind in endpoint.claims(), f"{name} lacks evidence {kind}: {endpoint.claims()}")
        check(name in self.report, f"{name} is not in the report")
        check(name in self.timeline, f"{name} is not in the timeline")
        connections = self.connections(name)
        check(connections, f"{name} is no connection in the viewer's JSON")
        for told, _ in connections:
            check_equal(told.get("carrier"), carrier, f"the proxy that carries {name} in the viewer's JSON")
        if carrier:
            for view, text in (("report", self.report), ("timeline", self.timeline)):
                check(carrier in text, f"the {view} does not tell of the proxy {carrier}")
        return endpoint


def record(lab, command, *needed, status=0, environment=None):
    side = lab.shared(ClientSide)
    side.require(command[0], *needed)
    return Recorded(lab, side.record(command, environment=environment), status)


def curl(lab, *words, needed=(), status=0):
    side = lab.shared(ClientSide)
    command = ["curl", "--silent", "--show-error", "--output", os.devnull, "--cacert", side.authority, *words]
    return record(lab, command, *needed, status=status)


# One address, several names.


def check_two_server_names(run, evidence):
    for name in ("files.test:443", "docs.test:443"):
        endpoint = run.endpoint(name, evidence)
        check_equal(endpoint.addresses, ["198.51.100.11"], f"addresses of {name}")
        check_equal(endpoint.connections, 1, f"connections to {name}")
        check_equal(endpoint.phases["tls"]["count"], 1, f"handshakes with {name}")
        check(endpoint.bytes_received > 500, f"{endpoint.bytes_received} bytes from {name}")
    check_equal([one.name for one in run.ledger.endpoints if "198.51.100.11" in one.name], [], "nameless endpoints")


def two_names_by_dns(lab):
    run = curl(lab, "https://files.test/", "-o", os.devnull, "https://docs.test/")
    check_two_server_names(run, ("tls_sni", "dns"))


def two_names_without_dns(lab):
    pinned = [word for host in town.TLS_HOSTS for word in ("--resolve", f"{host}:443:198.51.100.11")]
    check_two_server_names(curl(lab, *pinned, "https://files.test/", "-o", os.devnull, "https://docs.test/"),
                           ("tls_sni",))


def server_name_alone(lab):
    side = lab.shared(ClientSide)
    for version in ("-tls1_2", "-tls1_3"):
        command = ["openssl", "s_client", version, "-CAfile", side.authority, "-connect", "198.51.100.11:443",
                   "-servername", "docs.test"]
        endpoint = record(lab, command).endpoint("docs.test:443", ("tls_sni",))
        check_equal(endpoint.phases["tls"]["count"], 1, f"handshakes with {version}")
        check(endpoint.phases["tls"]["max_ns"] > 0, f"the handshake took no time with {version}")


def tls_versions(lab):
    for version, number in (("1.2", "0x303"), ("1.3", "0x304")):
        run = curl(lab, "--tlsv1.2", "--tls-max", version, "https://files.test/")
        endpoint = run.endpoint("files.test:443", ("tls_sni",))
        check_equal(endpoint.phases["tls"]["count"], 1, f"handshakes of TLS {version}")
        [(told, phases)] = run.connections("files.test:443")
        check_equal(told.get("tls_version"), number, f"the version of TLS {version} in the viewer's JSON")
        check_equal([phase for phase in phases if phase != "idle"][:5],
                    ["connect", "tls", "request", "first byte", "transfer"], f"phases with TLS {version}")


def tls_on_an_odd_port(lab):
    name = f"pypi.example.com:{town.ODD_TLS_PORT}"
    pinned = f"{name}:198.51.100.10"
    endpoint = curl(lab, "--http1.1", "--resolve", pinned, f"https://{name}/", "-o", os.devnull,
                    f"https://{name}/").endpoint(name, ("tls_sni",))
    check_equal((endpoint.connections, endpoint.connections_reused, endpoint.requests), (1, 1, 2),
                "connections, those used again, requests")


def http_host_alone(lab):
    run = curl(lab, "--header", "Host: pypi.example.com", "http://198.51.100.10/")
    run.endpoint("pypi.example.com:80", ("http_host",))


def http2_authority(lab):
    run = curl(lab, "--http2-prior-knowledge", f"http://pypi.example.com:{town.HTTP2_PORT}/")
    endpoint = run.endpoint(f"pypi.example.com:{town.HTTP2_PORT}", ("http2_authority", "dns"))
    check(endpoint.requests >= 1, "no request was counted")
    check_equal(endpoint.requests_exact, False, "whether HTTP/2's requests are counted exactly")


# One name, several addresses.


def check_race(run, lost):
    endpoint = run.endpoint("dual.test:80", ("dns",))
    check_equal(sorted(endpoint.addresses), ["198.51.100.10", "2001:db8:dead::9"], "addresses")
    outcomes = endpoint.connect_attempts["outcomes"]
    check_equal(endpoint.connect_attempts["count"], 2, "attempts")
    check_equal(outcomes.get("connected", 0), 1, "attempts that connected")
    for outcome in lost:
        if outcomes.get(outcome, 0) == 1:
            return
    check(False, f"the dead address is none of {lost}: {outcomes}")


def curl_races(lab):
    check_race(curl(lab, "--happy-eyeballs-timeout-ms", "100", "http://dual.test/", needed=("IPv6",)), ("lost_race",))


def asyncio_races(lab):
    check_race(record(lab, [PYTHON, os.path.join(CLIENTS, "race.py"), "dual.test"], "IPv6"), ("lost_race",))


def node_tries_both(lab):
    """Node gives the first address 250 ms and then turns to the second: no race, but two attempts."""
    version = lab.run(["node", "--version"]).output if shutil.which("node") else b"v0"
    if int(version.decode().removeprefix("v").split(".")[0]) < 20:
        raise Skipped(f"node {version.decode().strip()} tries the first address only: 20 and above try both")
    run = record(lab, ["node", os.path.join(CLIENTS, "fetch.mjs"), "http://dual.test/"], "IPv6")
    check_race(run, ("lost_race", "abandoned", "timed_out"))


def node_fetches_over_tls(lab):
    side = lab.shared(ClientSide)
    run = record(lab, ["node", os.path.join(CLIENTS, "fetch.mjs"), "https://pypi.example.com/",
                       f"https://pypi.example.com/files/{side.wheel}"],
                 environment={"NODE_EXTRA_CA_CERTS": side.authority})
    endpoint = run.endpoint("pypi.example.com:443", ("tls_sni",))
    check(endpoint.bytes_received > town.BIG_BYTES, f"{endpoint.bytes_received} bytes are less than the file")


def attached_while_it_hangs(lab):
    """curl hangs; slowtrace comes and goes; curl gives up when and as it would have."""
    side = lab.shared(ClientSide)
    side.require("curl")
    client = side.start(["curl", "--silent", "--connect-timeout", "4", "http://extra.example.org/"])
    wait_until_hanging(client.pid)
    name = lab.path("attached")
    finished = lab.run([lab.binary, "-p", str(client.pid), "--for", "1s", "-o", name, "--no-json"])
    check(client.poll() is None, "curl ended while slowtrace looked on")
    check_equal(finished.status, 0, f"slowtrace's status ({finished.report[-400:]})")
    check_equal(client.wait(timeout=20), 28, "curl's status, which says that it timed out")
    endpoint = Ledger(lab, name + ".slowtrace").one("203.0.113.9:80")
    check_equal(endpoint.transport, "tcp", "transport")
    wall = finished.report.split("All threads together")[0]
    check("connecting to 203.0.113.9:80" in wall, f"the report does not tell what curl waits for: {wall}")


def wait_until_hanging(pid):
    """Until the process' own table of connections shows one in SYN_SENT (state 02 of /proc/PID/net/tcp)."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with open(f"/proc/{pid}/net/tcp") as file:
            if any(line.split()[3] == "02" for line in file.readlines()[1:]):
                return
        time.sleep(0.05)
    raise AssertionError("curl does not hang")


# Through a proxy.


def tunnel(lab):
    run = curl(lab, "--proxy", f"http://{PROXY}", "https://files.test/", needed=("tinyproxy",))
    endpoint = run.endpoint("files.test:443", ("http_connect", "tls_sni"), PROXY)
    check_equal(endpoint.connections, 1, "connections")
    check_equal(endpoint.phases["tls"]["count"], 1, "handshakes")


def pip_through_tunnel(lab):
    side = lab.shared(ClientSide)
    target = lab.path("wheels")
    command = [PYTHON, "-m", "pip", "download", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "--no-deps",
               "--proxy", f"http://{PROXY}", "--cert", side.authority, "--index-url",
               "https://pypi.example.com/simple/", "-d", target, "example-package-01"]
    endpoint = record(lab, command, "tinyproxy").endpoint("pypi.example.com:443", ("http_connect", "tls_sni"), PROXY)
    check_equal(os.listdir(target), [side.wheel], "what pip downloaded")
    check(endpoint.bytes_received > town.BIG_BYTES, f"{endpoint.bytes_received} bytes are less than the wheel")


def plain_proxy(lab):
    # curl may try the connection that the proxy is about to close, and then ask again on a new one.
    run = curl(lab, "--proxy", f"http://{PROXY}", "http://pypi.example.com/", "-o", os.devnull,
               "http://cdn.example.net/", needed=("tinyproxy",))
    for name, most in (("pypi.example.com:80", 1), ("cdn.example.net:80", 2)):
        endpoint = run.endpoint(name, ("http_target",), PROXY)
        check(1 <= endpoint.requests <= most, f"{endpoint.requests} requests to {name}")


def socks(lab):
    run = curl(lab, "--socks5-hostname", SOCKS, "https://files.test/")
    run.endpoint("files.test:443", ("socks", "tls_sni"), SOCKS)
    run = curl(lab, "--socks5-hostname", SOCKS, "http://cdn.example.net/")
    run.endpoint("cdn.example.net:80", ("socks", "http_host"), SOCKS)


# What name servers answer.


def dns_servers(run):
    servers = [one for one in run.ledger.endpoints if one["dns_server"]]
    check(servers, f"no DNS server among {run.ledger.endpoints}")
    return servers


def alias_chain(lab):
    run = curl(lab, "http://chain.test/")
    run.endpoint("chain.test:80", ("dns",))
    check("CNAME cdn.example.net" in run.report, "the report does not tell where the alias leads")


def answer_too_long_for_udp(lab):
    run = curl(lab, "http://many.test/")
    run.endpoint("many.test:80", ("dns",))
    # Over UDP one of the two questions stays open: the other's answer was cut short, and the resolver turned to TCP.
    by_tcp = [one for one in dns_servers(run) if one.transport == "tcp"]
    check_equal(len(by_tcp), 1, "DNS servers asked over TCP")
    check(by_tcp[0].dns_server["questions"] >= 2, f"{by_tcp[0].dns_server} over TCP, where two were asked")
    check_equal(by_tcp[0].dns_server["unanswered"], 0, "questions over TCP without an answer")


def answer_with_edns(lab):
    side = lab.shared(ClientSide)
    command = ["curl", "--silent", "--output", os.devnull, "http://many.test/"]
    run = Recorded(lab, side.record(command, environment={"RES_OPTIONS": "edns0"}), 0)
    run.endpoint("many.test:80", ("dns",))


def failing_names(lab):
    for host in ("absent.test", "broken.test"):
        run = curl(lab, f"http://{host}/", status=6)
        check(sum(one.dns_server["negative"] for one in dns_servers(run)) >= 1, f"no answer for {host} in vain")
        check_equal(run.ledger.all(f"{host}:80"), [], f"endpoints named {host}")
        check(host in run.timeline, f"the timeline does not tell that {host} was asked for")


def slow_answer(lab):
    run = record(lab, [PYTHON, os.path.join(CLIENTS, "download.py"), "http://slow.test/"])
    endpoint = run.endpoint("slow.test:80", ("dns",))
    check(endpoint.phases["dns"]["max_ns"] > 350_000_000, f"dns took {endpoint.phases['dns']['max_ns']} ns, the answer was 400 ms late")
    wall = run.report.split("All threads together")[0]
    check("asking DNS for slow.test" in wall, f"the wall clock's causes do not tell of slow.test: {wall}")


def name_from_hosts_file(lab):
    curl(lab, "http://listed.test/").endpoint("listed.test:80", ("hosts_file",))


def cases(_lab):
    yield "names: two server names at one address", two_names_by_dns
    yield "names: two server names at one address, no DNS", two_names_without_dns
    yield "names: a TLS server name alone", server_name_alone
    yield "names: TLS 1.2 and 1.3", tls_versions
    yield "names: TLS on an odd port, a connection used twice", tls_on_an_odd_port
    yield "names: an HTTP Host alone", http_host_alone
    yield "names: an HTTP/2 authority", http2_authority
    yield "names: curl races two addresses, one dead", curl_races
    yield "names: asyncio races two addresses, one dead", asyncio_races
    yield "names: node tries two addresses, one dead", node_tries_both
    yield "names: node fetches over TLS", node_fetches_over_tls
    yield "names: attached to curl while it hangs", attached_while_it_hangs
    yield "names: curl through a CONNECT proxy", tunnel
    yield "names: pip through a CONNECT proxy", pip_through_tunnel
    yield "names: absolute targets through a proxy", plain_proxy
    yield "names: a domain through SOCKS5", socks
    yield "names: a chain of aliases", alias_chain
    yield "names: an answer too long for UDP", answer_too_long_for_udp
    yield "names: a long answer with EDNS", answer_with_edns
    yield "names: names that fail", failing_names
    yield "names: a slow answer", slow_answer
    yield "names: a name from the hosts file", name_from_hosts_file
