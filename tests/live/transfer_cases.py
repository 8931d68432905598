"""How many bytes, from which host, at what rate, and how many at a time: the ledger against nginx's and the client's."""

import json
import os
import re
import sys

from endpoints import Ledger
from lab import REPOSITORY, check, check_equal, check_possible, first_cause_line

SCENARIOS = os.path.join(REPOSITORY, "fixtures", "scenarios")
RATE_TOLERANCE = 0.05
FILES = 8


def perform(lab, scenario, *options):
    """Runs a scenario under slowtrace; returns its output folder and the accounts of the servers and clients."""
    output = lab.path(scenario)
    finished = lab.run([sys.executable, os.path.join(SCENARIOS, scenario, "scenario.py"), "run", "--slowtrace",
                        lab.binary, "--option=--no-json", "--output", output, *options], deadline=120)
    check_possible(finished.status, finished.report)
    with open(os.path.join(output, "accounts.json")) as file:
        return output, json.load(file)


def run_of(output, name):
    return os.path.join(output, f"{name}.slowtrace")


def check_bytes(endpoint, account):
    check_equal(endpoint.bytes_sent, account["sent_to_nginx"], f"bytes sent to {endpoint.name}")
    check_equal(endpoint.bytes_received, account["sent_by_nginx"], f"bytes received from {endpoint.name}")
    check_equal(endpoint.requests, account["requests"], f"requests to {endpoint.name}")


def check_near(value, wanted, tolerance, what):
    check(abs(value - wanted) <= tolerance * wanted, f"{what}: {value} is not within {tolerance:.0%} of {wanted}")


# A wheel of 60 MB through a link of 100 Mbit/s, and from a cache on this side of it.


def check_proxy(lab, output, accounts):
    """Both runs; returns their endpoints, the direct one first."""
    endpoints = []
    for name, host in (("proxy-direct", "pypi.example.com:80"), ("proxy-cached", "cache.test:80")):
        ledger = Ledger(lab, run_of(output, name))
        endpoint = ledger.one(host)
        check_bytes(endpoint, accounts[name])
        check_equal(ledger.endpoints[0].name, host, f"the endpoint most waited for in {name}")
        endpoints.append(endpoint)
    direct, cached = endpoints
    link = 100_000_000 / 8
    check(0.8 * link < direct.bytes_per_second < link, f"{direct.bytes_per_second} bytes/s passed a link of {link:.0f}")
    check(cached.bytes_per_second > 1.2 * direct.bytes_per_second, f"the cache gave {cached.bytes_per_second} bytes/s, the link {direct.bytes_per_second}")
    check(cached.waited["total_ns"] < direct.waited["total_ns"] / 2, "the cache was waited for as long as the link")
    return direct, cached


def wheel_by_pip(lab):
    output, accounts = perform(lab, "proxy", "--client", "pip")
    check_proxy(lab, output, accounts)
    report = lab.report_of(run_of(output, "proxy-direct"))
    check("receiving from pypi.example.com:80" in first_cause_line(report),
          f"the first cause is {first_cause_line(report)!r}, not the download")
    check(re.search(r"\d MB/s|\d MiB/s", report), "the report tells no rate")


def wheel_by_curl(lab):
    output, accounts = perform(lab, "proxy", "--client", "curl")
    for endpoint, account in zip(check_proxy(lab, output, accounts), accounts.values()):
        told = account["client"]
        check_near(endpoint.bytes_per_second, told["body_bytes"] / told["body_seconds"], RATE_TOLERANCE,
                   f"the rate from {endpoint.name} and curl's own")


# The same files one after another and eight at a time; the names inside a wheel.


def check_strip(report, most):
    """The strip of downloads in flight shows that many at once, and never more."""
    found = re.search(r"^Downloads in flight over time, at most (\d+) at once\n +(\S+)  in flight", report, re.MULTILINE)
    check(found, "the report has no strip of downloads in flight")
    check_equal(int(found.group(1)), most, "most downloads in flight, as the report says")
    check_equal(max(map(int, re.findall(r"\d", found.group(2)))), most, f"most in {found.group(2)!r}")


def parallel(lab, library):
    output, accounts = perform(lab, "parallel", "--client", library, "--files", str(FILES))
    serial, together = (Ledger(lab, run_of(output, name)) for name in ("serial", "parallel"))
    one, many = (ledger.one("pypi.example.com:80") for ledger in (serial, together))
    check_bytes(one, accounts["serial"])
    check_bytes(many, accounts["parallel"])
    check_equal(one.peak_concurrency, 1, "downloads at once, one after another")
    check_equal(many.peak_concurrency, FILES, "downloads at once, all together")
    check(0.99 <= one.mean_concurrency <= 1.0, f"mean concurrency {one.mean_concurrency} one after another")
    check(many.mean_concurrency > FILES / 2, f"mean concurrency {many.mean_concurrency} all together")
    check(many.transferring_ns < one.transferring_ns / 2, "all together transferred as long as one after another")
    wall = serial.document["run"]["wall_ns"]
    check(one.waited["wall_share_ns"] > 0.8 * wall, f"{one.waited['wall_share_ns']} of {wall} ns are explained by the server")
    check_strip(lab.report_of(run_of(output, "serial")), 1)
    explained = lab.report_of(run_of(output, "parallel"))
    check_strip(explained, FILES)
    check(library == "asyncio" or re.search(r"waiting for lock .*\n +meanwhile its other threads: receiving from pypi\.example\.com:80", explained),
          "the main thread's wait for the others is not explained by what they did")
    return output, accounts


def by_http_client(lab):
    output, accounts = parallel(lab, "http.client")
    told = accounts["tail"]["client"]
    tail = Ledger(lab, run_of(output, "tail")).one("pypi.example.com:80")
    check_bytes(tail, accounts["tail"])
    check_equal(tail.requests, told["ranges"] + 1, "range requests, and the one for the size")
    check_equal((tail.connections, tail.connections_reused), (1, 1), "connections and how many were reused")
    check(tail.bytes_received < told["size"] / 20, f"{tail.bytes_received} of {told['size']} bytes are not a tail")


def by_urllib3(lab):
    output, accounts = parallel(lab, "urllib3")
    serial = Ledger(lab, run_of(output, "serial")).one("pypi.example.com:80")
    check_equal((serial.connections, serial.connections_reused), (1, 1), "connections and how many were reused")
    check_equal(accounts["serial"]["requests"], FILES, "requests")


def by_asyncio(lab):
    parallel(lab, "asyncio")


def cases(_lab):
    yield "transfer: a wheel by pip through a slow link and from a cache", wheel_by_pip
    yield "transfer: a wheel by curl through a slow link and from a cache", wheel_by_curl
    yield "transfer: one after another and together, by http.client; ranges", by_http_client
    yield "transfer: one after another and together, by urllib3", by_urllib3
    yield "transfer: one after another and together, by asyncio", by_asyncio
