"""The traced command is the command: its streams, descriptors, signals, session and end are what they were."""

import os
import signal
import subprocess
import sys
import time

from lab import check, check_equal, first_cause_line, process_state

ASK = [sys.executable, "-S", "-c"]


def both(lab, command, **settings):
    return lab.run(command, **settings), lab.record(command, **settings)


def status_is_passed_on(lab):
    for script, wanted in (("exit 42", 42), ("sleep 0.1 | cat; false", 1), ("kill -SEGV $$", -signal.SIGSEGV),
                           ("kill -TERM $$", -signal.SIGTERM), ("kill -KILL $$", -signal.SIGKILL), ("true", 0)):
        traced = lab.record(["bash", "-c", script])
        check_equal(traced.status, wanted, f"status of {script!r}")
        check("Where the " in traced.report, f"no report after {script!r}: {traced.report}")


def streams_are_untouched(lab):
    source = lab.path("input")
    data = bytes(range(256)) * 5000
    with open(source, "wb") as file:
        file.write(data)
    with open(source, "rb") as file:
        traced = lab.record(["sh", "-c", "cat; echo to stderr >&2"], stdin=file)
    check(traced.output == data, f"{len(traced.output)} bytes of {len(data)} came through")
    check(traced.errors.startswith(b"to stderr\n"), "standard error does not begin with the command's")


def closed_streams_stay_closed(lab):
    wrapper = ["sh", "-c", 'exec "$@" <&- >&-', "sh"]
    command = [*ASK, "import os; os.write(2, repr(sorted(os.listdir('/proc/self/fd'))).encode() + b'\\n')"]
    alone = lab.run([*wrapper, *command])
    traced = lab.run([*wrapper, lab.binary, "-o", lab.path("run"), "--no-json", "--", *command])
    check_equal(traced.errors.split(b"\n")[0], alone.errors.split(b"\n")[0], "descriptors with 0 and 1 closed")


def descriptors_are_inherited(lab):
    inherited = os.open("/dev/zero", os.O_RDONLY)
    try:
        os.set_inheritable(inherited, True)
        command = [*ASK, "import os\nfor name in sorted(os.listdir('/proc/self/fd'), key=int):\n"
                         " try: print(name, os.readlink('/proc/self/fd/' + name).split(':')[0])\n"
                         " except OSError: pass"]
        alone, traced = both(lab, command, pass_fds=[inherited])
    finally:
        os.close(inherited)
    kept = [line.split()[0] for line in alone.output.decode().splitlines()]
    check_equal([line.split()[0] for line in traced.output.decode().splitlines()], kept, "open descriptors")


def attributes_are_inherited(lab):
    wanted = "Umask|SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt|CapInh|CapEff|CapAmb|NoNewPrivs|Seccomp|Cpus_allowed_list"
    alone, traced = both(lab, ["sh", "-c", f"grep -E '^({wanted}):' /proc/self/status; ulimit -a; pwd; nice; env | sort"],
                         env={**os.environ, "SLOWTRACE_FIXTURE": "kept"})
    strip = [line for line in alone.output.splitlines() if not line.startswith(b"_=")]
    check_equal([line for line in traced.output.splitlines() if not line.startswith(b"_=")], strip, "attributes")


def ignored_signals_stay_ignored(lab):
    def ignore():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

    alone, traced = both(lab, ["grep", "-E", "^Sig(Ign|Blk|Cgt):", "/proc/self/status"], preexec_fn=ignore)
    check_equal(traced.output, alone.output, "signal dispositions")


def session_is_kept(lab):
    traced = lab.record([*ASK, "import os; print(os.getsid(0) == os.getpgid(os.getppid()), "
                               "os.getpgrp() == os.getpgid(os.getppid()))"])
    check_equal(traced.output, b"True True\n", "same session and process group as slowtrace")


def background_child_goes_on(lab):
    script = "(sleep 1; echo still here) & echo $!; exit 3"
    begin = time.monotonic()
    with open(lab.path("stdout"), "w+b") as output:
        process = lab.start([lab.binary, "-o", lab.path("run"), "--no-json", "--", "sh", "-c", script], stdout=output,
                            stderr=subprocess.DEVNULL)
        check_equal(process.wait(timeout=30), 3, "status")
        output.seek(0)
        child = int(output.readline())
        with open(f"/proc/{child}/status") as file:
            tracer = next(line.split()[1] for line in file if line.startswith("TracerPid"))
        check_equal(tracer, "0", "tracer of the background child")
        check(process_state(child) in ("S", "R"), f"the background child is in state {process_state(child)}")
        check(time.monotonic() - begin < 0.95, "slowtrace waited for a background child")
        while process_state(child) in ("S", "R"):
            time.sleep(0.05)
        output.seek(0)
        check(b"still here" in output.read(), "the background child did not get to its end")


def wait_all_waits(lab):
    traced = lab.record(["sh", "-c", "(sleep 0.5; echo still here) & exit 3"], "--wait-all")
    check_equal(traced.status, 3, "status")
    check(b"still here" in traced.output, "--wait-all did not wait for the background child")


def pipeline_report(lab):
    traced = lab.record(["bash", "-c", "sleep 1 | cat; false"])
    check_equal(traced.status, 1, "status")
    check(first_cause_line(traced.report), f"no causes: {traced.report}")


def files_are_private(lab):
    old = os.umask(0)
    try:
        traced = lab.record(["true"])
    finally:
        os.umask(old)
    check_equal(oct(os.stat(traced.run).st_mode & 0o777), "0o600", "mode of the trace file")


def selection_changes_nothing(lab):
    traced = lab.record([lab.program("pipes")], "-e", "%network,read")
    check_equal(traced.status, 0, "status")
    names = {call.name for call in lab.timeline(traced.run)}
    check(names <= {"read"}, f"calls that were not selected: {sorted(names - {'read'})[:5]}")
    check("read" in names, "the selected call is missing")


def cases(_lab):
    for test in (status_is_passed_on, streams_are_untouched, closed_streams_stay_closed, descriptors_are_inherited,
                 attributes_are_inherited, ignored_signals_stay_ignored, session_is_kept, background_child_goes_on,
                 wait_all_waits, pipeline_report, files_are_private, selection_changes_nothing):
        yield f"transparent: {test.__name__.replace('_', ' ')}", test
