"""Who is at the other end inside this machine: servers outside the trace and inside it, and very many connections."""

import json
import os
import subprocess
import sys
import tempfile
import time

from client_side import SCENARIOS
from endpoints import Ledger
from lab import DEADLINE_SECONDS, Skipped, check, check_equal

import namespaces
import processes
import web

MANY = 50_000
QUESTION_BYTES, ANSWER_BYTES = 10, 100  # of fixtures/programs/connections.c
GROWTH_LIMIT = 48 << 20  # what MANY connections may cost in memory: about 1 KiB each


class LocalServers:
    """nginx on a loopback port and on a UNIX socket, and a server of short answers; none of them is traced."""

    def __init__(self, lab):
        # A UNIX socket's path has at most 107 octets (unix(7)).
        self._folder = tempfile.mkdtemp(prefix="slowtrace-local-", dir=lab.folder)
        os.chmod(lab.folder, 0o755)
        os.chmod(self._folder, 0o755)
        self._servers = processes.Servers(self._folder)
        root = os.path.join(self._folder, "www")
        os.mkdir(root)
        with open(os.path.join(root, "file"), "wb") as file:
            file.write(bytes(100_000))
        self.path = os.path.join(self._folder, "socket")
        self.port = processes.free_port()
        try:
            self.nginx = web.start_nginx(self._servers, [web.Site(f"127.0.0.1:{self.port}", root),
                                                         web.Site(f"unix:{self.path}", root)])
        except namespaces.Unavailable as reason:
            self.close()
            raise Skipped(str(reason)) from None
        self.nginx_pid = self._servers.running("nginx").pid

    def close(self):
        self._servers.stop_all()


def check_outside(lab, name, *words):
    """curl fetches a file from an nginx that is not traced: the ledger names it, and has the bytes nginx counted."""
    servers = lab.shared(LocalServers)
    earlier = len(servers.nginx.requests())
    finished = lab.record(["curl", "--silent", "--show-error", "--noproxy", "*", "--output", os.devnull, *words])
    check_equal(finished.status, 0, f"curl's status ({finished.report[-400:]})")
    [request] = servers.nginx.requests_after(earlier, 1)
    endpoint = Ledger(lab, finished.run).one(name)
    check_equal(endpoint.bytes_sent, request.received, "bytes sent")
    check_equal(endpoint.bytes_received, request.sent, "bytes received")
    check_equal((endpoint.local_peer["pid"], endpoint.local_peer["name"]), (servers.nginx_pid, "nginx"),
                "who is at the other end")
    check_equal(endpoint.local_peer["traced"], False, "whether nginx was traced")
    check("nginx" in lab.report_of(finished.run), "the report does not name nginx")


def require_curl():
    try:
        namespaces.find_program("curl")
    except namespaces.Unavailable as reason:
        raise Skipped(str(reason)) from None


def unix_server_outside(lab):
    require_curl()
    servers = lab.shared(LocalServers)
    check_outside(lab, servers.path, "--unix-socket", servers.path, "http://localhost/file")


def loopback_server_outside(lab):
    require_curl()
    where = f"127.0.0.1:{lab.shared(LocalServers).port}"
    check_outside(lab, where, f"http://{where}/file")


def check_pair(lab, kind):
    path = os.path.join(tempfile.mkdtemp(dir=lab.folder), "socket")
    finished = lab.record([sys.executable, os.path.join(SCENARIOS, "clients", "pair.py"), kind, path])
    check_equal(finished.status, 0, f"status ({finished.report[-400:]})")
    told = json.loads(finished.output)
    ledger = Ledger(lab, finished.run)
    endpoint = ledger.one(told["where"])
    check_equal((endpoint.role, endpoint.connections), ("client", 1), "the asking end")
    [accepted] = [one for one in ledger.endpoints if one.role == "server"]
    check_equal((accepted.connections, accepted.bytes_received, accepted.bytes_sent), (1, told["sent"], told["received"]),
                "the answering end")
    check_equal((endpoint.bytes_sent, endpoint.bytes_received), (told["sent"], told["received"]), "bytes")
    check_equal(endpoint.local_peer["pid"], told["child"], "the process at the other end")
    check_equal(endpoint.local_peer["traced"], True, "whether it was traced")


def traced_pair_by_tcp(lab):
    check_pair(lab, "tcp")


def traced_pair_by_unix_socket(lab):
    check_pair(lab, "unix")


def record_connections(lab, port, count):
    """Records `count` connections; returns the trace and the most memory slowtrace used, in bytes."""
    name, errors = lab.path("connections"), lab.path("stderr")
    # A sanitized slowtrace keeps what it has freed for a while.
    environment = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1:detect_leaks=0"}
    with open(errors, "wb") as report:
        process = lab.start([lab.binary, "-o", name, "--no-json", "--", lab.program("connections"), str(port),
                             str(count)], stdout=subprocess.DEVNULL, stderr=report, env=environment)
        deadline = time.monotonic() + 3 * DEADLINE_SECONDS
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.05)
    process.returncode = os.waitstatus_to_exitcode(status)
    with open(errors, errors="replace") as report:
        check_equal(process.returncode, 0, f"status ({report.read()[-400:]})")
    return name + ".slowtrace", usage.ru_maxrss * 1024


def many_connections(lab):
    with processes.Servers(lab.folder) as servers:
        port = processes.free_port()
        command = [sys.executable, os.path.join(SCENARIOS, "servers", "answers.py"), str(port)]
        servers.start("answers", command, lambda: processes.accepts("127.0.0.1", port))
        _, few = record_connections(lab, port, 1000)
        run, many = record_connections(lab, port, MANY)
    check(many - few < GROWTH_LIMIT, f"{MANY} connections took {many >> 10} KiB, 1000 of them {few >> 10} KiB")
    endpoint = Ledger(lab, run).one(f"127.0.0.1:{port}")
    check_equal(endpoint.connections, MANY, "connections")
    check_equal(endpoint.requests, MANY, "requests")
    check_equal(endpoint.connect_attempts["outcomes"], {"connected": MANY}, "attempts")
    check_equal(endpoint.bytes_sent, MANY * QUESTION_BYTES, "bytes sent")
    check_equal(endpoint.bytes_received, MANY * ANSWER_BYTES, "bytes received")
    check_equal(endpoint.peak_concurrency, 1, "at once")


def cases(_lab):
    yield "local: a UNIX socket's server outside the trace", unix_server_outside
    yield "local: a loopback server outside the trace", loopback_server_outside
    yield "local: a traced pair over TCP", traced_pair_by_tcp
    yield "local: a traced pair over a UNIX socket", traced_pair_by_unix_socket
    yield "local: 50,000 connections", many_connections
