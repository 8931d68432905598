#!/usr/bin/env python3
"""Checks a Chrome Trace Event JSON file against what real viewers accept, one named check per rule.

usage: lint_chrome_json.py FILE...      (.json or .json.gz)

Prints what the file holds (the viewers must report the same), each violation as `FAILED check: why`, and
exits 1 when there was one. Standard library only. Each rule was learnt from a viewer that refused a file,
dropped events or drew them wrongly.
"""
import gzip
import json
import re
import sys
from collections import defaultdict

MOST_SHOWN = 5  # violations of one check
LARGEST_EXACT = 2**53 - 1
PHASES = set("MXiCsf")
SURROGATE = re.compile(rb"(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]")
CONTROL_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\(?:u00[01][0-9a-fA-F]|u007[fF]|u00[89][0-9a-fA-F])")
RAW_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")  # between tokens a line break and a tab are fine
EXACT_TIME = re.compile(r"\d+\.\d{3}")


class Time(str):
    """A JSON number with a fraction, as written."""


class Duplicates(dict):
    """An object that was written with one key twice."""


def object_of(pairs):
    members = dict(pairs)
    return Duplicates(members) if len(members) != len(pairs) else members


def is_number(value):
    return isinstance(value, (int, Time)) and not isinstance(value, bool)


def nanoseconds(value):
    """Of a time in microseconds, exactly."""
    whole, _, decimals = str(value).partition(".")
    return int(whole) * 1000 + int((decimals + "000")[:3])


def walk(value):
    yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from walk(child)


class Track:
    """The slices of one thread, in order.

    Viewers compute ends as ts + dur in doubles, from an origin of their own. Where two ends, or an end and a
    beginning, are the same nanosecond they may round past each other; speedscope then stretches the whole thread.
    Whole microseconds are exact.
    """

    def __init__(self):
        self.ends = []
        self.closed = -1
        self.whole = True
        self.touching = ""

    def add(self, event):
        """False when the slice overlaps another in part."""
        start, duration = nanoseconds(event["ts"]), nanoseconds(event["dur"])
        end = start + duration
        self.whole = self.whole and start % 1000 == 0 and duration % 1000 == 0
        while self.ends and self.ends[-1] <= start:
            self.closed = max(self.closed, self.ends.pop())
        fits = not self.ends or end <= self.ends[-1]
        if duration and (start == self.closed or self.ends and end == self.ends[-1]):
            self.touching = f"{event['name']!r} at {event['ts']} touches another's end"
        self.ends.append(end)
        return fits


class Lint:
    def __init__(self):
        self.violations = defaultdict(list)
        self.counts = {}
        self.names = {"processes": {}, "threads": {}}

    def fail(self, check, why):
        self.violations[check].append(why)

    def file(self, path):
        try:
            with open(path, "rb") as raw:
                data = raw.read()
            if path.endswith(".gz"):
                data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            self.fail("readable", f"{path}: {error}")
            return self
        return self.document(data)

    def document(self, data):
        self.bytes(data)
        try:
            root = json.loads(data.decode("utf-8", "replace"), object_pairs_hook=object_of, parse_float=Time,
                              parse_constant=lambda name: self.fail("valid-json", f"{name} is no JSON number"))
        except (ValueError, RecursionError) as error:
            self.fail("valid-json", str(error))
            return self
        if not isinstance(root, dict) or not isinstance(root.get("traceEvents"), list):
            self.fail("document-shape", "the root is not an object with a traceEvents array")
            return self
        if root.get("displayTimeUnit") != "ns":
            self.fail("document-shape", "displayTimeUnit is not ns")
        events = []
        for number, event in enumerate(root["traceEvents"]):
            if isinstance(event, dict) and self.event(number, event):
                events.append(event)
            elif not isinstance(event, dict):
                self.fail("document-shape", f"event {number} is not an object")
        self.order(events)
        self.tracks(events)
        self.named(events)
        self.lives(events)
        return self

    # --- the bytes, before any parser has smoothed them over

    def bytes(self, data):
        try:
            data.decode("utf-8", "strict")
        except UnicodeDecodeError as error:
            self.fail("valid-utf8", str(error))
        if found := SURROGATE.search(data):
            self.fail("no-surrogate-escapes", f"at byte {found.start()}")
        if found := CONTROL_ESCAPE.search(data):
            self.fail("no-control-characters", f"escaped at byte {found.start()}: {found.group()!r}")
        if found := RAW_CONTROL.search(data):
            self.fail("no-control-characters", f"raw at byte {found.start()}: {found.group()!r}")

    # --- each event alone

    def event(self, number, event):
        where = f"event {number} ({str(event.get('name'))[:40]!r})"
        fine = True

        def fail(check, why):
            nonlocal fine
            fine = False
            self.fail(check, f"{where}: {why}")

        if not isinstance(event.get("name"), str) or not event["name"]:
            fail("has-name", "no name")
        phase = event.get("ph")
        if phase in ("B", "E"):
            fail("no-begin-end-pairs", f"phase {phase}")
        elif phase not in PHASES:
            fail("known-phase", f"phase {phase!r}")
        for key in ("pid", "tid"):
            value = event.get(key)
            if not isinstance(value, int) or isinstance(value, bool):
                fail("integer-pid-tid", f"{key} is {value!r}")
            elif not 0 <= value < 2**32:
                fail("pid-range", f"{key} is {value}")
        self.times(event, phase, fail)
        self.values(event, fail)
        if phase == "C" and not (event.get("args") and all(map(is_number, event["args"].values()))):
            fail("counter-values", "a counter's args are not numbers")
        args = event.get("args")
        if phase == "X" and not (isinstance(args, dict) and isinstance(args.get("detail"), str)
                                 and "\n" not in args["detail"]):
            fail("detail-line", "a slice without a line in args.detail, all that Firefox Profiler shows of args")
        if phase == "i" and event.get("s") not in ("g", "p", "t"):
            fail("instant-scope", "no scope")
        return fine

    def times(self, event, phase, fail):
        if phase == "X" and "dur" not in event:
            fail("has-duration", "a slice without dur")
        for key in ("ts", "dur"):
            if key not in event:
                if key == "ts" and phase != "M":
                    fail("has-timestamp", "no ts")
                continue
            value = event[key]
            if not is_number(value):
                fail("has-duration" if key == "dur" else "has-timestamp", f"{key} is {value!r}")
            elif str(value).startswith("-"):
                fail("no-negative-times", f"{key} is {value}")
            elif not EXACT_TIME.fullmatch(str(value)):
                fail("exact-microseconds", f"{key} is {value}, not digits.ddd")
            elif key == "ts" and nanoseconds(value) > 10**18:
                fail("relative-timestamps", f"ts is {value}: an epoch, not the time since the start")

    def values(self, event, fail):
        for value in walk(event):
            if isinstance(value, Duplicates):
                fail("no-duplicate-keys", f"a key twice among {sorted(value)}")
            elif isinstance(value, int) and abs(value) > LARGEST_EXACT:
                fail("no-64-bit-numbers", f"{value}")
        for key, value in walk_members(event.get("args")):
            if isinstance(value, Time) and not EXACT_TIME.fullmatch(value):
                fail("no-64-bit-numbers", f"{key} is {value}")

    # --- all of them together

    def order(self, events):
        time = -1
        last_on_track = {}
        for event in events:
            if event["ph"] == "M":
                if time >= 0:
                    self.fail("metadata-first", f"{event['name']} after an event")
                continue
            start = nanoseconds(event["ts"])
            if start < time:
                self.fail("sorted-by-time", f"{event['name']!r} at {event['ts']}")
            time = max(time, start)
            if event["ph"] != "X":
                continue
            track, duration = (event["pid"], event["tid"]), nanoseconds(event["dur"])
            previous = last_on_track.get(track)
            if previous and previous[0] == start and previous[1] < duration:
                self.fail("longer-first", f"{event['name']!r} at {event['ts']} after a shorter one of that time")
            last_on_track[track] = (start, duration)

    def tracks(self, events):
        tracks = defaultdict(Track)
        slices = nesting = 0
        for event in events:
            if event["ph"] != "X":
                continue
            slices += 1
            track = tracks[event["pid"], event["tid"]]
            if not track.add(event):
                self.fail("nested-or-disjoint", f"{event['name']!r} at {event['ts']} on pid {event['pid']} tid "
                          f"{event['tid']} ends after the slice it begins in")
            nesting = max(nesting, len(track.ends))
        for (pid, tid), track in tracks.items():
            if track.touching and not track.whole:
                self.fail("apart-in-doubles", f"on pid {pid} tid {tid}, {track.touching}")
        self.counts.update(slices=slices, nesting=nesting, processes=len({event["pid"] for event in events}),
                           threads=len({(event["pid"], event["tid"]) for event in events
                                        if event["ph"] != "C" and not event["name"].startswith("process_")}))
        self.counts["instants"] = sum(event["ph"] == "i" for event in events)
        self.counts["counters"] = sum(event["ph"] == "C" for event in events)

    def named(self, events):
        for event in events:
            if event["ph"] != "M":
                continue
            kind, track = event["name"], (event["pid"], event["tid"])
            name = (event.get("args") or {}).get("name")
            if kind in ("process_name", "thread_name"):
                if not isinstance(name, str) or not name:
                    self.fail("names", f"{kind} of {track} is {name!r}")
                    continue
                names, key = (("processes", track[0]) if kind == "process_name" else ("threads", track))
                if key in self.names[names]:
                    self.fail("one-life-per-pid", f"{kind} of {track} given twice: {self.names[names][key]!r}, {name!r}")
                self.names[names][key] = name
            elif kind in ("process_sort_index", "thread_sort_index"):
                index = (event.get("args") or {}).get("sort_index")
                if not isinstance(index, int) or abs(index) >= 2**31:
                    self.fail("sort-index", f"{kind} of {track} is {index!r}")
            else:
                self.fail("names", f"unknown metadata {kind!r}")
        for event in events:
            if event["ph"] == "M":
                continue
            if event["pid"] not in self.names["processes"]:
                self.fail("names", f"pid {event['pid']} has no process_name")
            if event["ph"] != "C" and (event["pid"], event["tid"]) not in self.names["threads"]:
                self.fail("names", f"pid {event['pid']} tid {event['tid']} has no thread_name")

    def lives(self, events):
        """After its exit has returned to nobody, a thread does nothing more: what follows is another life."""
        ended = {}
        for event in events:
            if event["ph"] != "X":
                continue
            track = (event["pid"], event["tid"])
            start = nanoseconds(event["ts"])
            if event.get("cat") == "life":  # processes share the pid and its threads, one after the other
                ended = {other: end for other, end in ended.items() if other[0] != event["pid"]}
            if track in ended and start > ended[track]:
                self.fail("one-life-per-pid", f"{event['name']!r} at {event['ts']} on pid {track[0]} tid {track[1]} "
                          "after its exit")
            if event["name"] in ("exit", "exit_group") and (event.get("args") or {}).get("unfinished") is True:
                ended[track] = start + nanoseconds(event["dur"])


def walk_members(args):
    if isinstance(args, dict):
        for key, value in args.items():
            yield key, value
            yield from walk_members(value)


def lint(path):
    return Lint().file(path)


def main(paths):
    if not paths:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    failed = False
    for path in paths:
        result = lint(path)
        counted = ", ".join(f"{count} {what}" for what, count in result.counts.items() if what != "nesting")
        print(f"{path}: {counted or 'nothing counted'}, max nesting {result.counts.get('nesting', 0)}")
        for check, whys in sorted(result.violations.items()):
            failed = True
            for why in whys[:MOST_SHOWN]:
                print(f"FAILED {check}: {why}")
            if len(whys) > MOST_SHOWN:
                print(f"FAILED {check}: and {len(whys) - MOST_SHOWN} more")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
