"""Bad input and bad places: the documented exit status, one line on stderr that names the culprit, no harm done."""

import ctypes
import os
import random
import resource
import shutil
import signal
import struct
import subprocess

from lab import Skipped, check, check_equal

USAGE, FAILED, CANNOT_EXECUTE, NOT_FOUND = 2, 125, 126, 127
MAGIC_SIZE = 12  # then the version, four octets, little-endian


def one_line(finished, status, named):
    """Failed as documented: the status, and one line that names what is wrong."""
    check_equal(finished.status, status, f"status ({finished.report.strip()})")
    check_equal(finished.output, b"", "standard output")
    lines = finished.report.splitlines()
    check_equal(len(lines), 1, f"lines on stderr ({finished.report!r})")
    check(named in lines[0], f"{named!r} is not named: {lines[0]!r}")
    check(len(lines[0]) < 400, f"a line of {len(lines[0])} characters")


def refuses(arguments, status, named):
    """Runs slowtrace with arguments in which {…} stands for a file prepared below."""

    def test(lab):
        files = Files(lab)
        words = [word.format_map(files) for word in arguments]
        one_line(lab.run([lab.binary, *words]), status, named.format_map(files))
        check(not os.path.exists(os.path.join(lab.folder, "ran")), "the command ran all the same")

    return test


class Files(dict):
    """Made when first named."""

    def __init__(self, lab):
        super().__init__()
        self._lab = lab

    def __missing__(self, name):
        path = self[name] = self._lab.path(name)
        if name != "missing":
            getattr(self, f"_make_{name}")(path)
        return path

    def _make_free(self, path):
        pass

    def _make_folder(self, path):
        os.mkdir(path)

    def _make_plain(self, path):
        with open(path, "w") as file:
            file.write("#!/bin/sh\necho this may not run\n")

    def _make_garbage(self, path):
        with open(path, "wb") as file:
            file.write(b"\x7fELF\0garbage\0that nobody can execute")
        os.chmod(path, 0o755)

    def _make_text(self, path):
        with open(path, "w") as file:
            file.write("echo run by sh, as execvp says; exit 9\n")
        os.chmod(path, 0o755)

    def _make_empty(self, path):
        open(path, "wb").close()

    def _make_foreign(self, path):
        with open(path, "wb") as file:
            file.write(b'{"traceEvents":[]}\n' * 100)

    def _make_good(self, path):
        shutil.copy(self._lab.record(["true"]).run, path)

    def _make_stub(self, path):
        with open(self["good"], "rb") as good, open(path, "wb") as file:
            file.write(good.read(10))

    def _make_newer(self, path):
        with open(self["good"], "rb") as good:
            data = bytearray(good.read())
        data[MAGIC_SIZE:MAGIC_SIZE + 4] = struct.pack("<I", 4_000_000)
        with open(path, "wb") as file:
            file.write(data)

    def _make_script(self, path):
        with open(path, "w") as file:
            file.write("#!/nonexistent/interpreter\n")
        os.chmod(path, 0o755)


TOUCH = ["--", "touch", "ran"]
REFUSALS = [
    ("no command", [], USAGE, "no command"),
    ("no command after --", ["--"], USAGE, "no command"),
    ("unknown option", ["--frobnicate", *TOUCH], USAGE, "--frobnicate"),
    ("option without its value", ["-o"], USAGE, "-o"),
    ("contradiction", ["--json", "{free}", "--no-json", *TOUCH], USAGE, "--no-json"),
    ("unknown call in --trace", ["-e", "opem", *TOUCH], USAGE, "opem"),
    ("unknown class in --trace", ["-e", "%nettwork", *TOUCH], USAGE, "nettwork"),
    ("missing program", ["--", "/nonexistent/program"], NOT_FOUND, "/nonexistent/program"),
    ("program not in PATH", ["--", "no-such-program-anywhere"], NOT_FOUND, "no-such-program-anywhere"),
    ("program that may not be executed", ["--", "{plain}"], CANNOT_EXECUTE, "{plain}"),
    ("folder as a program", ["--", "{folder}"], CANNOT_EXECUTE, "{folder}"),
    ("program in a file that is no folder", ["--", "{plain}/program"], CANNOT_EXECUTE, "{plain}/program"),
    ("program that is none", ["--", "{garbage}"], CANNOT_EXECUTE, "{garbage}"),
    ("output in a missing folder", ["-o", "{missing}/run", *TOUCH], FAILED, "{missing}/run"),
    ("json in a missing folder", ["-o", "{free}", "--json", "{missing}/x.json", *TOUCH], FAILED, "{missing}/x.json"),
]
for _action in (["report"], ["timeline"], ["export", "--to", "json", "-o", "{free}"]):
    for _name, _file in (("missing", "{missing}"), ("foreign", "{foreign}"), ("empty", "{empty}"), ("cut", "{stub}"),
                         ("newer", "{newer}"), ("folder as a", "{folder}")):
        REFUSALS.append((f"{_action[0]}: {_name} trace file", [*_action, _file], FAILED, _file))
REFUSALS += [
    ("export: unknown format", ["export", "{good}", "--to", "frob", "-o", "{free}"], USAGE, "frob"),
    ("export: output in a missing folder", ["export", "{good}", "--to", "json", "-o", "{missing}/x"], FAILED, "{missing}/x"),
    ("export: output that exists", ["export", "{good}", "--to", "json", "-o", "{plain}"], FAILED, "{plain}"),
    ("export: no run", ["export", "--to", "json"], USAGE, "run"),
    ("timeline: unknown format", ["timeline", "--format", "frob", "{good}"], USAGE, "frob"),
    ("report: no run", ["report"], USAGE, "run"),
]


def refuses_to_overwrite(lab):
    first = lab.record(["true"])
    with open(first.run, "rb") as file:
        before = file.read()
    name = first.run.removesuffix(".slowtrace")
    again = lab.run([lab.binary, "-o", name, "--no-json", "--", "touch", "ran"])
    one_line(again, FAILED, first.run)
    with open(first.run, "rb") as file:
        check_equal(file.read() == before, True, "the old run is untouched")
    check(not os.path.exists(os.path.join(lab.folder, "ran")), "the command ran all the same")
    over = lab.run([lab.binary, "-o", name, "--no-json", "--overwrite", "--", "true"])
    check_equal(over.status, 0, "status with --overwrite")


def names_are_made_visible(lab):
    odd = "evil\x1b[31m\nname"
    one_line(lab.run([lab.binary, "report", odd]), FAILED, "evil")


def script_without_interpreter(lab):
    finished = lab.record([Files(lab)["text"]])
    check_equal((finished.status, finished.output), (9, b"run by sh, as execvp says\n"), "status and output")


def missing_interpreter(lab):
    finished = lab.run([lab.binary, "--", Files(lab)["script"]])
    check(finished.status in (CANNOT_EXECUTE, NOT_FOUND), f"status {finished.status}")
    check_equal(len(finished.report.splitlines()), 1, "lines on stderr")


def cut_file_is_read(lab):
    run = lab.record(["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=200000"], deadline=120).run
    with open(run, "rb") as file:
        data = file.read()
    cut = lab.path("cut.slowtrace")
    with open(cut, "wb") as file:
        file.write(data[:len(data) * 2 // 3])
    report = lab.report_of(cut)
    check("Where the " in report, f"no report: {report}")
    # The report's last lines must say that it is not all.
    check(any(word in report for word in ("lost", "cut", "incomplete", "last whole", "ends early")),
          f"nothing says that the file was cut: {report}")
    check(len(lab.timeline(cut)) > 1000, "hardly any call can be read")


def damaged_files_are_survived(lab):
    with open(lab.record(["ls", "/"]).run, "rb") as file:
        data = file.read()
    chance = random.Random(1)
    path = lab.path("damaged.slowtrace")
    for attempt in range(40):
        damaged = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        with open(path, "wb") as file:
            file.write(damaged)
        finished = lab.run([lab.binary, "report", path])
        check(finished.status in (0, FAILED), f"attempt {attempt}: status {finished.status}, {finished.report[:200]}")


CHATTY = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=150000"]


def unharmed(lab, finished):
    check_equal(finished.status, 0, f"the command's status ({finished.report[-300:]})")
    check("150000" in finished.report, "the command's own output is missing")
    check("Where the " in finished.report, f"no report: {finished.report[-400:]}")
    check("lost" in finished.report.lower(), f"it does not say what was lost: {finished.report[-400:]}")


def file_size_limit(lab):
    finished = lab.record(CHATTY, deadline=120,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
    unharmed(lab, finished)
    traced = lab.record(["sh", "-c", "trap '' XFSZ; trap - XFSZ; head -c 100000 /dev/zero > big"],
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)))
    check(traced.status in (128 + signal.SIGXFSZ, -signal.SIGXFSZ, 1), f"the command's own SIGXFSZ: {traced.status}")


def full_disk(lab):
    folder = lab.path("tiny")
    os.mkdir(folder)
    script = 'mount -t tmpfs -o size=8k none "$1" && exec "$2" -o "$1/run" --no-json -- "${@:3}"'
    flags = ["-m"] if os.geteuid() == 0 else ["-Urm"]
    if subprocess.run(["unshare", *flags, "mount", "-t", "tmpfs", "none", folder], capture_output=True).returncode:
        raise Skipped("no mount namespaces here")
    unharmed(lab, lab.run(["unshare", *flags, "bash", "-c", script, "bash", folder, lab.binary, *CHATTY], deadline=120))


# A sanitized slowtrace looks for leaks with ptrace itself, which these tests take away from it.
NO_LEAK_SEARCH = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}


def already_traced(lab):
    if not shutil.which("strace"):
        raise Skipped("strace is not installed")
    finished = lab.run(["strace", "-f", "-o", "/dev/null", lab.binary, "-o", lab.path("run"), "--no-json", "--", "true"],
                       env=NO_LEAK_SEARCH)
    one_line(finished, FAILED, "trace")


def outer_tracer_of_slowtrace_only(lab):
    if not shutil.which("strace"):
        raise Skipped("strace is not installed")
    finished = lab.run(["strace", "-o", "/dev/null", lab.binary, "-o", lab.path("run"), "--no-json", "--", "true"],
                       env=NO_LEAK_SEARCH)
    check_equal(finished.status, 0, f"status ({finished.report})")


def _forbid_ptrace():
    """A seccomp filter as a container's: ptrace(2) fails with EPERM."""
    ptrace_number = {"x86_64": 101, "aarch64": 117}[os.uname().machine]
    program = b"".join(struct.pack("<HBBI", *line) for line in (
        (0x20, 0, 0, 0),                    # load the call's number
        (0x15, 0, 1, ptrace_number),        # ptrace?
        (0x06, 0, 0, 0x00050000 | 1),       # errno EPERM
        (0x06, 0, 0, 0x7fff0000)))          # allow
    buffer = ctypes.create_string_buffer(program)
    filter_program = struct.pack("@HxxxxxxP", 4, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter_program, 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


def ptrace_forbidden(lab):
    if os.uname().machine not in ("x86_64", "aarch64"):
        raise Skipped("the filter is written for x86-64 and arm64")
    finished = lab.run([lab.binary, "-o", lab.path("run"), "--no-json", *TOUCH], preexec_fn=_forbid_ptrace,
                       env=NO_LEAK_SEARCH)
    one_line(finished, FAILED, "ptrace")
    check(not os.path.exists(os.path.join(lab.folder, "ran")), "the command ran all the same")


def cases(_lab):
    for name, arguments, status, named in REFUSALS:
        yield f"refused: {name}", refuses(arguments, status, named)
    for test in (refuses_to_overwrite, names_are_made_visible, script_without_interpreter,
                 missing_interpreter, cut_file_is_read,
                 damaged_files_are_survived, file_size_limit, full_disk, already_traced,
                 outer_tracer_of_slowtrace_only, ptrace_forbidden):
        yield f"bad input: {test.__name__.replace('_', ' ')}", test
