#!/usr/bin/env python3
"""Loads exported JSON into real viewers: their models must report what the file holds.

usage: run.py [--binary SLOWTRACE] [FILE...]

FILE is a .json or .json.gz; without one, every fixtures/traces/*.txtpb is exported by the binary first. Each file
is linted, then loaded by catapult (chrome://tracing), speedscope and Firefox Profiler's importer: slice counts,
nesting, process and thread names must be those of the file. Prints `ok NAME`, `FAILED NAME: why` or
`skipped NAME: why` and closes with `N passed, N failed, N skipped`; exits 1 on a failure. install.sh brings the
viewers; one that is missing is skipped with the reason. Every step has a time limit.
"""
import argparse
import glob
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import firefox  # noqa: E402
import lint_chrome_json  # noqa: E402

MODULES = os.path.join(ROOT, "build/viewers/node_modules")
CATAPULT = "/usr/share/go-1.19/src/cmd/trace/static"
LIMIT = 180  # seconds one step may take


class Results:
    def __init__(self):
        self.counts = {"ok": 0, "FAILED": 0, "skipped": 0}

    def tell(self, outcome, name, why=""):
        self.counts[outcome] += 1
        print(f"{outcome} {name}" + (f": {why}" if why else ""), flush=True)

    def close(self):
        counts = self.counts
        print(f"{counts['ok']} passed, {counts['FAILED']} failed, {counts['skipped']} skipped")
        return 1 if counts["FAILED"] else 0


class Skip(Exception):
    pass


# --- the pieces of this machine

def program(*names):
    for name in names:
        if found := shutil.which(name):
            return found
    raise Skip(f"no {' or '.join(names)}; tests/browser/install.sh brings it")


def node():
    """The Node that install.sh brought where the system's is too old, else the system's."""
    brought = os.path.join(ROOT, "build/viewers/node/bin/node")
    return brought if os.access(brought, os.X_OK) else program("node")


def module(name):
    path = os.path.join(MODULES, name)
    if not os.path.exists(path):
        raise Skip(f"no {path}; tests/browser/install.sh brings it")
    return path


def find_binary(given):
    if given:
        return given
    built = glob.glob(os.path.join(ROOT, "build/*/slowtrace")) + glob.glob(os.path.join(ROOT, "build/slowtrace"))
    return max(built, key=os.path.getmtime, default=None)


def run_page(script, path):
    """Runs a viewer in Chromium; its answer is one JSON object on stdout."""
    environment = {**os.environ, "VIEWER_MODULES": MODULES, "VIEWER_CATAPULT": CATAPULT,
                   "VIEWER_CHROMIUM": program("chromium", "chromium-browser", "google-chrome")}
    module("playwright-core")
    child = subprocess.Popen([node(), os.path.join(HERE, script), path], env=environment,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        answer, errors = child.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        child.terminate()  # playwright ends its browser on SIGTERM
        try:
            child.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
        raise RuntimeError(f"not done after {LIMIT} s") from None
    if child.returncode != 0:
        raise RuntimeError((errors.strip() or answer.strip() or f"exit {child.returncode}").split("\n")[0])
    answer = json.loads(answer)
    if answer["errors"]:
        raise RuntimeError("; ".join(answer["errors"])[:300])
    return answer


# --- what the file holds, in the words the viewers use

class Row:
    """A slice or an instant; times in nanoseconds."""

    def __init__(self, event):
        self.track = (event["pid"], event["tid"])
        self.start = round(event["ts"] * 1000)
        self.to = self.start + round(event.get("dur", 0) * 1000)
        self.frame = (event["name"], json.dumps(event.get("args")))


def deepest(rows, touching=False):
    """The deepest nesting; `touching`: what begins and ends where a slice ends counts as inside it."""
    open_ends, nesting = {}, 0
    for row in rows:
        ends = open_ends.setdefault(row.track, [])
        while ends and (ends[-1] < row.start or ends[-1] == row.start and not (touching and row.to == row.start)):
            ends.pop()
        ends.append(row.to)
        nesting = max(nesting, len(ends))
    return nesting


def touching_twins(rows):
    """How many lasting slices begin where one of the same name and arguments ends."""
    last_ends, twins = set(), 0
    for row in sorted((row for row in rows if row.to > row.start), key=lambda row: row.start):
        twins += (row.track, row.frame, row.start) in last_ends
        last_ends.add((row.track, row.frame, row.to))
    return twins


class Expected:
    def __init__(self, lint, path):
        opener = gzip.open if path.endswith(".gz") else open
        with opener(path, "rb") as file:
            events = json.loads(file.read())["traceEvents"]
        self.slices, self.nesting = lint.counts["slices"], lint.counts["nesting"]
        self.instants = lint.counts["instants"]
        self.rows = [Row(event) for event in events if event["ph"] in "Xi"]
        lasting = [row for row in self.rows if row.to > row.start]
        self.lasting = len(lasting)
        self.lasting_nesting = deepest(lasting)
        self.lasting_tracks = {row.track for row in lasting}
        shown = {(event["pid"], event["tid"]) for event in events if event["ph"] in "Xi"}
        self.processes = {str(pid): name for pid, name in lint.names["processes"].items()}
        self.threads = {f"{pid}:{tid}": name for (pid, tid), name in lint.names["threads"].items()}
        self.shown = {f"{pid}:{tid}" for pid, tid in shown}
        self.counters = {}
        for event in events:
            if event["ph"] == "C":
                self.counters[event["name"]] = self.counters.get(event["name"], 0) + 1


def compare(what, got, expected):
    if got != expected:
        raise AssertionError(f"{what}: the viewer has {str(got)[:200]}, the file {str(expected)[:200]}")


# --- viewers

def catapult(expected, path):
    if not os.path.exists(os.path.join(CATAPULT, "trace_viewer_full.html")):
        raise Skip(f"no {CATAPULT}/trace_viewer_full.html (Debian: golang-1.19-src)")
    got = run_page("catapult.js", path)
    compare("import warnings", got["warnings"], [])
    compare("slices and instants", got["slices"], expected.slices + expected.instants)
    compare("nesting", got["nesting"], deepest(expected.rows, touching=True))
    compare("processes", got["processes"], expected.processes)
    compare("threads", got["threads"], expected.threads)
    compare("counters", got["counters"], expected.counters)


def speedscope(expected, path):
    """May leave out a slice without duration and join touching ones of one name and arguments."""
    module("speedscope")
    if not expected.lasting:
        raise Skip("no slice that lasts, which speedscope needs")
    got = run_page("speedscope.js", path)
    least = expected.lasting - touching_twins(expected.rows)
    if not least <= got["slices"] <= expected.slices:
        compare("slices", got["slices"], f"{least} to {expected.slices}")
    if not expected.lasting_nesting <= got["nesting"] <= expected.nesting:
        compare("nesting", got["nesting"], expected.nesting)
    names = {f"{expected.processes[str(pid)]} (pid {pid}), {expected.threads[f'{pid}:{tid}']} (tid {tid})"
             for pid, tid in expected.lasting_tracks}
    compare("profiles", set(got["profiles"]) & names, names)
    compare("profiles that are not threads", [name for name in got["profiles"] if "(tid" not in name], [])


def firefox_profiler(expected, path):
    """Shows slices and instants as markers; threads without any are left out."""
    module(firefox.COMMAND)
    got = firefox.read(node(), MODULES, path, LIMIT)
    compare("markers", got["markers"], expected.slices + expected.instants)
    if got["complete"]:
        compare("nesting", got["nesting"], expected.nesting)
    compare("threads", {tid: name for tid, name in got["threads"].items() if tid in expected.shown},
            {tid: name for tid, name in expected.threads.items() if tid in expected.shown})
    processes = {tid.split(":")[0] for tid in expected.shown}
    compare("processes", {pid: name for pid, name in got["processes"].items() if pid in processes},
            {pid: name for pid, name in expected.processes.items() if pid in processes})


VIEWERS = {"catapult": catapult, "speedscope": speedscope, "firefox": firefox_profiler}


def check(results, name, path):
    lint = lint_chrome_json.lint(path)
    if lint.violations:
        rule, whys = next(iter(lint.violations.items()))
        return results.tell("FAILED", f"{name} lint", f"{rule}: {whys[0]}")
    counts = lint.counts
    results.tell("ok", f"{name} lint ({counts['slices']} slices, {counts['processes']} processes, "
                 f"{counts['threads']} threads, nesting {counts['nesting']})")
    if not counts["slices"]:
        for viewer in VIEWERS:
            results.tell("skipped", f"{name} {viewer}", "viewers refuse a file without slices")
        return None
    expected = Expected(lint, path)
    for viewer, load in VIEWERS.items():
        try:
            load(expected, path)
            results.tell("ok", f"{name} {viewer}")
        except Skip as why:
            results.tell("skipped", f"{name} {viewer}", str(why))
        except (AssertionError, RuntimeError, OSError, ValueError, KeyError, subprocess.TimeoutExpired) as why:
            results.tell("FAILED", f"{name} {viewer}", str(why) or type(why).__name__)
    return None


def export_fixtures(results, binary, folder):
    """Each fixture's JSON; one of them compressed, as a user might ask."""
    traces = sorted(glob.glob(os.path.join(ROOT, "fixtures/traces/*.txtpb")))
    if not binary or not traces:
        results.tell("skipped", "fixtures", "no slowtrace binary; make builds it" if traces else "no fixtures/traces")
        return []
    exported = []
    for number, trace in enumerate(traces):
        name = os.path.splitext(os.path.basename(trace))[0]
        path = os.path.join(folder, name + (".json.gz" if number == 0 else ".json"))
        done = subprocess.run([binary, "export", trace, "--to", "json", "-o", path], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=LIMIT)
        if done.returncode == 0:
            exported.append((name, path))
        else:
            results.tell("FAILED", f"{name} export", done.stderr.strip().split("\n")[0])
    return exported


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", help="the slowtrace that exports the fixtures (default: the newest in build/)")
    parser.add_argument("files", nargs="*", metavar="FILE")
    options = parser.parse_args()
    results = Results()
    with tempfile.TemporaryDirectory(prefix="slowtrace-viewers-") as folder:
        files = [(os.path.basename(path), path) for path in options.files]
        for name, path in files or export_fixtures(results, find_binary(options.binary), folder):
            check(results, name, path)
    return results.close()


if __name__ == "__main__":
    sys.exit(main())
