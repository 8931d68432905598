"""Every fixture program: same behaviour when traced, the calls strace sees, the causes the program itself states."""

import json
import os
import re
import subprocess
import shutil

import comparison
import strace_log
from lab import REPOSITORY, Skipped, check, check_equal, session_members

STATED_SHARE = 0.7  # of a stated wait must be covered by calls with the stated cause
_recordings = {}


def statements(output):
    """The JSON lines among a program's output."""
    found = []
    for line in output.decode(errors="replace").splitlines():
        if line.startswith("{"):
            found.append(json.loads(line))
    return found


def recorded(lab, name):
    """The program's recording, made once for all tests about it."""
    if name not in _recordings:
        _recordings[name] = lab.record([lab.program(name)], "--wait-all")
    finished = _recordings[name]
    for statement in statements(finished.output):
        if "skip" in statement:
            raise Skipped(statement["skip"])
    return finished


def without_numbers(output):
    """What two runs of one program have in common: lines in any order, no times, no thread numbers."""
    return sorted(re.sub(rb"\d+", b"#", line) for line in output.splitlines())


def behaves_the_same(lab, name):
    alone = lab.run([lab.program(name)])
    traced = recorded(lab, name)
    check_equal(traced.status, alone.status, "status")
    check_equal(without_numbers(traced.output), without_numbers(alone.output), "standard output")
    check(traced.errors.startswith(alone.errors), f"its standard error is not intact: {traced.report[:200]}")
    check("Where the " in traced.report, f"no report: {traced.report[-300:]}")


# Programs that behave as untraced under slowtrace, but not under strace: nothing to compare.
STRACE_DISTURBS = {
    "ignored_signal_epoll": "epoll_wait returns EINTR for a signal nobody handles",
    "self_check": "its semaphores have another number in every run",
    "page_faults_served": "reading the served page waits for ever",
}


def agrees_with_strace(lab, name):
    if not shutil.which("strace"):
        raise Skipped("strace is not installed")
    if name in STRACE_DISTURBS:
        raise Skipped(f"under strace {STRACE_DISTURBS[name]}")
    traced = recorded(lab, name)
    compare(lab, name, lab.program(name), traced.run)


def compare(lab, name, program, run):
    prefix = lab.path("strace")
    with open(lab.path("stdout"), "wb") as output:  # a file for both: what is written does not depend on it
        process = lab.start(["strace", "-ff", "-y", "-s", "0", "-o", prefix, program], stdout=output,
                            stderr=subprocess.DEVNULL)
        process.wait(timeout=60)
    logs = strace_log.read_logs(prefix)
    root = next((log.tid for log in sorted(logs, key=lambda log: log.tid)
                 if log.calls and log.calls[0].name == "execve" and log.calls[0].arguments), None)
    check(root is not None, "strace wrote no log of the command")
    found = comparison.difference(name, logs, root, lab.timeline(run))
    check(found is None, found)


def states_its_waits(lab, name):
    traced = recorded(lab, name)
    waits = [statement for statement in statements(traced.output) if "wait" in statement]
    stops = sum(statement.get("stopped", 0) for statement in statements(traced.output))
    check(waits or stops, "it stated no wait")
    calls = lab.timeline(traced.run)
    for wait in waits:
        check_wait(calls, wait)
    if stops:
        check("stopped" in lab.report_of(traced.run), "the report does not tell that it was stopped")


def states_anything(name):
    """Whether the program's source states a wait."""
    folder = os.path.join(REPOSITORY, "fixtures", "programs")
    for extension in (".c", ".cpp"):
        path = os.path.join(folder, name + extension)
        if os.path.exists(path):
            with open(path) as source:
                return " state(" in source.read()
    return False


def check_wait(calls, wait):
    stated = wait["to_ns"] - wait["from_ns"]
    near = [call for call in calls
            if call.tid == wait["thread"] and call.overlap(wait["from_ns"], wait["to_ns"]) > stated / 50]
    right = [call for call in near if call.cause == wait["cause"].replace("_", " ") and wait["subject"] in call.subject]
    covered = sum(call.overlap(wait["from_ns"], wait["to_ns"]) for call in right)
    shown = ", ".join(f"{call.name}: {call.cause} {call.subject!r}" for call in near) or "nothing"
    check(covered >= STATED_SHARE * stated,
          f"{wait['wait']} stated {wait['cause']} {wait['subject']!r} for {stated / 1e6:.0f} ms, recorded {shown}")


def leaves_nothing(lab, name):
    output = lab.path("run")
    with open(lab.path("stdout"), "wb") as out:
        process = lab.start([lab.binary, "-o", output, "--no-json", "--wait-all", "--", lab.program(name)], stdout=out,
                            stderr=out)
        process.wait(timeout=60)
    left = {pid: state for pid, state in session_members(process.pid).items() if state in "tTZ"}
    check(not left, f"stopped or zombie processes left: {left}")


def variant(flags, why):
    """A test that builds a program in another way and compares it with strace."""

    def test(lab):
        compiler = shutil.which("cc")
        if not compiler:
            raise Skipped("no C compiler")
        program = lab.path("sleep")
        source = os.path.join(REPOSITORY, "fixtures", "programs", "sleep.c")
        built = subprocess.run([compiler, *flags, "-pthread", "-o", program, source], capture_output=True)
        if built.returncode != 0:
            raise Skipped(f"cannot build {why} programs here")
        traced = lab.record([program])
        check_equal(traced.status, 3, "status")
        calls = lab.timeline(traced.run)
        for wait in statements(traced.output):
            check_wait(calls, wait)
        if shutil.which("strace"):
            compare(lab, os.path.basename(program), program, traced.run)

    return test


def cases(lab):
    kinds = {"same": behaves_the_same, "strace": agrees_with_strace, "waits": states_its_waits, "left": leaves_nothing}
    for name in lab.program_names():
        for kind, test in kinds.items():
            if kind == "waits" and not states_anything(name):
                continue
            yield f"{kind}/{name}", lambda lab, test=test, name=name: test(lab, name)
    yield "static program", variant(["-static"], "static")
    yield "32-bit program", variant(["-m32"], "32-bit")
    yield "escaped child is told", escape_is_told
    yield "interrupted calls are one call", interrupted_calls_are_one
    yield "a stop is part of the call it interrupts", stop_is_inside_the_call


def escape_is_told(lab):
    traced = recorded(lab, "clone_untraced")
    check(re.search(r"untraced|unseen|escape", traced.report, re.IGNORECASE), f"not told: {traced.report[-400:]}")


def waits_in(lab, program, name, at_least_ms):
    """The root thread's calls of this name that took this long."""
    calls = lab.timeline(recorded(lab, program).run)
    root = calls[0].thread
    return [call for call in calls
            if call.thread == root and call.name == name and call.exit_ns - call.entry_ns >= at_least_ms * 1_000_000]


def interrupted_calls_are_one(lab):
    sleeps = waits_in(lab, "restart_block", "clock_nanosleep", 149)
    check_equal([call.result for call in sleeps], ["0"], "sleeps interrupted by an ignored SIGCHLD")
    check(sleeps[0].pieces >= 2, f"{sleeps[0].pieces} pieces")
    reads = waits_in(lab, "sa_restart", "read", 200)
    check_equal([(call.result, call.pieces) for call in reads], [("1", 3)], "reads restarted after two handlers")
    ended = waits_in(lab, "eintr", "read", 70)
    check_equal([call.result for call in ended], ["EINTR"], "reads ended by a handler")


def stop_is_inside_the_call(lab):
    sleeps = waits_in(lab, "group_stop", "clock_nanosleep", 390)
    check_equal([call.result for call in sleeps], ["0"], "sleeps stopped in the middle")
    reads = waits_in(lab, "group_stop", "read", 390)
    check_equal([call.result for call in reads], ["1"], "reads stopped in the middle")
