#!/usr/bin/env python3
"""Runs the live tests: slowtrace on real programs, compared with strace and with what the programs state.

    tests/live/run.py --binary build/g++/slowtrace --programs build/g++/programs [-k PATTERN] [-l] [-j 2]

One line a test (`ok`, `FAILED` or `skipped`, its name, why), then a count. Exit status: 0 when none failed.
"""

import argparse
import json
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import attach_cases  # noqa: E402
import bad_input_cases  # noqa: E402
import idle_cases  # noqa: E402
import live_cases  # noqa: E402
import local_cases  # noqa: E402
import names_cases  # noqa: E402
import privacy_cases  # noqa: E402
import program_cases  # noqa: E402
import real_program_cases  # noqa: E402
import redaction_cases  # noqa: E402
import scenario_cases  # noqa: E402
import signal_cases  # noqa: E402
import socket_cases  # noqa: E402
import transfer_cases  # noqa: E402
import transparency_cases  # noqa: E402
from lab import Lab, Skipped, end_own_children  # noqa: E402

GROUPS = (program_cases, real_program_cases, transparency_cases, signal_cases, attach_cases, live_cases, bad_input_cases,
          socket_cases, privacy_cases, redaction_cases, scenario_cases, names_cases, transfer_cases, local_cases,
          idle_cases)
TEST_DEADLINE_SECONDS = 240


def run_test(lab, test):
    """One test's verdict and its reason. A test that hangs loses what it started, and fails by that."""
    watchdog = threading.Timer(TEST_DEADLINE_SECONDS, end_own_children)
    watchdog.daemon = True
    watchdog.start()
    try:
        test(lab)
        return "ok", ""
    except Skipped as reason:
        return "skipped", str(reason)
    except AssertionError as reason:
        return "FAILED", str(reason).replace("\n", " | ")
    except Exception:  # a broken test is a failed one
        return "FAILED", traceback.format_exc().strip().replace("\n", " | ")
    finally:
        watchdog.cancel()


def chosen(lab, pattern):
    """Names and tests in order, as what one worker runs in one go: a group whose tests share servers stays together."""
    for group in GROUPS:
        tests = [(name, test) for name, test in group.cases(lab) if re.search(pattern, name)]
        if getattr(group, "TOGETHER", False):
            yield tests
        else:
            yield from ([one] for one in tests)


def tell(line):
    # One write: workers share the output.
    os.write(sys.stdout.fileno(), (line + "\n").encode("ascii", "backslashreplace"))


def work(options, taken):
    """Runs what no other worker has taken, until nothing is left. Returns how many tests had which verdict."""
    counts = {"ok": 0, "FAILED": 0, "skipped": 0}
    lab = Lab(options.binary, options.programs)
    try:
        work_list = list(chosen(lab, options.pattern))
        # What runs long starts first, so that no worker is left with it alone at the end.
        work_list.sort(key=len, reverse=True)
        while True:
            with taken.get_lock():
                mine = taken.value
                taken.value += 1
            if mine >= len(work_list):
                return counts
            for name, test in work_list[mine]:
                begin = time.monotonic()
                verdict, reason = run_test(lab, test)
                counts[verdict] += 1
                elapsed = f" ({time.monotonic() - begin:.1f} s)" if options.times else ""
                tell(f"{verdict} {name}{elapsed}" + (f": {reason}" if reason else ""))
    finally:
        lab.close()


def run_workers(options):
    """As many processes as asked for; one that dies without a word counts as a failure."""
    taken = multiprocessing.Value("i", 0)
    workers, totals = [], {"ok": 0, "FAILED": 0, "skipped": 0}
    for _ in range(options.jobs):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            os.write(writer, json.dumps(work(options, taken)).encode())
            os._exit(0)
        os.close(writer)
        workers.append((pid, reader))
    for pid, reader in workers:
        with os.fdopen(reader) as file:
            told = file.read()
        os.waitpid(pid, 0)
        if not told:
            tell("FAILED a worker died without a word")
        for verdict, count in (json.loads(told) if told else {"FAILED": 1}).items():
            totals[verdict] += count
    return totals


def main():
    # Started by nohup or in the background these are ignored, and so would be whatever the tests send.
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="the slowtrace to test")
    parser.add_argument("--programs", required=True, help="the folder of built fixture programs")
    parser.add_argument("-k", dest="pattern", default="", help="only tests whose name matches this expression")
    parser.add_argument("-l", dest="list", action="store_true", help="list the tests")
    parser.add_argument("-v", dest="times", action="store_true", help="tell each test's time")
    parser.add_argument("-j", dest="jobs", type=int, default=1, help="how many tests at a time (1)")
    options = parser.parse_args()
    if not os.access(options.binary, os.X_OK):
        parser.error(f"{options.binary} cannot be executed: build it first")
    if options.list:
        lab = Lab(options.binary, options.programs)
        for tests in chosen(lab, options.pattern):
            for name, _ in tests:
                print(name)
        lab.close()
        return 0
    counts = run_workers(options)
    print(f"{counts['ok']} passed, {counts['FAILED']} failed, {counts['skipped']} skipped")
    return 1 if counts["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
