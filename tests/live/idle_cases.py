"""Time that ran out beside a connection: a program's own sleep is not its server's, a stalled answer is."""

import contextlib
import re
import socket
import sys
import threading
import time

from lab import check, check_equal

TOGETHER = True
PAUSE = 0.6  # seconds
HALF = 100_000

# The connection stays open while it sleeps; the loop's timer ends no wait for more of an answer.
CLIENT = """
import asyncio, sys
port, ticks, sleep = int(sys.argv[1]), sys.argv[2] == "stalls", float(sys.argv[3])
async def tick():
    while True:
        await asyncio.sleep(0.1)
async def main():
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    ticking = asyncio.create_task(tick()) if ticks else None
    for _ in range(2):
        writer.write(b"GET / HTTP/1.1\\r\\nHost: files.example.com\\r\\n\\r\\n")
        await writer.drain()
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        await reader.readexactly(%d)
        if not ticks:
            await asyncio.sleep(sleep)
    writer.close()
asyncio.run(main())
""" % (2 * HALF)


def answer(client, pause):
    with client:
        while client.recv(4096):
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * HALF) + bytes(HALF))
            time.sleep(pause)
            client.sendall(bytes(HALF))


@contextlib.contextmanager
def server(pause):
    """Answers in two halves, with a pause between them; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with contextlib.suppress(OSError):
                answer(listener.accept()[0], pause)
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def wall_of(lab, mode, pause):
    with server(pause) as port:
        finished = lab.record([sys.executable, "-c", CLIENT, str(port), mode, str(PAUSE)])
        check_equal(finished.status, 0, f"the client's status ({finished.report[-400:]})")
        report = lab.report_of(finished.run)
    found = re.search(r"^Where the .* went\n(.*?)\n\n", report, re.MULTILINE | re.DOTALL)
    check(found, f"the report does not say where the time went: {report[:400]}")
    return f"files.example.com:{port}", found.group(1)


def sleep_beside_connection(lab):
    name, wall = wall_of(lab, "sleeps", 0)
    check(re.search(r"^ +\d+ms .*  sleeping: 1 wait", wall, re.MULTILINE), f"no sleep between the requests in {wall}")
    check(f"sleeping while {name} was silent: 1 wait" in wall, f"no sleep before the end in {wall}")
    blamed = re.search(rf"^ +([\d.]+)(ms|s) .*receiving from {re.escape(name)}", wall, re.MULTILINE)
    longest_ms = PAUSE * 1000 / 2
    if blamed:
        check(blamed.group(2) == "ms" and float(blamed.group(1)) < longest_ms, f"the server is blamed for a sleep: {wall}")


def stalled_answer(lab):
    name, wall = wall_of(lab, "stalls", PAUSE)
    received = re.search(rf"^ +([\d.]+)s .*receiving from {re.escape(name)}", wall, re.MULTILINE)
    check(received and float(received.group(1)) > 2 * PAUSE * 0.8, f"the server's pauses are not told: {wall}")
    check("sleeping" not in wall, f"a stalled answer is taken for a sleep: {wall}")


def cases(_lab):
    yield "idle: a sleep beside a connection that owes nothing", sleep_beside_connection
    yield "idle: an answer that stalls while timers run", stalled_answer
