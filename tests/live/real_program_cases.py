"""Programs people run: the same output, the same status, and a report that begins with a cause."""

import os
import shutil
import sys

from lab import Skipped, check, check_equal, first_cause_line


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skipped(f"{program} is not installed")


def same(lab, command, wanted_status=0, **settings):
    """Both runs' outputs as lines in any order, and the traced one."""
    alone = lab.run(command, **settings)
    check_equal(alone.status, wanted_status, f"status without slowtrace ({alone.report[-300:]})")
    traced = lab.record(command, **settings)
    check_equal(traced.status, wanted_status, "status")
    check_equal(sorted(traced.output.splitlines()), sorted(alone.output.splitlines()), "standard output")
    check(first_cause_line(traced.report), f"no causes: {traced.report[-500:]}")
    return traced


def git_clone(lab):
    needs("git")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "LC_ALL": "C",
                   "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a",
                   "GIT_COMMITTER_EMAIL": "a@example.com"}
    origin = lab.path("origin")
    script = 'git init -q "$1" && cd "$1" && seq 1 2000 > numbers && git add . && git commit -qm first'
    check_equal(lab.run(["sh", "-c", script, "sh", origin], env=environment).status, 0, "making a repository")
    clone = lab.path("clone")
    traced = lab.record(["git", "clone", "-q", f"file://{origin}", clone], env=environment)
    check_equal(traced.status, 0, f"status ({traced.report[:300]})")
    check(first_cause_line(traced.report), f"no causes: {traced.report}")
    with open(os.path.join(clone, "numbers")) as file:
        check_equal(len(file.readlines()), 2000, "lines in the clone")
    again = lab.record(["git", "clone", "-q", f"file://{origin}", clone], env=environment)
    check_equal(again.status, 128, "status of cloning over what exists")
    check(again.errors.startswith(b"fatal: "), "git's own message is not first")


def parallel_make(lab):
    needs("make")
    folder = lab.path("project")
    os.mkdir(folder)
    with open(os.path.join(folder, "Makefile"), "w") as file:
        file.write("all: a b c d\na b c d:\n\t@sleep 0.2; echo made $@\nbroken: a\n\t@exit 3\n")
    same(lab, ["make", "-s", "-j2", "-C", folder, "all"])
    same(lab, ["make", "-s", "-j2", "-C", folder, "broken"], wanted_status=2)


def shell_pipeline(lab):
    needs("bash")
    traced = same(lab, ["bash", "-c", "sleep 1 | cat; false"], wanted_status=1)
    first = first_cause_line(traced.report)
    check("sleep" in first or "pipe" in first or "child" in first, f"the first cause of a sleep is {first!r}")


def python_with_threads(lab):
    script = ("import os, subprocess, threading, time\n"
              "def work(n):\n time.sleep(0.1); os.write(1, b'%d\\n' % n)\n"
              "threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]\n"
              "[t.start() for t in threads]; [t.join() for t in threads]\n"
              "print(subprocess.run(['echo', 'child'], capture_output=True).stdout)\n")
    same(lab, [sys.executable, "-S", "-c", script])


def large_pipeline(lab):
    traced = same(lab, ["sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x | cksum"])
    check(b"20000000" in traced.output, "the data did not come through")


def cases(_lab):
    for test in (git_clone, parallel_make, shell_pipeline, python_with_threads, large_pipeline):
        yield f"real: {test.__name__.replace('_', ' ')}", test
