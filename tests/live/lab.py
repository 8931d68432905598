"""What the live tests stand on: running slowtrace with a deadline, reading its outputs, skipping, asserting."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEADLINE_SECONDS = 60


class Skipped(Exception):
    """This machine cannot run the test; the message says why."""


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def check_equal(found, wanted, what):
    check(found == wanted, f"{what}: {found!r} instead of {wanted!r}")


def check_possible(status, errors):
    """Skips when a scenario says that it cannot run here (fixtures/scenarios/stage.py); all else that went wrong fails."""
    last = (errors.strip().splitlines() or [""])[-1]
    if status == 125 and last.startswith("demo: "):
        raise Skipped(last.removeprefix("demo: "))
    check_equal(status, 0, f"status ({errors[-500:]})")


class Finished:
    """One ended command: its status as the shell would see it, and both outputs as bytes."""

    def __init__(self, status, output, errors, run=None):
        self.status, self.output, self.errors, self.run = status, output, errors, run

    @property
    def report(self):
        return self.errors.decode(errors="replace")


class Lab:
    """A scratch folder, the binary under test, and the fixture programs."""

    def __init__(self, binary, programs):
        self.binary = os.path.abspath(binary)
        self.programs = os.path.abspath(programs)
        self.folder = tempfile.mkdtemp(prefix="slowtrace-live-")
        self._count = 0
        self._shared = {}

    def shared(self, make):
        """What `make(self)` gave when it was first asked for; its close() is called when the lab closes.

        A failure is shared too: each who asks gets the same exception.
        """
        if make not in self._shared:
            try:
                self._shared[make] = make(self)
            except Exception as reason:
                self._shared[make] = reason
        if isinstance(self._shared[make], Exception):
            raise self._shared[make]
        return self._shared[make]

    def close(self):
        for one in self._shared.values():
            if not isinstance(one, Exception):
                one.close()
        for root, folders, _ in os.walk(self.folder):  # a test may have left a folder unwritable
            for name in folders:
                path = os.path.join(root, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o700)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        self._count += 1
        return os.path.join(self.folder, f"{self._count:04}-{name}")

    def program(self, name):
        path = os.path.join(self.programs, name)
        if not os.access(path, os.X_OK):
            raise Skipped(f"{path} is not built")
        return path

    def program_names(self):
        return sorted(name for name in os.listdir(self.programs)
                      if os.access(os.path.join(self.programs, name), os.X_OK))

    def start(self, command, **options):
        """Popen with quiet standard streams of their own, in a session of its own unless told otherwise."""
        settings = {"stdin": subprocess.DEVNULL, "cwd": self.folder, "start_new_session": True, **options}
        return subprocess.Popen(command, **settings)

    def run(self, command, deadline=DEADLINE_SECONDS, **options):
        """Runs to the end. Outputs go to files: a background child that keeps them open holds nobody up."""
        output, errors = self.path("stdout"), self.path("stderr")
        with open(output, "wb") as out, open(errors, "wb") as err:
            process = self.start(command, **{"stdout": out, "stderr": err, **options})
            try:
                status = process.wait(timeout=deadline)
            except subprocess.TimeoutExpired:
                end_session(process)
                raise AssertionError(f"not finished after {deadline} s: {' '.join(map(str, command))}") from None
        with open(output, "rb") as out, open(errors, "rb") as err:
            return Finished(status, out.read(), err.read())

    def record(self, command, *options, **settings):
        """Records `command`; the result's `run` is the trace file."""
        name = self.path("run")
        finished = self.run([self.binary, "-o", name, "--no-json", *options, "--", *command], **settings)
        finished.run = name + ".slowtrace"
        return finished

    def timeline(self, run):
        """The calls of a run, in the order they began; each thread's in its own order."""
        finished = self.run([self.binary, "timeline", "--format", "tsv", run])
        check_equal(finished.status, 0, f"timeline's exit status ({finished.report.strip()})")
        return parse_timeline(finished.output.decode(errors="surrogateescape"))

    def timeline_text(self, run):
        """The timeline as a user reads it."""
        finished = self.run([self.binary, "timeline", run])
        check_equal(finished.status, 0, f"timeline's exit status ({finished.report.strip()})")
        return finished.output.decode(errors="replace")

    def exported(self, run, to):
        """What `export --to` writes, parsed as JSON."""
        finished = self.run([self.binary, "export", run, "--to", to, "-o", "-"])
        check_equal(finished.status, 0, f"export's exit status ({finished.report.strip()})")
        return json.loads(finished.output)

    def report_of(self, run):
        finished = self.run([self.binary, "report", run])
        check_equal(finished.status, 0, f"report's exit status ({finished.report.strip()})")
        return finished.output.decode(errors="replace") + finished.report


class Call:
    """One line of `timeline --format tsv` (src/render/timeline_tsv.hpp)."""

    FIELDS = ("thread", "tid", "pid", "name", "entry_ns", "exit_ns", "result", "ending", "descriptors", "cause",
              "subject", "pieces")
    NUMBERS = {"thread", "tid", "pid", "entry_ns", "exit_ns", "pieces"}

    def __init__(self, columns):
        for field, text in zip(self.FIELDS, columns):
            setattr(self, field, int(text) if field in self.NUMBERS else text if text != "-" else "")
        pairs = [pair.split("=") for pair in self.descriptors.split(",") if pair]
        self.descriptors = {int(argument): int(number) for argument, number in pairs}
        self.result = error_name(self.result)

    def overlap(self, from_ns, to_ns):
        return min(self.exit_ns, to_ns) - max(self.entry_ns, from_ns)


def error_name(result):
    """"-2" → "ENOENT", as strace spells it; other results as they are."""
    if not re.fullmatch(r"-\d+", result):
        return result
    number = -int(result)
    return {errno.EOPNOTSUPP: "EOPNOTSUPP"}.get(number, errno.errorcode.get(number, result))


def parse_timeline(text):
    calls = []
    for line in text.split("\n"):
        columns = line.split("\t")
        if not line or not columns[0].isdigit():  # the heading
            continue
        check_equal(len(columns), len(Call.FIELDS), f"columns of {line!r}")
        calls.append(Call(columns))
    calls.sort(key=lambda call: call.entry_ns)  # stable: what began together keeps its order
    return calls


def first_cause_line(report):
    """The first line below "Where the … went"."""
    lines = report.splitlines()
    for index, line in enumerate(lines):
        if re.match(r"Where the .* went", line):
            return next((after for after in lines[index + 1:] if after.strip()), "")
    return ""


def process_state(pid):
    """The state letter of /proc/PID/stat; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return None


def session_members(session):
    """pid → state of every process of a session, without zombies that only init has yet to reap."""
    members = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and (fields[0] != "Z" or fields[1] != "1"):
            members[int(name)] = fields[0]
    return members


def end_session(process):
    """Ends what `process`, a session leader of ours, has started."""
    for pid in session_members(process.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


def end_own_children():
    """Ends every child of this process and the sessions they lead."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            children = [int(pid) for pid in file.read().split()]
    except OSError:
        return
    for child in children:
        for pid in {child, *session_members(child)}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
