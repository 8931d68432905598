"""The pip install of the demo: its report must begin with the index that never answered."""

import os
import re
import shutil
import subprocess
import sys

from lab import REPOSITORY, Skipped, check, check_equal, check_possible, first_cause_line

SCENARIO = os.path.join(REPOSITORY, "fixtures", "scenarios", "pip", "scenario.py")
PACKAGES = 4


def perform(lab, *options, prefix=(), output=None):
    output = output or lab.path("demo")
    finished = lab.run([*prefix, sys.executable, SCENARIO, "run", "--slowtrace", lab.binary, "--packages", str(PACKAGES),
                        "--output", output, *options], deadline=120)
    check_possible(finished.status, finished.report)
    return finished, output


def check_report(report, host):
    first = first_cause_line(report)
    check(host in first, f"the first cause is {first!r}, not {host}")
    counts = re.search(r"(\d+) attempts?.*?(\d+) timed out", first)
    all_timed_out = re.search(r"(\d+) attempts?, all timed out", first)
    check(counts or all_timed_out, f"no count of attempts: {first!r}")
    if counts:
        check_equal(counts.group(1), counts.group(2), "attempts that timed out")
    check_equal(int((counts or all_timed_out).group(1)), PACKAGES, "attempts")


def check_demo(lab, finished, output, names):
    check_report(finished.report, r"extra.example.org:80" if names else "127.0.0.1:")
    if names:
        check("cdn.example.net" in finished.report, "the alias is not told")
        check("pypi.example.com" in finished.report, "the index that answered is not told")
    check(re.search(r"took [\d.]+ s, without it [\d.]+ s", finished.report), "no comparison of the two runs")
    for name in ("pip-extra", "pip-plain"):
        run = os.path.join(output, f"{name}.slowtrace")
        check(os.path.exists(run), f"{run} is missing")
    check_report(lab.report_of(os.path.join(output, "pip-extra.slowtrace")),
                 "extra.example.org:80" if names else "127.0.0.1:")
    plain = lab.report_of(os.path.join(output, "pip-plain.slowtrace"))
    check("timed out" not in first_cause_line(plain), "the run without the extra index timed out")


def demo(lab):
    finished, output = perform(lab)
    check_demo(lab, finished, output, "no network namespaces here" not in finished.report)


def told_while_it_hangs(lab):
    finished, _ = perform(lab, "--packages", "1", "--timeout", "2", "--option=--live", "--option=--no-json")
    if "no network namespaces here" in finished.report:
        raise Skipped("no network namespaces here: nothing hangs in SYN_SENT")
    hanging = re.search(r"^slowtrace: \S+\[\d+\] connecting to extra\.example\.org:80 \(203\.0\.113\.9\) for \S+ so far"
                        r".*SYN_SENT", finished.report, re.MULTILINE)
    check(hanging, f"no line tells that pip hangs: {finished.report[:500]}")
    ended = re.search(r"^slowtrace: \S+\[\d+\] connecting to extra\.example\.org:80 took \S+: timed out",
                      finished.report, re.MULTILINE)
    check(ended, "no line tells how it ended")
    report = re.search(r"^Where the .* went", finished.report, re.MULTILINE)
    check(hanging.start() < ended.start() < report.start(), "the lines do not come in order, before the report")


def demo_on_loopback(lab):
    finished, output = perform(lab, "--loopback")
    check_demo(lab, finished, output, names=False)


def demo_as_ordinary_user(lab):
    if os.geteuid() != 0:
        raise Skipped("the demo itself ran as an ordinary user")
    if not shutil.which("setpriv"):
        raise Skipped("no setpriv")
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    readable = [*prefix, "test", "-x", lab.binary, "-a", "-r", SCENARIO]
    if subprocess.run(readable).returncode != 0:
        raise Skipped("the binary is not readable for other users here")
    output = lab.path("demo")
    os.mkdir(output)
    os.chown(output, 65534, 65534)
    os.chmod(lab.folder, 0o755)
    finished, output = perform(lab, prefix=prefix, output=output)
    check_demo(lab, finished, output, "no network namespaces here" not in finished.report)


def nothing_is_left(lab):
    place = lab.path("place")  # other demos may run beside this one
    os.mkdir(place)
    perform(lab, "--loopback", prefix=["env", f"TMPDIR={place}"])
    check_equal(servers(place), set(), "servers still running")
    check_equal(os.listdir(place), [], "files left")


def servers(place):
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if place.encode() in file.read():
                    found.add(int(name))
        except OSError:
            continue
    return found


def cases(_lab):
    yield "scenario: pip and the index that never answers", demo
    yield "scenario: told by --live while pip hangs", told_while_it_hangs
    yield "scenario: the same on loopback", demo_on_loopback
    yield "scenario: the same as an ordinary user", demo_as_ordinary_user
    yield "scenario: nothing is left running", nothing_is_left
