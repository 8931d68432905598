"""Signals to slowtrace, Ctrl-C and job control from a terminal, and slowtrace's own violent death."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

from lab import Skipped, check, check_equal, end_session, session_members


def await_output(path, text, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with open(path, "rb") as file:
            if text in file.read():
                return
        time.sleep(0.02)
    raise AssertionError(f"{text!r} was not printed")


def await_command(session, name, seconds=20):
    """Waits until a process of the session runs this program: the shell's exec is behind it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pid in session_members(session):
            try:
                with open(f"/proc/{pid}/comm") as file:
                    if file.read().strip() == name:
                        time.sleep(0.2)  # from exec to the sleep itself
                        return
            except OSError:
                continue
        time.sleep(0.02)
    raise AssertionError(f"{name} did not start")


def signalled(lab, number, script):
    """slowtrace runs `script`, which prints "started"; then slowtrace alone gets the signal."""
    name, output, errors = lab.path("run"), lab.path("stdout"), lab.path("stderr")
    with open(output, "wb") as out, open(errors, "wb") as err:
        process = lab.start([lab.binary, "-o", name, "--no-json", "--", "bash", "-c", script], stdout=out, stderr=err)
        try:
            await_output(output, b"started")
            await_command(process.pid, "sleep")
            process.send_signal(number)
            status = process.wait(timeout=20)
        finally:
            end_session(process)
    with open(output, "rb") as out, open(errors, "rb") as err:
        return status, out.read(), err.read().decode(errors="replace"), name + ".slowtrace"


def forwarded(number):
    def test(lab):
        status, _, report, run = signalled(lab, number, "echo started; exec sleep 30")
        check_equal(status, -number, "the command's death is passed on")
        check("Where the " in report, f"no report: {report}")
        calls = lab.timeline(run)
        check(any("nanosleep" in call.name for call in calls), "the sleep is not in the trace")
        check("last whole block" not in lab.report_of(run), "the trace was not closed whole")

    return test


def handled(number):
    def test(lab):
        script = f"trap 'echo caught; exit 7' {number.name}; echo started; sleep 30 & wait $!"
        status, output, report, _ = signalled(lab, number, script)
        check_equal(status, 7, "the command's own status")
        check(b"caught" in output, "the command did not get the signal")
        check("Where the " in report, f"no report: {report}")

    return test


def killed(lab):
    name = lab.path("run")
    command = [lab.binary, "-o", name, "--no-json", "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=1"]
    process = lab.start(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    process.kill()
    process.wait()
    time.sleep(0.3)
    left = {pid: state for pid, state in session_members(process.pid).items() if state in "tT"}
    end_session(process)
    check(not left, f"stopped processes left: {left}")
    calls = lab.timeline(name + ".slowtrace")
    check(len(calls) > 1000, f"only {len(calls)} calls of 2 s can be read")
    check("Where the " in lab.report_of(name + ".slowtrace"), "no report of a trace that ends early")


class Terminal:
    """A command in the foreground of a terminal of its own; we hold the keyboard and the screen."""

    def __init__(self, lab, command):
        self.screen = b""
        self.pid, self.keyboard = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(lab.folder)
                os.environ.update(TERM="dumb", PS1="ready> ", PS0="", PROMPT_COMMAND="", HISTFILE="")
                os.execvp(command[0], command)
            finally:
                os._exit(127)

    def read(self, seconds):
        ready, _, _ = select.select([self.keyboard], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.keyboard, 65536)
        except OSError:  # EIO: everybody has closed the terminal
            return False
        self.screen += data
        return bool(data)

    def expect(self, pattern, seconds=20):
        """Waits until the screen after the last match shows the pattern."""
        deadline = time.monotonic() + seconds
        while not (match := re.search(pattern, self.screen)):
            check(time.monotonic() < deadline, f"{pattern!r} did not appear; the screen: {self.screen[-600:]!r}")
            self.read(0.2)
        self.screen = self.screen[match.end():]
        return match

    def type(self, text):
        os.write(self.keyboard, text)

    def wait(self, seconds=20):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0.1):
                    pass
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"still running; the screen: {self.screen[-600:]!r}")

    def close(self):
        for pid in session_members(self.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.close(self.keyboard)
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass


def interrupt_key(lab):
    name = lab.path("run")
    terminal = Terminal(lab, [lab.binary, "-o", name, "--no-json", "--", "sh", "-c", "echo started; exec sleep 30"])
    try:
        terminal.expect(rb"started\r\n")
        await_command(terminal.pid, "sleep")
        terminal.type(b"\x03")
        check_equal(terminal.wait(), -signal.SIGINT, "status after Ctrl-C")
        check(b"Where the " in terminal.screen, f"no report: {terminal.screen!r}")
    finally:
        terminal.close()
    check(any("nanosleep" in call.name for call in lab.timeline(name + ".slowtrace")), "the sleep is not in the trace")


def stop_key(lab):
    if not shutil.which("bash"):
        raise Skipped("no bash")
    name = lab.path("run")
    terminal = Terminal(lab, ["bash", "--norc", "--noprofile", "-i"])
    try:
        terminal.expect(rb"ready> ")
        terminal.type(f"{lab.binary} -o {name} --no-json -- sh -c 'echo star''ted; sleep 1; echo fini''shed'\n".encode())
        terminal.expect(rb"\nstarted")
        time.sleep(0.3)
        terminal.type(b"\x1a")
        terminal.expect(rb"Stopped")
        terminal.expect(rb"ready> ")
        time.sleep(0.5)
        terminal.type(b"fg\n")
        terminal.expect(rb"\nfinished")
        terminal.expect(rb"ready> ")
        terminal.type(b"echo status=$?\n")
        terminal.expect(rb"\nstatus=0")
        terminal.type(b"exit\n")
        check_equal(terminal.wait(), 0, "the shell's status")
    finally:
        terminal.close()
    check("stopped" in lab.report_of(name + ".slowtrace"), "the report does not tell that it was stopped")


def background_job(lab):
    """Started with &, stopped and continued by kill, then brought to the foreground."""
    name = lab.path("run")
    terminal = Terminal(lab, ["bash", "--norc", "--noprofile", "-i"])
    try:
        terminal.expect(rb"ready> ")
        terminal.type(f"{lab.binary} -o {name} --no-json -- sh -c 'sleep 1; echo fini''shed; exit 4' & \n".encode())
        terminal.expect(rb"ready> ")
        time.sleep(0.3)
        terminal.type(b"kill -STOP %1; sleep 0.3; kill -CONT %1; wait %1; echo status=$?\n")
        terminal.expect(rb"\nfinished")
        terminal.expect(rb"\nstatus=4")
        terminal.type(b"exit\n")
        check_equal(terminal.wait() in (0, 4), True, "the shell ended")
    finally:
        terminal.close()


def cases(_lab):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        yield f"signal: {number.name} is forwarded", forwarded(number)
        yield f"signal: {number.name} is handled by the command", handled(number)
    yield "signal: SIGKILL leaves nothing stopped and a readable trace", killed
    yield "terminal: Ctrl-C", interrupt_key
    yield "terminal: Ctrl-Z and fg", stop_key
    yield "terminal: a background job stopped and continued", background_job
