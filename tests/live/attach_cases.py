"""-p: running programs recorded from outside and left as they were, and what is said when that cannot be."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from lab import DEADLINE_SECONDS, check, check_equal, end_session, process_state

READER = """
import socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
first = connection.recv(100)
connection.sendall(b"thanks")
print("received", first.decode(), flush=True)
"""
LOOP = """
import asyncio
async def tick(period):
    for _ in range(int(8 / period)):
        await asyncio.sleep(period)
async def main():
    print("ready", flush=True)
    await asyncio.gather(tick(0.05), tick(0.07))
    print("done", flush=True)
asyncio.run(main())
"""
STOPPABLE = """
import sys, time
print("ready", flush=True)
for line in sys.stdin:
    print("read", line.strip(), flush=True)
print("done", flush=True)
"""
FAMILY = """
import subprocess, sys, time
print("ready", flush=True)
sys.stdin.readline()
for _ in range(3):
    subprocess.run([sys.executable, "-c", "import threading; t = threading.Thread(target=print); t.start(); t.join()"])
print("done", flush=True)
"""
# Begins itself anew from a thread that is not its first, again and again.
EXECS = """
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void* wait(void* unused) { for (;;) usleep(100); return unused; }
static void* run(void* number) {
    char next[16];
    sprintf(next, "%d", atoi(number) + 1);
    usleep(500);
    if (atoi(number) < 1000000) execl("/proc/self/exe", "execs", next, (char*)0);
    _exit(3);
}
int main(int count, char** words) {
    pthread_t thread;
    if (count < 2) return 2;
    if (atoi(words[1]) == 0) { printf("ready\\n"); fflush(stdout); }
    for (int i = 0; i < 4; i++) pthread_create(&thread, 0, wait, 0);
    pthread_create(&thread, 0, run, words[1]);
    for (;;) pause();
}
"""
# Writes the same octets again and again to a pipe that is read slowly.
SAME_WRITE = """
import os, time
reading, writing = os.pipe()
if os.fork() == 0:
    os.close(writing)
    while os.read(reading, 65536):
        time.sleep(0.02)
    os._exit(0)
os.close(reading)
print("ready", flush=True)
octets, end = bytes(262144), time.monotonic() + 3
while time.monotonic() < end:
    assert os.write(writing, octets) == len(octets)
print("done", flush=True)
"""
# Its first thread ends alone; another goes on with a wait that has a time limit.
LEADERLESS = """
import ctypes, os, platform, select, threading, time
def go_on():
    print("ready", flush=True)
    begin = time.monotonic()
    select.epoll().poll(2)
    assert time.monotonic() - begin < 2.5
    print("done", flush=True)
    os._exit(0)
threading.Thread(target=go_on).start()
ctypes.CDLL(None).syscall({"x86_64": 60}.get(platform.machine(), 93), 0)
"""


class Program:
    """A program of ours that says "ready", its output kept in a file."""

    def __init__(self, lab, command, **options):
        self.path = lab.path("stdout")
        self.out = open(self.path, "wb")
        self.process = lab.start(command, stdout=self.out, stderr=subprocess.STDOUT, **options)
        self.pid = self.process.pid
        self.expect("ready")

    def output(self):
        with open(self.path, "rb") as file:
            return file.read().decode(errors="replace")

    def expect(self, text, seconds=20):
        deadline = time.monotonic() + seconds
        while text not in self.output():
            check(time.monotonic() < deadline, f"{text!r} was not printed, but {self.output()!r}")
            time.sleep(0.02)

    def wait(self, seconds=DEADLINE_SECONDS):
        return self.process.wait(timeout=seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end_session(self.process)
        self.out.close()


class Recording:
    """slowtrace attached to something, until it ends or is told to."""

    def __init__(self, lab, *arguments):
        self.lab, self.name, self.path = lab, lab.path("run"), lab.path("stderr")
        with open(self.path, "wb") as err:
            command = [lab.binary, "-o", self.name, "--no-json", *map(str, arguments)]
            self.process = lab.start(command, stdout=subprocess.DEVNULL, stderr=err)
        self.run = self.name + ".slowtrace"

    def errors(self):
        with open(self.path, "rb") as file:
            return file.read().decode(errors="replace")

    def await_attached(self, pid, seconds=20):
        """Every thread of the process is traced, and slowtrace waits."""
        deadline = time.monotonic() + seconds
        while not traced(pid):
            check(time.monotonic() < deadline and self.process.poll() is None, f"not attached: {self.errors()}")
            time.sleep(0.02)
        time.sleep(0.3)

    def end(self, number=signal.SIGINT, seconds=20):
        self.process.send_signal(number)
        return self.wait(seconds)

    def wait(self, seconds=DEADLINE_SECONDS):
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            end_session(self.process)
            raise AssertionError(f"still recording: {self.errors()}") from None

    def calls(self):
        return self.lab.timeline(self.run)


def tracers(pid):
    found = []
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/status") as file:
                found.append(int(re.search(r"TracerPid:\s*(\d+)", file.read()).group(1)))
        except (OSError, AttributeError):
            pass
    return found


def traced(pid):
    return all(tracers(pid))


def check_let_go(program):
    check(not any(tracers(program.pid)), "a thread is still traced")
    check(process_state(program.pid) in ("S", "R"), f"it is left in state {process_state(program.pid)}")


def check_stays_stopped(program, seconds=20):
    """The kernel wakes it to stop it anew: a moment may pass."""
    deadline = time.monotonic() + seconds
    while process_state(program.pid) != "T":
        check(time.monotonic() < deadline, f"it is left in state {process_state(program.pid)}")
        time.sleep(0.01)


def blocked_python(lab):
    """The recv it was found in stays the same call, and ends as if nobody had looked."""
    server = socket.create_server(("127.0.0.1", 0))
    with Program(lab, [sys.executable, "-c", READER, str(server.getsockname()[1])]) as program:
        connection, _ = server.accept()
        recording = Recording(lab, "-p", program.pid)
        recording.await_attached(program.pid)
        check_equal(recording.end(), 0, "slowtrace's status after Ctrl-C")
        check_let_go(program)
        connection.sendall(b"greetings")
        program.expect("received greetings")
        check_equal(connection.recv(100), b"thanks", "what the program sent afterwards")
        check_equal(program.wait(), 0, "the program's status")
    server.close()
    calls = [call for call in recording.calls() if call.name == "recvfrom"]
    check_equal(len(calls), 1, "recvfrom calls: interrupted or not, it is one")
    check("Where the " in recording.errors(), f"no report: {recording.errors()}")
    text = lab.run([lab.binary, "timeline", recording.run]).output.decode()
    check(re.search(r"≥ \S+ .*recvfrom\(.*began before", text), f"not told as a lower bound: {text}")


def ends_while_recorded(lab):
    """The call goes on under the recording, and the program's own end ends it."""
    server = socket.create_server(("127.0.0.1", 0))
    with Program(lab, [sys.executable, "-c", READER, str(server.getsockname()[1])]) as program:
        connection, _ = server.accept()
        recording = Recording(lab, "-p", program.pid)
        recording.await_attached(program.pid)
        connection.sendall(b"greetings")
        check_equal(recording.wait(), 0, "slowtrace's status")
        check_equal(program.wait(), 0, "the program's status")
        check("received greetings" in program.output(), f"its output: {program.output()!r}")
    server.close()
    calls = [call for call in recording.calls() if call.name == "recvfrom"]
    check_equal([(call.result, call.pieces > 1) for call in calls], [("9", True)], "the call it was found in")
    names = {call.name for call in recording.calls()}
    check("sendto" in names and "exit_group" in names, f"what it did afterwards: {names}")


def self_check(arguments, end):
    """Threads in every kind of wait a stop may be felt in: none feels anything."""

    def test(lab):
        with Program(lab, [lab.program("self_check"), "until-signal"]) as program:
            recording = Recording(lab, "-p", program.pid, *arguments)
            if end:
                recording.await_attached(program.pid)
                time.sleep(0.7)
                check_equal(recording.end(end), 0, "slowtrace's status")
            else:
                check_equal(recording.wait(), 0, "slowtrace's status")
            check_let_go(program)
            time.sleep(0.5)
            program.process.send_signal(signal.SIGUSR2)
            status = program.wait()
            check_equal((status, program.output()), (0, "ready\nunchanged\n"), "what the program felt")
        check("Where the " in recording.errors(), f"no report: {recording.errors()}")
        return recording

    return test


def self_check_under_us(lab):
    """The recording goes on while the waits end."""
    with Program(lab, [lab.program("self_check"), "until-signal"]) as program:
        recording = Recording(lab, "-p", program.pid)
        recording.await_attached(program.pid)
        time.sleep(0.5)
        program.process.send_signal(signal.SIGUSR2)
        check_equal((program.wait(), program.output()), (0, "ready\nunchanged\n"), "what the program felt")
        check_equal(recording.wait(), 0, "slowtrace's status")


def again_and_again(lab):
    with Program(lab, [lab.program("self_check"), "until-signal"]) as program:
        for period in ("1ms", "3ms", "10ms", "30ms", "100ms"):
            recording = Recording(lab, "-p", program.pid, "--for", period)
            check_equal(recording.wait(), 0, f"slowtrace's status after {period}")
            check_let_go(program)
        program.process.send_signal(signal.SIGUSR2)
        check_equal((program.wait(), program.output()), (0, "ready\nunchanged\n"), "what the program felt")


def event_loop(lab):
    """Nearly always in an epoll_wait with a time limit: caught all the same, once it has returned by itself."""
    with Program(lab, [sys.executable, "-c", LOOP]) as program:
        recording = Recording(lab, "-p", program.pid, "--for", "3s")
        check_equal(recording.wait(), 0, "slowtrace's status")
        check_equal(program.wait(), 0, "the program's status")
        check("done" in program.output(), f"its output: {program.output()!r}")
    calls = [call for call in recording.calls() if call.name.startswith("epoll")]
    check(len(calls) > 3, f"only {len(calls)} of its waits were seen")
    check(all(call.result != "EINTR" for call in calls), "a wait returned EINTR")


def stopped_by_job_control(lab):
    with Program(lab, [sys.executable, "-c", STOPPABLE], stdin=subprocess.PIPE) as program:
        os.kill(program.pid, signal.SIGSTOP)
        while process_state(program.pid) != "T":
            time.sleep(0.01)
        program.process.stdin.write(b"word\n")  # running, it would read this
        program.process.stdin.close()
        recording = Recording(lab, "-p", program.pid)
        recording.await_attached(program.pid)
        check_equal(recording.end(), 0, "slowtrace's status")
        check(not any(tracers(program.pid)), "it is still traced")
        check_stays_stopped(program)
        check_equal(program.output(), "ready\n", "its output while stopped")
        os.kill(program.pid, signal.SIGCONT)
        check_equal(program.wait(), 0, "the program's status")
        check_equal(program.output(), "ready\nread word\ndone\n", "its output")


def continued_while_recorded(lab):
    with Program(lab, [sys.executable, "-c", STOPPABLE], stdin=subprocess.PIPE) as program:
        os.kill(program.pid, signal.SIGSTOP)
        while process_state(program.pid) != "T":
            time.sleep(0.01)
        recording = Recording(lab, "-p", program.pid)
        recording.await_attached(program.pid)
        os.kill(program.pid, signal.SIGCONT)
        program.process.stdin.write(b"word\n")
        program.process.stdin.close()
        check_equal((program.wait(), recording.wait()), (0, 0), "statuses")
        check_equal(program.output(), "ready\nread word\ndone\n", "its output")
    check("stopped" in lab.report_of(recording.run), "the report does not tell that it was stopped")


def stopped_while_recorded(lab):
    """SIGSTOP during the recording, whose end leaves it stopped."""
    with Program(lab, [sys.executable, "-c", STOPPABLE], stdin=subprocess.PIPE) as program:
        recording = Recording(lab, "-p", program.pid)
        recording.await_attached(program.pid)
        os.kill(program.pid, signal.SIGSTOP)
        time.sleep(0.3)
        check_equal(recording.end(), 0, "slowtrace's status")
        check_stays_stopped(program)
        os.kill(program.pid, signal.SIGCONT)
        program.process.stdin.close()
        check_equal((program.wait(), program.output()), (0, "ready\ndone\n"), "how it went on")


def children(lab):
    """Made after the attach: followed."""
    with Program(lab, [sys.executable, "-c", FAMILY], stdin=subprocess.PIPE) as program:
        recording = Recording(lab, "-p", program.pid)
        recording.await_attached(program.pid)
        program.process.stdin.write(b"\n")
        program.process.stdin.close()
        check_equal((program.wait(), recording.wait()), (0, 0), "statuses")
        check_equal(program.output().split(), ["ready", "done"], "its output")
    check_equal(len({call.pid for call in recording.calls()}), 4, "processes recorded")


def several(lab):
    with Program(lab, [sys.executable, "-c", STOPPABLE], stdin=subprocess.PIPE) as one, \
            Program(lab, [sys.executable, "-c", STOPPABLE], stdin=subprocess.PIPE) as other:
        recording = Recording(lab, "-p", f"{one.pid}\n{one.pid}", "-p", f"999999999, {other.pid}")
        recording.await_attached(one.pid)
        recording.await_attached(other.pid)
        one.process.stdin.close()
        check_equal(one.wait(), 0, "the first one's status")
        time.sleep(0.2)
        check(recording.process.poll() is None, "the recording ended with the first of two")
        other.process.stdin.close()
        check_equal((other.wait(), recording.wait()), (0, 0), "statuses")
    check("999999999: no such process" in recording.errors(), f"nothing about the third: {recording.errors()}")
    check_equal({call.pid for call in recording.calls()}, {one.pid, other.pid}, "processes recorded")


def selection(lab):
    with Program(lab, [sys.executable, "-c", STOPPABLE], stdin=subprocess.PIPE) as program:
        recording = Recording(lab, "-e", "write", "-p", program.pid)
        recording.await_attached(program.pid)
        program.process.stdin.write(b"word\n")
        program.process.stdin.close()
        check_equal((program.wait(), recording.wait()), (0, 0), "statuses")
    check_equal({call.name for call in recording.calls()}, {"write"}, "calls recorded")


def killed_recorder(lab):
    """slowtrace's violent death ends nothing but itself."""
    with Program(lab, [lab.program("self_check"), "until-signal"]) as program:
        recording = Recording(lab, "-p", program.pid)
        recording.await_attached(program.pid)
        recording.process.kill()
        recording.process.wait()
        time.sleep(0.2)
        check_let_go(program)
        program.process.send_signal(signal.SIGUSR2)
        check_equal((program.wait(), program.output()), (0, "ready\nunchanged\n"), "what the program felt")


def refused(arguments, status, pattern):
    def test(lab):
        finished = lab.run([lab.binary, "-o", lab.path("run"), "--no-json", *arguments])
        check_equal(finished.status, status, f"status ({finished.report.strip()})")
        check(re.search(pattern, finished.report), f"not said: {finished.report!r}")
        check_equal(finished.report.count("\n"), 1, "lines")

    return test


def zombie(lab):
    child = subprocess.Popen(["true"])
    while process_state(child.pid) != "Z":
        time.sleep(0.01)
    try:
        refused(["-p", str(child.pid)], 125, r"zombie")(lab)
    finally:
        child.wait()


def already_traced(lab):
    with Program(lab, [sys.executable, "-c", STOPPABLE], stdin=subprocess.PIPE) as program:
        recording = Recording(lab, "-p", program.pid)
        recording.await_attached(program.pid)
        refused(["-p", str(program.pid)], 125, r"slowtrace \(pid \d+\) already traces it")(lab)
        program.process.stdin.close()
        check_equal((program.wait(), recording.wait()), (0, 0), "statuses")


def other_user(lab):
    from lab import Skipped
    if os.geteuid() != 0:
        raise Skipped("not root")
    with Program(lab, [sys.executable, "-c", STOPPABLE], stdin=subprocess.PIPE) as program:
        folder = lab.path("")
        finished = lab.run([sys.executable, "-c",
                            "import os, sys; os.setgid(65534); os.setuid(65534); os.execv(sys.argv[1], sys.argv[1:])",
                            lab.binary, "-o", "/tmp/never-written", "--no-json", "-p", str(program.pid)])
        check_equal(finished.status, 125, f"status ({folder}, {finished.report.strip()})")
        check("it belongs to root" in finished.report, f"not said: {finished.report!r}")


def storm(lab):
    """Threads that come and go while they are attached to."""
    for _ in range(3):
        process = lab.start([lab.program("thread_storm")], stdout=subprocess.DEVNULL)
        try:
            recording = Recording(lab, "-p", process.pid)
            check_equal(recording.wait() in (0, 125), True, f"slowtrace's status ({recording.errors()})")
            check_equal(process.wait(timeout=20), 0, "the program's status")
        finally:
            end_session(process)


def execs_meanwhile(lab):
    """Threads seized and not yet seized vanish in an execve: neither program nor recording is held up or lost."""
    from lab import Skipped
    if not shutil.which("cc"):
        raise Skipped("no C compiler")
    source, program = lab.path("execs.c"), lab.path("execs")
    with open(source, "w") as file:
        file.write(EXECS)
    subprocess.run(["cc", "-pthread", "-o", program, source], check=True)
    with Program(lab, [program, "0"]) as running:
        for _ in range(25):
            finished = lab.run([lab.binary, "-o", lab.path("run"), "--no-json", "--for", "50ms", "-p",
                                str(running.pid)], deadline=20)
            check_equal(finished.status, 0, f"slowtrace's status ({finished.report[-300:]})")
            check("let go after" in finished.report, f"the recording ended by itself: {finished.report[:300]}")
        check(running.process.poll() is None, "the program ended")


def same_write_again(lab):
    """Each write is told from the next though they look alike from outside; none is cut short."""
    with Program(lab, [sys.executable, "-c", SAME_WRITE]) as program:
        recording = Recording(lab, "-p", program.pid)
        check_equal(program.wait(), 0, "the program's status")
        recording.wait()
        check("done" in program.output(), f"it was disturbed: {program.output()}")
        writes = [call for call in recording.calls() if call.name == "write"]
        check(len(writes) > 2, f"all writes are taken for one: {writes}")
        check("were not seen" in recording.errors(), f"what went unseen is not told: {recording.errors()}")


def blocked_signals(lab):
    """What slowtrace needs to arrive does, whatever it was started with; its command has what was given."""
    needed = {signal.SIGALRM, signal.SIGINT, signal.SIGTERM}
    block = {"preexec_fn": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, needed)}
    with Program(lab, [sys.executable, "-c", STOPPABLE], stdin=subprocess.PIPE) as program:
        command = [lab.binary, "-o", lab.path("run"), "--no-json", "--for", "200ms", "-p", str(program.pid)]
        check_equal(lab.run(command, deadline=20, **block).status, 0, "slowtrace's status")
    finished = lab.record(["grep", "SigBlk", "/proc/self/status"], **block)
    mask = int(finished.output.decode().split()[1], 16)
    check_equal({number for number in needed if mask & 1 << number - 1}, needed, "signals blocked in the command")


def leader_gone(lab):
    """The first thread has ended, the others go on: the process' end is that of the last of them."""
    with Program(lab, [sys.executable, "-c", LEADERLESS]) as program:
        deadline = time.monotonic() + 10
        while process_state(program.pid) != "Z":
            check(time.monotonic() < deadline, "the leader does not end")
            time.sleep(0.01)
        recording = Recording(lab, "-p", program.pid)
        check_equal(program.wait(), 0, "the program's status")
        recording.wait()
        check("done" in program.output(), f"it was disturbed: {program.output()}")
        check("still running" not in recording.errors(), f"its end is not told: {recording.errors()}")


def cases(_lab):
    yield "attach: a blocked python goes on after Ctrl-C", blocked_python
    yield "attach: the call found goes on while recorded", ends_while_recorded
    yield "attach: nothing is felt until --for ends", self_check(["--for", "1500ms"], None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        yield f"attach: nothing is felt until {number.name}", self_check([], number)
    yield "attach: nothing is felt while the waits end", self_check_under_us
    yield "attach: nothing is felt of short recordings", again_and_again
    yield "attach: an event loop with time limits is caught", event_loop
    yield "attach: a stopped job stays stopped", stopped_by_job_control
    yield "attach: a stopped job continued", continued_while_recorded
    yield "attach: a job stopped meanwhile stays stopped", stopped_while_recorded
    yield "attach: children", children
    yield "attach: several processes, one of them missing", several
    yield "attach: a selection of calls", selection
    yield "attach: slowtrace is killed", killed_recorder
    yield "attach: threads that come and go", storm
    yield "attach: a program that begins itself anew", execs_meanwhile
    yield "attach: the same write again and again", same_write_again
    yield "attach: signals blocked from the start", blocked_signals
    yield "attach: the first thread is gone", leader_gone
    yield "attach: for no time", refused(["--for", "0s", "-p", "1"], 2, r"--for 0 would record nothing")
    yield "attach: no such process", refused(["-p", "999999999"], 125, r"^slowtrace: cannot attach to 999999999: no such")
    yield "attach: a kernel thread", refused(["-p", "2"], 125, r"thread of the kernel")
    yield "attach: a zombie", zombie
    yield "attach: traced already", already_traced
    yield "attach: another user's process", other_user
    yield "attach: no number", refused(["-p", "pip"], 2, r"'pip' is not a process id")
    yield "attach: no process named", refused(["-p", ""], 2, r"names no process")
    yield "attach: with a command", refused(["-p", "1", "--", "true"], 2, r"give one of the two")
    yield "attach: --for without -p", refused(["--for", "1s", "--", "true"], 2, r"--for goes with -p")
