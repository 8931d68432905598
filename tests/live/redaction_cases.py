"""Redacted runs: what a program's owner would not share is in no output; the same run unredacted does have it."""

import ctypes
import ctypes.util
import os
import struct
import sys

from lab import Skipped, check, check_equal

HEADER_SIZE, FRAME_SIZE = 16, 12  # src/trace/format.hpp
SECRETS = ("topsecret", "secret-client", "secret-folder", "secret-file", "secret-argument", "secret-thread",
           "secret-program", "secret-socket", "secret-abstract", "203.0.113.77")

# Talks to nobody: the question goes to a port of this machine where nothing answers, the address is never reached.
PROGRAM = r"""
import ctypes, os, socket, subprocess, sys
ctypes.CDLL(None).prctl(15, b"secret-thread", 0, 0, 0)  # PR_SET_NAME
os.mkdir("secret-folder")
os.chdir("secret-folder")
open("secret-file.txt", "w").close()
os.rename("secret-file.txt", "/".join([os.getcwd(), "secret-file.old"]))
os.symlink("/bin/true", "secret-program")
subprocess.run(["./secret-program", "--token=secret-argument"])
question = b"\0\7\1\0\0\1\0\0\0\0\0\0\x09topsecret\7example\3com\0\0\1\0\1"
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.sendto(question, ("127.0.0.1", 53))
away = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    away.connect(("203.0.113.77", 4242))
except OSError:
    pass
for name in ("secret-socket", "\0secret-abstract"):
    local = socket.socket(socket.AF_UNIX)
    local.bind(name)
    local.listen()
"""


def unpacked(path):
    """Everything a trace file holds, decompressed as zstd.h says."""
    library = ctypes.util.find_library("zstd")
    if library is None:
        raise Skipped("no libzstd to look into the trace with")
    zstd = ctypes.CDLL(library)
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    zstd.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t]
    with open(path, "rb") as file:
        data = file.read()
    content, at = [data], HEADER_SIZE
    while at + FRAME_SIZE <= len(data):
        packed, raw = struct.unpack_from("<II", data, at)
        buffer = ctypes.create_string_buffer(max(raw, 1))
        block = data[at + FRAME_SIZE:at + FRAME_SIZE + packed]
        if packed:
            check_equal(zstd.ZSTD_decompress(buffer, raw, block, len(block)), raw, "octets of a block")
        content.append(buffer.raw)
        at += FRAME_SIZE + packed
    return b"".join(content)


def outputs(lab, run):
    """Everything that can be had from a run, by name."""
    found = {"trace": unpacked(run)}
    exported = lab.path("export.json")
    for name, command in {"report": ["report", run], "timeline": ["timeline", run],
                          "tsv": ["timeline", "--format", "tsv", run],
                          "json": ["export", run, "--to", "json", "-o", exported]}.items():
        finished = lab.run([lab.binary, *command])
        check_equal(finished.status, 0, f"{name}'s exit status ({finished.report.strip()})")
        found[name] = finished.output
    with open(exported, "rb") as file:
        found["json"] = file.read()
    return found


def secrets_in(found):
    """(secret, output) for each that is there; addresses also as the four octets they are."""
    forms = [(secret, secret.encode()) for secret in SECRETS] + [("203.0.113.77", bytes([203, 0, 113, 77]))]
    return {(secret, name) for secret, form in forms for name, text in found.items() if form in text}


def record_secrets(lab, *options):
    folder = lab.path("secret-client")
    os.mkdir(folder)
    finished = lab.record([sys.executable, "-S", "-c", PROGRAM, "secret-argument"], *options, cwd=folder)
    check_equal(finished.status, 0, f"status ({finished.report[-500:]})")
    return finished


def no_secret_survives(lab):
    plain = record_secrets(lab)
    missing = set(SECRETS) - {secret for secret, name in secrets_in(outputs(lab, plain.run)) if name == "trace"}
    check(not missing, f"not even in the run as it is: {sorted(missing)}")
    finished = record_secrets(lab, "--redact")
    check_equal(secrets_in({**outputs(lab, finished.run), "stderr": finished.errors}), set(), "secrets that survived")
    check("/etc/ld.so.cache" in lab.run([lab.binary, "timeline", finished.run]).output.decode(errors="replace"),
          "the system's own files are not told apart")


def a_copy_can_be_shared(lab):
    plain = record_secrets(lab).run
    with open(plain, "rb") as file:
        before = file.read()
    copies = {}
    for name, key in {"one": "key", "again": "key", "other": "another key", "random": None}.items():
        copies[name] = lab.path("copy.slowtrace")
        finished = lab.run([lab.binary, "redact", plain, "-o", copies[name], *(["--key", key] if key else [])])
        check_equal(finished.status, 0, f"status ({finished.report.strip()})")
        check_equal(os.stat(copies[name]).st_mode & 0o777, 0o600, "mode")
        check_equal(secrets_in(outputs(lab, copies[name])), set(), "secrets that survived")
    contents = {name: unpacked(path) for name, path in copies.items()}
    check(contents["one"] == contents["again"], "the same key gave different copies")
    check(len({contents["one"], contents["other"], contents["random"]}) == 3, "different keys gave the same copy")
    with open(plain, "rb") as file:
        check(file.read() == before, "the run itself was changed")
    original, copy = (lab.timeline(run) for run in (plain, copies["one"]))
    check_equal([(call.name, call.entry_ns, call.exit_ns, call.result) for call in copy],
                [(call.name, call.entry_ns, call.exit_ns, call.result) for call in original], "calls")


def a_copy_overwrites_nothing(lab):
    plain = record_secrets(lab).run
    with open(plain, "rb") as file:
        before = file.read()
    finished = lab.run([lab.binary, "redact", plain, "-o", plain])
    check_equal(finished.status, 125, "status")
    check_equal(len(finished.report.splitlines()), 1, f"lines ({finished.report!r})")
    with open(plain, "rb") as file:
        check(file.read() == before, "the run itself was changed")


def the_key_may_be_in_a_file(lab):
    key = lab.path("key")
    with open(key, "w") as file:
        file.write("key\n")
    contents = []
    for given in ("key", "@" + key):
        plain = lab.path("copy.slowtrace")
        if not contents:
            run = lab.record(["true"]).run
        check_equal(lab.run([lab.binary, "redact", run, "-o", plain, "--key", given]).status, 0, "status")
        contents.append(unpacked(plain))
    check(contents[0] == contents[1], "the key in the file is another one")
    for words in (["--redact=@" + key + ".missing", "true"],
                  ["redact", run, "-o", lab.path("copy"), "--key", "@" + key + ".missing"]):
        finished = lab.run([lab.binary, *words])
        check_equal(finished.status, 2, f"status of {words[0]}")
        check_equal(len(finished.report.splitlines()), 1, f"lines ({finished.report!r})")
        check(key in finished.report, f"the file is not named: {finished.report!r}")


def recording_and_copying_agree(lab):
    """The same command recorded with a key, and recorded first and redacted with it then, is called the same."""
    command = ["true", "secret-argument", "secret-file"]
    while_recording = lab.record(command, "--redact=key")
    afterwards = lab.path("copy.slowtrace")
    check_equal(lab.run([lab.binary, "redact", lab.record(command).run, "-o", afterwards, "--key", "key"]).status, 0,
                "status")
    titles = [lab.report_of(run).splitlines()[0] for run in (while_recording.run, afterwards)]
    check_equal(titles[0], titles[1], "the first line of the report")
    check(titles[0].startswith("slowtrace: true a-"), titles[0])
    check_equal(len(set(titles[0].split()[2:4])), 2, "stand-ins of two arguments")


def the_command_keeps_its_options(lab):
    """--redact takes nothing that follows it, neither with a key nor without."""
    for option in ("--redact", "--redact=key"):
        for separator in (["--"], []):
            name = lab.path("run")
            finished = lab.run([lab.binary, "-o", name, "--no-json", option, *separator, "sh", "-c", "exit 7"])
            check_equal(finished.status, 7, f"status with {option} ({finished.report[-300:]})")


def cases(_lab):
    for test in (no_secret_survives, a_copy_can_be_shared, a_copy_overwrites_nothing, the_key_may_be_in_a_file,
                 recording_and_copying_agree, the_command_keeps_its_options):
        yield f"redaction: {test.__name__.replace('_', ' ')}", test
