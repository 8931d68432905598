"""What the recorder learns of sockets: names on every way octets can take, the kernel's report before a connection
is gone, the process at the other end of a local one."""

import os
import re
import shutil
import socket
import sys
import threading

from lab import REPOSITORY, Skipped, check, check_equal
from trace_bytes import events, field

REQUEST = b"GET / HTTP/1.1\r\nHost: pypi.example.com\r\n\r\n"
# What every script below begins with: one connection to the server, and one request for it.
PRELUDE = f"""
import array, os, select, socket, sys, threading
REQUEST = {REQUEST!r}
port = int(sys.argv[1])
def connected():
    return socket.create_connection(("127.0.0.1", port))
"""
WAYS = {
    "write": "c = connected(); os.write(c.fileno(), REQUEST)",
    "pieces": "c = connected(); [c.send(REQUEST[at:at + 5]) for at in range(0, len(REQUEST), 5)]",
    "vectors": "c = connected(); os.writev(c.fileno(), [REQUEST[:20], b'', REQUEST[20:25], REQUEST[25:]])",
    "message": "c = connected(); c.sendmsg([REQUEST[:30], REQUEST[30:]])",
    "peek": "c = connected(); c.send(REQUEST); c.recv(100, socket.MSG_PEEK); c.recv(100)",
    "duplicate": "c = connected(); d = os.dup(c.fileno()); c.close(); os.write(d, REQUEST)",
    "child": "c = connected()\nif os.fork() == 0: c.send(REQUEST); os._exit(0)\nos.wait()",
    "other thread": "c = connected(); t = threading.Thread(target=c.send, args=(REQUEST,)); t.start(); t.join()",
    "not blocking": """
c = socket.socket(); c.setblocking(False); c.connect_ex(("127.0.0.1", port))
select.select([], [c], []); c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR); c.send(REQUEST)""",
    "interrupted": """
import signal, struct, time
signal.signal(signal.SIGALRM, lambda *_: None); signal.siginterrupt(signal.SIGALRM, True)
full = socket.create_server(("127.0.0.1", 0), backlog=0); fillers = []
for _ in range(4):
    fillers.append(socket.socket()); fillers[-1].setblocking(False); fillers[-1].connect_ex(full.getsockname())
import ctypes
c = socket.socket()
address = struct.pack("=H", socket.AF_INET) + struct.pack(">H4s8x", full.getsockname()[1], b"\\x7f\\0\\0\\x01")
signal.setitimer(signal.ITIMER_REAL, 0.2)
if ctypes.CDLL(None).connect(c.fileno(), address, len(address)) != -1: sys.exit(3)
threading.Thread(target=lambda: [full.accept() for _ in range(6)], daemon=True).start()
select.select([], [c], []); os.write(c.fileno(), REQUEST); os._exit(0)""",
    "passed": """
here, there = socket.socketpair(socket.AF_UNIX)
c = connected(); socket.send_fds(here, [b"x"], [c.fileno()]); c.close()
os.write(socket.recv_fds(there, 1, 1)[1][0], REQUEST)""",
    "looked at first": "c = connected(); c.getpeername(); select.select([c], [c], [], 0); c.send(REQUEST)",
    "IPv6": """
c = socket.socket(socket.AF_INET6)
c.connect(("::ffff:127.0.0.1", port)); c.send(REQUEST)""",
}


# A captured conversation (tests/fuzz/conversation.hpp) spoken again, datagram by datagram or write by write, with a
# server of the program's own.
REPLAY = """
def transfers():
    data = open(%r, "rb").read()
    while len(data) >= 3:
        size = int.from_bytes(data[1:3], "big")
        yield data[0] %% 2, data[3:3 + size]
        data = data[3 + size:]
kind = socket.SOCK_DGRAM if %r == "datagrams" else socket.SOCK_STREAM
server = socket.socket(socket.AF_INET, kind); server.bind(("127.0.0.1", 0)); there = server.getsockname()
client = socket.socket(socket.AF_INET, kind); client.bind(("127.0.0.1", 0)); here = client.getsockname()
if kind == socket.SOCK_STREAM:
    server.listen(); client.connect(there); far = server.accept()[0]
elif %r == "connected":
    client.connect(there)
for received, octets in transfers():
    if kind == socket.SOCK_STREAM:
        (far if received else client).sendall(octets)
        left = len(octets)
        while left > 0:
            left -= len((client if received else far).recv(left))
    elif received:
        server.sendto(octets, here); client.recvfrom(65536)
    else:
        client.send(octets) if %r == "connected" else client.sendmsg([octets[:50], octets[50:]], [], 0, there)
        server.recvfrom(65536)
"""
CONVERSATIONS = {
    "tls12": ("stream", "connected"), "tls13": ("stream", "connected"), "quic-client-v1": ("datagrams", "connected"),
    "quic-rfc9001": ("datagrams", "unconnected"), "quic-shuffled": ("datagrams", "unconnected"),
}


class Site:
    """An untraced server that answers whatever comes."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    @staticmethod
    def answer(connection):
        try:
            while connection.recv(4096):
                connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        except OSError:
            pass

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def told(lab, script, *options, **settings):
    """The events of a Python script's run, by kind."""
    with Site() as site:
        traced = lab.record([sys.executable, "-c", PRELUDE + script, str(site.port)], *options, **settings)
    check_equal(traced.status, 0, f"status ({traced.report[-500:]})")
    found = {}
    for kind, fields in events(traced.run):
        found.setdefault(kind, []).append(fields)
    return found


def names(found):
    return [field(fields, "name") for fields in found.get("stream", []) if "source:" in fields]


def name_is_read(way):
    def test(lab):
        check_equal(names(told(lab, WAYS[way])), ["pypi.example.com"], "names")

    return test


def conversation_is_understood(title):
    kind, joined = CONVERSATIONS[title]

    def test(lab):
        path = os.path.join(REPOSITORY, "fixtures/packets", title + ".conversation")
        found = told(lab, REPLAY % (path, kind, joined, joined))
        check_equal(len(names(found)), 1, f"names in {names(found)}")
        with open(path, "rb") as file:
            content = file.read()
        # Those of QUIC are encrypted; of TLS the name stands there as it is.
        check(kind == "datagrams" or names(found)[0].encode() in content, f"not its name: {names(found)}")
        check(re.fullmatch(r"[a-z0-9.-]+\.[a-z]+", names(found)[0]), f"no host name: {names(found)}")
        sources = {field(fields, "source") for fields in found["stream"] if "source:" in fields}
        check_equal(sources, {"TLS_SNI" if kind == "stream" else "QUIC_SNI"}, "where it stood")

    return test


def own_server_claims_nothing(lab):
    """Both ends traced: what the server receives says nothing about whom it talks to."""
    found = told(lab, """
listener = socket.create_server(("127.0.0.1", 0)); port = listener.getsockname()[1]
client = connected(); server, _ = listener.accept()
client.send(REQUEST); server.recv(1000); server.send(b"HTTP/1.1 204 No Content\\r\\n\\r\\n"); client.recv(1000)""")
    facts = [fields for fields in found["stream"] if "source:" in fields or "request" in fields]
    check_equal(len({field(fields, "fd") for fields in facts}), 1, "descriptors with a name or a request")


def inherited_connection_is_read(lab):
    with Site() as site, socket.create_connection(("127.0.0.1", site.port)) as connection:
        number = connection.fileno()
        traced = lab.record([sys.executable, "-c", f"import os; os.write({number}, {REQUEST!r})"], pass_fds=[number])
        found = {}
        for kind, fields in events(traced.run):
            found.setdefault(kind, []).append(fields)
    check_equal(names(found), ["pypi.example.com"], "names")
    check(any(field(fields, "pid") == str(os.getpid()) for fields in found["peer_process"]),
          "the process at the other end is not told")


def kernel_reports_before_each_close(lab):
    found = told(lab, """
c = connected(); c.send(REQUEST); c.recv(1000); c.close()          # close
c = connected(); c.send(REQUEST); os.dup2(1, c.fileno())           # replaced
c = connected(); c.send(REQUEST); c.recv(1000); os._exit(0)        # left to the exit""")
    reports = found["tcp"]
    check_equal(len(reports), 3, "reports")
    for fields in reports:
        check_equal(field(fields, "closing"), "true", "closing")
        check(int(field(fields, "rtt_ns")) > 0, f"no round trip time: {fields}")
        # TCP_INFO counts an acknowledged SYN.
        check(int(field(fields, "bytes_acked")) in (1, len(REQUEST) + 1), f"octets acknowledged: {fields}")


def descriptors_closed_in_bulk_are_reported(lab):
    found = told(lab, """
all = [connected() for _ in range(5)]
os.closerange(all[0].fileno(), all[-1].fileno() + 1)
os._exit(0)""")
    check_equal(len(found["tcp"]), 5, "reports")


def peers_are_named(lab):
    with open("/proc/self/comm") as file:
        own_name = file.read().strip()
    found = told(lab, """
connected()
server = socket.socket(socket.AF_UNIX); server.bind("\\0slowtrace-peer-%d" % os.getpid()); server.listen()
client = socket.socket(socket.AF_UNIX); client.connect(server.getsockname()); server.accept()
nobody = socket.create_server(("127.0.0.1", 0)); closed = nobody.getsockname(); nobody.close()
socket.socket().connect_ex(closed)
service = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); service.bind(("127.0.0.1", 0))
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); asking.connect(service.getsockname())""")
    peers = found["peer_process"]
    check_equal(len(peers), 4, "peers: of the TCP connection, of both ends of the local one, of the datagrams")
    check_equal(field(peers[0], "pid"), str(os.getpid()), "who listens")
    check_equal(field(peers[0], "name"), own_name, "its name")
    check_equal([field(fields, "listener") for fields in peers], ["true", "true", "0", "true"], "listeners")
    own = {field(fields, "pid") for fields in peers[1:]}
    check(len(own) == 1 and str(os.getpid()) not in own, f"the program's own: {peers}")


def hosts_file_is_told_once(lab):
    found = told(lab, "[socket.getaddrinfo('localhost', 80) for _ in range(3)]")
    check_equal(len(found.get("hosts", [])), 1, "hosts files")
    check("localhost" in found["hosts"][0], "its entries")


def no_names_leaves_the_kernels_word(lab):
    found = told(lab, WAYS["write"], "--no-names")
    check("stream" not in found and "hosts" not in found, f"facts from octets: {sorted(found)}")
    check("tcp" in found, f"the kernel's word is missing: {sorted(found)}")
    check("peer_process" not in found, f"somebody looked for who listens: {sorted(found)}")


def name_service_is_heard(lab):
    """glibc's own client, asking a cache daemon through its socket."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise Skipped("a mount namespace needs root")
    name, service = lab.path("run"), os.path.join(os.path.dirname(os.path.abspath(__file__)), "name_service.py")
    inside = 'mount -t tmpfs none /run && exec "$0" "$@"'
    finished = lab.run(["unshare", "-m", "sh", "-c", inside, sys.executable, service, lab.binary, "--no-json", "-o",
                        name, "--", "getent", "ahostsv4", "extra.example.org"])
    if b"mount:" in finished.errors:
        raise Skipped("no file system may be mounted here")
    check_equal(finished.status, 0, f"status ({finished.report[-500:]})")
    check(b"192.0.2.7" in finished.output, f"not answered by it: {finished.output}")
    messages = [fields for kind, fields in events(name + ".slowtrace") if kind == "dns"]
    check_equal([field(fields, "carrier") for fields in messages], ["NSCD", "NSCD"], "how they travelled")
    check_equal([field(fields, "response") for fields in messages], ["0", "true"], "question and answer")
    check(all('name: "extra.example.org"' in fields for fields in messages), f"the name: {messages}")
    check(r'ip: "\300\000\002\007"' in messages[1], f"the address: {messages[1]}")


def cases(_lab):
    for way in WAYS:
        yield f"sockets: a name is read from {way}", name_is_read(way)
    for title in CONVERSATIONS:
        yield f"sockets: {title} is understood", conversation_is_understood(title)
    for test in (own_server_claims_nothing, inherited_connection_is_read, kernel_reports_before_each_close,
                 descriptors_closed_in_bulk_are_reported, peers_are_named, hosts_file_is_told_once,
                 no_names_leaves_the_kernels_word, name_service_is_heard):
        yield f"sockets: {test.__name__.replace('_', ' ')}", test
