"""--live and SIGUSR1: what is said while a program runs."""

import fcntl
import os
import re
import signal
import sys
import time

from attach_cases import Program, STOPPABLE
from lab import check, check_equal, end_session, session_members

HOLE = """
import socket, sys, threading, time
listener = socket.create_server(("127.0.0.1", 0), backlog=0)
port = listener.getsockname()[1]
fillers = []
for _ in range(8):
    filler = socket.socket()
    filler.setblocking(False)
    filler.connect_ex(("127.0.0.1", port))
    fillers.append(filler)
time.sleep(0.05)
print(port, flush=True)
client = socket.socket()
client.settimeout(float(sys.argv[1]) if sys.argv[1] != "blocking" else None)
worker = threading.Thread(target=time.sleep, args=(float(sys.argv[2]),))
worker.start()
try:
    client.connect(("127.0.0.1", port))
except TimeoutError:
    print("timed out", flush=True)
worker.join()
"""


SLICES = HOLE.split("worker = ")[0] + """
import select
client.setblocking(False)
client.connect_ex(("127.0.0.1", port))
waiting = select.poll()
waiting.register(client, select.POLLOUT)
for _ in range(int(sys.argv[2])):
    waiting.poll(150)
client.close()
time.sleep(0.05)
"""


def lines_of(finished):
    return [line for line in finished.report.splitlines() if line.startswith("slowtrace: ")]


def long_connect(lab):
    """One line while it lasts, one when it has ended; the state is the kernel's own word."""
    traced = lab.record([sys.executable, "-c", HOLE, "1.2", "0.1"], "--live=200ms")
    check_equal((traced.status, traced.output.split()[1:]), (0, [b"timed", b"out"]), "the program's end")
    port = traced.output.split()[0].decode()
    told = [line for line in lines_of(traced) if f"connecting to 127.0.0.1:{port}" in line]
    check(len(told) >= 2, f"told {told} in {traced.report}")
    check(re.search(r"python\S*\[\d+\] connecting to \S+ \(python\S*\) for [\d.]+m?s so far: \S*poll\S*, SYN_SENT$", told[0]),
          f"the first line: {told[0]!r}")
    check(re.search(r" took [\d.]+s: timed out$", told[-1]), f"the last line: {told[-1]!r}")


def blocking_connect(lab):
    """The peer of a connect that has not returned is known from its arguments."""
    name, errors = lab.path("run"), lab.path("stderr")
    with open(errors, "wb") as err, open(lab.path("stdout"), "wb") as out:
        process = lab.start([lab.binary, "-o", name, "--no-json", "--live=200ms", "--", sys.executable, "-c", HOLE,
                             "blocking", "0"], stdout=out, stderr=err)
        try:
            text = await_line(errors, r"connecting to 127\.0\.0\.1:\d+ for .* so far: connect, SYN_SENT")
        finally:
            end_session(process)
    check("unknown peer" not in text, f"said: {text!r}")


def connect_in_slices(lab):
    """Waits that are each too short to be told, one after the other for the same connection."""
    traced = lab.record([sys.executable, "-c", SLICES, "blocking", "8"], "--live=500ms")
    check_equal(traced.status, 0, "the program's end")
    told = [line for line in lines_of(traced) if "connecting to" in line]
    check_equal(len(told), 2, f"lines of {told} in {traced.report}")
    begun = re.search(r" for ([\d.]+)(m?s) so far: poll, SYN_SENT$", told[0])
    check(begun, f"the first line: {told[0]!r}")
    check(float(begun[1]) * (1000 if begun[2] == "s" else 1) >= 500, f"told too early: {told[0]!r}")
    ended = re.search(r" took ([\d.]+)s: timed out$", told[1])
    check(ended and float(ended[1]) >= 8 * 0.15, f"the last line: {told[1]!r}")


def await_line(path, pattern, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        with open(path, "rb") as file:
            text = file.read().decode(errors="replace")
        if re.search(pattern, text):
            return text
        check(time.monotonic() < deadline, f"{pattern!r} was not said, but {text!r}")
        time.sleep(0.05)


def child_told_once(lab):
    """The shell's wait for a child that is told itself is not."""
    traced = lab.record(["sh", "-c", "sleep 0.9; true"], "--live=200ms")
    told = [line for line in lines_of(traced) if "so far" in line]
    check(told and all("sleeping" in line for line in told), f"told {told}")


def live_without_value(lab):
    """--live is followed by the command, with or without --."""
    for command in (["--", "sh", "-c", "exit 3"], ["sh", "-c", "exit 3"]):
        finished = lab.run([lab.binary, "-o", lab.path("run"), "--no-json", "--live", *command])
        check_equal(finished.status, 3, f"status of {command}")
        check("so far" not in finished.report, f"said: {finished.report}")


def nothing_without_live(lab):
    traced = lab.record(["sleep", "1.3"])
    check("so far" not in traced.report, f"said: {traced.report}")


def asked(live):
    """SIGUSR1: every thread, whatever it does, and the command hears nothing of it."""

    def test(lab):
        name, output, errors = lab.path("run"), lab.path("stdout"), lab.path("stderr")
        with open(output, "wb") as out, open(errors, "wb") as err:
            process = lab.start([lab.binary, "-o", name, "--no-json", *live, "--", sys.executable, "-c", HOLE, "2.5",
                                 "3"], stdout=out, stderr=err)
            try:
                await_line(output, r"\d+\n")
                time.sleep(0.3)
                process.send_signal(signal.SIGUSR1)
                text = await_line(errors, r"slowtrace: 2 threads after .*\n.*\n.*\n")
                for _ in range(20):
                    process.send_signal(signal.SIGUSR1)
                status = process.wait(timeout=30)
            finally:
                end_session(process)
        check_equal(status, 0, "the command's status")
        table = re.search(r"slowtrace: 2 threads after .*\n((?:  .*\n)+)", text).group(1)
        check(re.search(r"connecting to 127\.0\.0\.1:\d+ \(python\S*\): \S*poll\S*, SYN_SENT", table), f"the table: {table}")
        check(re.search(r"sleeping: \S*nanosleep", table), f"the table: {table}")
        check("Where the " in lab.report_of(name + ".slowtrace"), "no report")

    return test


def asked_while_attached(lab):
    with Program(lab, [sys.executable, "-c", STOPPABLE], stdin=-1) as program:
        errors = lab.path("stderr")
        with open(errors, "wb") as err:
            process = lab.start([lab.binary, "-o", lab.path("run"), "--no-json", "-p", str(program.pid)], stderr=err)
            try:
                time.sleep(1)
                process.send_signal(signal.SIGUSR1)
                text = await_line(errors, r"slowtrace: 1 thread after .*\n.*: read\n")
                program.process.stdin.close()
                check_equal((program.wait(), process.wait(timeout=20)), (0, 0), "statuses")
            finally:
                end_session(process)
    check(re.search(r"at least \S+ .*: read\n", text), f"the call it was found in: {text!r}")


READER = """
import os, time
time.sleep(2)
while octets := os.read(0, 4096):
    os.write(1, octets)
"""


def reader_is_attached(lab):
    """Whoever reads what is said may be held by the one who says it: nobody waits for the other."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    filling = b"." * 4095 + b"\n"
    seen = lab.path("seen")
    with open(seen, "wb") as output:
        reader = lab.start([sys.executable, "-c", READER], stdin=reading, stdout=output)
    os.close(reading)
    process = None
    try:
        os.write(writing, filling)
        process = lab.start([lab.binary, "-o", lab.path("run"), "--no-json", "--live=100ms", "--for", "3s", "-p",
                             str(reader.pid)], stderr=writing)
        os.close(writing)
        await_line(f"/proc/{reader.pid}/status", r"TracerPid:\t[1-9]")
        for _ in range(8):
            time.sleep(0.1)
            process.send_signal(signal.SIGUSR1)
        check_equal((process.wait(timeout=20), reader.wait(timeout=20)), (0, 0), "statuses")
    finally:
        if process:
            end_session(process)
        end_session(reader)
    with open(seen, "rb") as file:
        text = file.read()[len(filling):].decode()
    told, report = text.find(" so far: "), text.find("Where the ")
    check(0 <= told < report, f"said: {text!r}")


def asked_of_many(lab):
    """Threads by the hundred, a question in the middle of them."""
    errors = lab.path("stderr")
    with open(errors, "wb") as err:
        process = lab.start([lab.binary, "-o", lab.path("run"), "--no-json", "--", lab.program("thread_storm")],
                            stderr=err, stdout=err)
        try:
            deadline = time.monotonic() + 20
            while len(session_members(process.pid)) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            while process.poll() is None:
                process.send_signal(signal.SIGUSR1)
                time.sleep(0.02)
        finally:
            end_session(process)
    check_equal(process.returncode, 0, "the command's status")
    with open(errors, "rb") as file:
        tables = re.findall(r"slowtrace: (\d+) threads? after .*\n((?:  .*\[\d+\].*\n)+)", file.read().decode())
    check(tables, "no table")
    for count, rows in tables:
        check_equal(rows.count("\n"), int(count), "rows of a table")


def cases(_lab):
    yield "live: a connect that hangs", long_connect
    yield "live: a blocking connect that hangs", blocking_connect
    yield "live: a connect that hangs, waited for in slices", connect_in_slices
    yield "live: a child is told, its parent's wait is not", child_told_once
    yield "live: the option alone", live_without_value
    yield "live: nothing is said without it", nothing_without_live
    yield "live: SIGUSR1", asked([])
    yield "live: SIGUSR1 with --live", asked(["--live"])
    yield "live: SIGUSR1 while attached", asked_while_attached
    yield "live: the reader of it is attached", reader_is_attached
    yield "live: SIGUSR1 among many threads", asked_of_many
