#!/usr/bin/env python3
"""Prints slowtrace's cost as ratios, each pair measured side by side in one run (A B A B …), never as absolutes."""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


def pin():
    """All of a run on one processor: a stop costs several times more when tracer and tracee sit on two, and where
    the scheduler puts them changes from run to run. slowtrace itself leaves its command's affinity alone."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def timed(command):
    """Wall seconds and peak memory (KiB, of the largest process) of one run."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                               preexec_fn=pin)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return time.monotonic() - started, usage.ru_maxrss


def ratio(ours, other, runs):
    """Medians of the paired ratios, and their range."""
    ratios = []
    for _ in range(runs):
        mine, theirs = timed(ours)[0], timed(other)[0]
        ratios.append(mine / theirs)
    return statistics.median(ratios), min(ratios), max(ratios)


def slowtrace(arguments, folder, command):
    return [arguments.binary, "--overwrite", "--no-json", "-o", os.path.join(folder, "bench")] + ["--"] + command


def rivals(arguments, folder):
    found = {"bare ptrace loop": [arguments.bare]}
    if shutil.which("strace"):
        found["strace -f -T -ttt -yy -o"] = ["strace", "-f", "-T", "-ttt", "-yy", "-o", os.path.join(folder, "strace")]
    else:
        print("skipped: strace is not installed")
    # perf needs a kernel and a permission of its own.
    perf = ["perf", "trace", "-o", os.path.join(folder, "perf")]
    if shutil.which("perf") and subprocess.run(perf + ["true"], capture_output=True).returncode == 0:
        found["perf trace -o"] = perf
    else:
        print("skipped: perf trace is not installed, or not permitted here")
    return found


class Server:
    """The exchanges' other end, outside the trace; on a processor of its own where there is one."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, "serve"], stdout=subprocess.PIPE, preexec_fn=self.move_away)
        self.port = self.process.stdout.readline().decode().strip()

    @staticmethod
    def move_away():
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def names(arguments, folder):
    """Reading names on their way, against leaving them (--no-names); then many connections."""
    with Server(arguments.exchanges) as server:
        client = [arguments.exchanges, server.port]
        reading = slowtrace(arguments, folder, client + ["10000"])
        leaving = reading[:1] + ["--no-names"] + reading[1:]
        middle, low, high = ratio(reading, leaving, arguments.runs)
        print(f"{'10,000 keep-alive requests':28} {'itself, --no-names':28} {middle:7.2f}× {low:6.2f}× {high:6.2f}×", flush=True)
        if not arguments.connections:
            return
        peaks = {}
        for count in (arguments.connections // 10, arguments.connections):
            seconds, peaks[count] = timed(slowtrace(arguments, folder, client + [str(count), "each"]))
            print(f"{count:,} connections: {seconds:.1f} s, slowtrace's own memory {peaks[count] / 1024:.0f} MiB peak", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--bare", required=True)
    parser.add_argument("--threads", required=True)
    parser.add_argument("--exchanges", required=True)
    parser.add_argument("--connections", type=int, default=50_000, help="of the run with many; 0 leaves it out")
    parser.add_argument("--only", choices=["calls", "names"], help="one half of the measurements")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--calls", type=int, default=10_000_000, help="of the long run for memory and size; 0 leaves it out")
    arguments = parser.parse_args()
    workloads = {
        "dd bs=1 count=200000": ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=200000"],
        "4 threads × 50,000 calls": [arguments.threads, "50000"],
    }
    with tempfile.TemporaryDirectory() as folder:
        print("every run pinned to one processor; medians of", arguments.runs, "pairs")
        print(f"{'workload':28} {'slowtrace against':28} {'median':>8} {'min':>7} {'max':>7}")
        if arguments.only != "calls":
            names(arguments, folder)
        if arguments.only == "names":
            return
        others = rivals(arguments, folder)
        for name, command in workloads.items():
            for other, prefix in others.items():
                middle, low, high = ratio(slowtrace(arguments, folder, command), prefix + command, arguments.runs)
                print(f"{name:28} {other:28} {middle:7.2f}× {low:6.2f}× {high:6.2f}×", flush=True)
            filtered = slowtrace(arguments, folder, command)
            filtered[1:1] = ["-e", "%network"]
            middle, low, high = ratio(filtered, command, arguments.runs)
            print(f"{name:28} {'untraced, -e %network':28} {middle:7.2f}× {low:6.2f}× {high:6.2f}×", flush=True)
        if arguments.calls:
            long_run(arguments, folder)


def long_run(arguments, folder):
    count = arguments.calls // 2
    command = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", f"count={count}"]
    _, peak = timed(slowtrace(arguments, folder, command))
    size = os.path.getsize(os.path.join(folder, "bench.slowtrace"))
    print(f"\n{2 * count:,} calls: trace {size / (2 * count):.2f} bytes a call, slowtrace's own memory {peak / 1024:.0f} MiB peak")


if __name__ == "__main__":
    main()
