#!/usr/bin/env python3
"""Every check of lint_chrome_json.py catches its bad sample, and nothing else does.

Prints `ok NAME` or `FAILED NAME: why` for each and closes with `N passed, N failed, N skipped`.
"""
import gzip
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import lint_chrome_json  # noqa: E402


def metadata(pid, tid, process="sh", thread="sh"):
    return [f'{{"ph":"M","pid":{pid},"tid":{pid},"ts":0.000,"name":"process_name","args":{{"name":"{process}"}}}}',
            f'{{"ph":"M","pid":{pid},"tid":{tid},"ts":0.000,"name":"thread_name","args":{{"name":"{thread}"}}}}']


def slice_(ts="1.000", dur="2.000", name="read", pid=7, tid=7, args='"detail":"read()"'):
    return f'{{"ph":"X","pid":{pid},"tid":{tid},"ts":{ts},"dur":{dur},"name":"{name}","args":{{{args}}}}}'


def document(*events, start=None, unit="ns"):
    lines = (metadata(7, 7) if start is None else start) + list(events)
    return ('{"displayTimeUnit":"%s","traceEvents":[\n' % unit + ",\n".join(lines) + "\n]}\n").encode()


def changed(old, new, **how):
    """The good slice with one piece of its text replaced."""
    good = slice_(**how)
    assert old in good
    return document(good.replace(old, new))


# check → documents that it, and only it, must object to
BAD = {
    "valid-utf8": [document(slice_(args='"detail":"caf@"')).replace(b"@", b"\xe9")],
    "no-surrogate-escapes": [document(slice_(args='"detail":"\\ud83d\\ude00"'))],
    "no-control-characters": [
        document(slice_(args='"detail":"a\\u0000b"')), document(slice_(args='"detail":"\\\\\\u001b[31m"')),
        document(slice_(args='"detail":"a@b"')).replace(b"@", b"\x7f"),
        document(slice_(args='"detail":"\\u009b"'))],
    "valid-json": [document(slice_())[:-4], document(slice_(args='"detail":"","n":NaN')), b""],
    "document-shape": [b"[]", b'{"traceEvents":3}', document(slice_(), unit="ms"), document(slice_(), "3")],
    "has-name": [changed('"name":"read",', ""), changed('"name":"read"', '"name":3'), changed('"read"', '""')],
    "known-phase": [changed('"ph":"X"', '"ph":"Q"')],
    "no-begin-end-pairs": [changed('"ph":"X"', '"ph":"B"'), changed('"ph":"X"', '"ph":"E"')],
    "integer-pid-tid": [changed('"pid":7,', ""), changed('"tid":7', '"tid":"7"'), changed('"tid":7', '"tid":null')],
    "pid-range": [changed('"pid":7', '"pid":4294967296'), changed('"tid":7', '"tid":-1')],
    "has-duration": [changed('"dur":2.000,', ""), changed('"dur":2.000', '"dur":null')],
    "has-timestamp": [changed('"ts":1.000,', ""), changed('"ts":1.000', '"ts":"1.000"')],
    "no-negative-times": [changed('"ts":1.000', '"ts":-1.000'), changed('"dur":2.000', '"dur":-0.001')],
    "exact-microseconds": [changed('"ts":1.000', '"ts":1.5'), changed('"dur":2.000', '"dur":2'),
                           changed('"ts":1.000', '"ts":1.0e3'), changed('"dur":2.000', '"dur":2.0001')],
    "relative-timestamps": [changed('"ts":1.000', '"ts":1700000000000000.123')],
    "no-duplicate-keys": [document(slice_(args='"detail":"","fd":1,"fd":2')),
                          changed('"name":"read"', '"name":"read","name":"write"')],
    "no-64-bit-numbers": [document(slice_(args='"detail":"","address":18446744073709551615')),
                          document(slice_(args='"detail":"","list":[{"n":-9007199254740993}]')),
                          document(slice_(args='"detail":"","ratio":0.25'))],
    "detail-line": [document(slice_(args='"fd":3')), document(slice_(args='"detail":"a\\nb"'))],
    "counter-values": [document('{"ph":"C","pid":7,"tid":7,"ts":1.000,"name":"n","args":{"bytes":"3"}}'),
                       document('{"ph":"C","pid":7,"tid":7,"ts":1.000,"name":"n","args":{}}')],
    "instant-scope": [document('{"ph":"i","pid":7,"tid":7,"ts":1.000,"name":"SIGINT"}')],
    "metadata-first": [document(slice_(), *metadata(8, 8))],
    "sorted-by-time": [document(slice_(ts="9.000"), slice_(ts="1.000"))],
    "longer-first": [document(slice_(ts="1.000", dur="0.000"), slice_(ts="1.000", dur="2.000"))],
    "nested-or-disjoint": [document(slice_(ts="1.000", dur="2.000"), slice_(ts="2.999", dur="0.002"))],
    "apart-in-doubles": [document(slice_(ts="0.100", dur="0.200"), slice_(ts="0.300", dur="1.000")),
                         document(slice_(ts="1.000", dur="2.003"), slice_(ts="1.000", dur="2.003"))],
    "names": [document(slice_(), start=metadata(7, 7)[:1]), document(slice_(), start=metadata(7, 7)[1:]),
              document(slice_(), *(), start=metadata(7, 7) + [metadata(8, 8, process="")[0]])],
    "sort-index": [document(slice_(), start=metadata(7, 7) + [
        '{"ph":"M","pid":7,"tid":7,"ts":0.000,"name":"process_sort_index","args":{"sort_index":"1"}}'])],
    "one-life-per-pid": [
        document(slice_(), start=metadata(7, 7) + metadata(7, 8, process="cat")),
        document(slice_(name="exit_group", args='"detail":"","unfinished":true'), slice_(ts="9.000"))],
    "readable": [None],
}

GOOD = {
    "good document": document(
        slice_(ts="0.000", dur="10.000"), slice_(ts="0.000", dur="3.000"), slice_(ts="3.000", dur="7.000"),
        slice_(ts="3.000", dur="0.000", args='"detail":"caf\u00e9 \\\\u0000 \\\\ud83d \U0001f600","fd":-1,"n":9007199254740991'),
        '{"ph":"i","pid":7,"tid":7,"ts":4.000,"name":"SIGCHLD","s":"t"}',
        '{"ph":"C","pid":7,"tid":7,"ts":5.000,"name":"bytes","args":{"bytes":3}}',
        slice_(ts="10.000", name="exit", args='"detail":"","unfinished":true')),
    "a lane of two lives": document(
        slice_(ts="1.000", name="exit_group", args='"detail":"","unfinished":true'),
        slice_(ts="9.000", dur="5.000", name="sh").replace('"args"', '"cat":"life","args"'), slice_(ts="10.000")),
    "good empty document": document(start=[]),
}


def run(name, check):
    try:
        why = check()
    except Exception as error:  # a lint that fails to run has failed
        why = f"{type(error).__name__}: {error}"
    print(f"FAILED {name}: {why}" if why else f"ok {name}")
    return not why


def caught(check, data):
    lint = lint_chrome_json.Lint()
    lint.file("/nowhere/missing.json") if data is None else lint.document(data)
    if set(lint.violations) != {check}:
        return f"objections are {dict(lint.violations)}"


def passes(data):
    violations = lint_chrome_json.Lint().document(data).violations
    return f"objections are {dict(violations)}" if violations else None


def counts_are_right():
    counts = lint_chrome_json.Lint().document(GOOD["good document"]).counts
    expected = {"slices": 5, "nesting": 3, "processes": 1, "threads": 1, "instants": 1, "counters": 1}
    return None if counts == expected else f"{counts}, expected {expected}"


def compressed_is_read():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "run.json.gz")
        with open(path, "wb") as file:
            file.write(gzip.compress(BAD["sorted-by-time"][0]))
        return None if set(lint_chrome_json.lint(path).violations) == {"sorted-by-time"} else "not seen"


def every_check_has_a_sample():
    with open(os.path.join(HERE, "lint_chrome_json.py")) as source:
        checks = set(re.findall(r'fail\((?:"has-duration" if key == "dur" else )?"([a-z0-9-]+)"', source.read()))
    return f"no bad sample for {checks ^ set(BAD)}" if checks != set(BAD) else None


def main():
    results = [run(f"{check} {number}", lambda check=check, data=data: caught(check, data))
               for check, samples in BAD.items() for number, data in enumerate(samples, 1)]
    results += [run(name, lambda data=data: passes(data)) for name, data in GOOD.items()]
    results += [run("counts", counts_are_right), run("gzip", compressed_is_read),
                run("every check has a sample", every_check_has_a_sample)]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
