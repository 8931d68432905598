#!/usr/bin/env python3
"""Writes the report of a real demo run into README.md, between its two markers."""
import argparse
import os
import re
import subprocess
import sys
import tempfile

BEGIN, END = "<!-- report: begin -->", "<!-- report: end -->"
WIDTH = 118


def masked(line):
    """The line without what differs from machine to machine."""
    line = re.sub(r"/tmp/slowtrace-demo-\w+", "/tmp/demo", line)
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def demo_report(slowtrace):
    with tempfile.TemporaryDirectory() as folder:
        scenario = ["python3", "fixtures/scenarios/pip/scenario.py", "run", "--slowtrace", slowtrace, "--output", folder]
        done = subprocess.run(scenario, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            sys.exit(f"the demo ended with {done.returncode}")
        run = os.path.join(folder, "pip-extra.slowtrace")
        return subprocess.run([slowtrace, "report", run], capture_output=True, text=True, check=True).stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--slowtrace", required=True)
    report = demo_report(parser.parse_args().slowtrace)
    lines = [masked(line) for line in report.splitlines()]
    with open("README.md", encoding="utf-8") as file:
        readme = file.read()
    before, rest = readme.split(BEGIN)
    after = rest.split(END)[1]
    with open("README.md", "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n```\n" + "\n".join(lines) + "\n```\n" + END + after)


if __name__ == "__main__":
    main()
