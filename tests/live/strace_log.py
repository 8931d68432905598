"""Reads what `strace -ff -y -s 0` wrote, one file a thread, into the same shape as slowtrace's timeline.

An interrupted and restarted call is one call here, as in slowtrace: strace shows its pieces as `? ERESTART…`, and
whether the kernel restarted it is told by what rt_sigreturn returned (EINTR: it did not).
"""

import glob
import re

CALL = re.compile(r"^([a-z_0-9]+)\((.*)\)\s*= (.*)$", re.DOTALL)
CUT_CALL = re.compile(r"^([a-z_0-9]+)\((.*?)\s*<(?:unfinished|pid changed to (\d+)) \.\.\.>(?:\) = \?)?$")
RESUMED_EXEC = re.compile(r"^<\.\.\. execve resumed>.*\)\s*= (.*)$")
SUPERSEDED = re.compile(r"^\+\+\+ superseded by execve in pid (\d+) \+\+\+$")


class StracedCall:
    def __init__(self, name, arguments, result):
        self.name, self.arguments, self.result = name, arguments, result


class StracedThread:
    def __init__(self, tid, calls):
        self.tid, self.calls = tid, calls


def split_arguments(text):
    """The top-level arguments of a call as strace printed them."""
    arguments, depth, quoted, begin = [], 0, False, 0
    at = 0
    while at < len(text):
        character = text[at]
        if quoted:
            if character == "\\":
                at += 1
            elif character == '"':
                quoted = False
        elif character == '"':
            quoted = True
        elif character in "([{<":
            # "=>" and "->" are not brackets, nor is the "<" of a shift.
            depth += 0 if text[at:at + 2] == "<<" or text[at - 1:at] == "<" else 1
        elif character in ")]}" or (character == ">" and text[at - 1] not in "-="):
            depth -= 1
        elif character == "," and depth == 0:
            arguments.append(text[begin:at].strip())
            begin = at + 1
        at += 1
    arguments.append(text[begin:].strip())
    return arguments


def result_word(text):
    """`-1 ENOENT (No such file…)` → "ENOENT"; `3</path>` → "3"; `0x8002 (flags …)` → "32770"; `?` → "?"."""
    words = text.split()
    if words[0] == "-1" and len(words) > 1 and words[1].startswith("E"):
        return words[1]
    if words[0] == "?":
        return words[1] if len(words) > 1 and words[1].startswith("ERESTART") else "?"
    number = re.match(r"-?(0x[0-9a-f]+|\d+)", words[0])
    return str(int(number.group(), 0)) if number else words[0]


class _Reader:
    """One file's lines → its calls, in segments: after an exec ended the leader, the lines are another thread's."""

    def __init__(self):
        self.segments = [[]]
        self.successors = []  # the thread that the second, third … segment belongs to
        self._interrupted = []  # calls cut by a signal, innermost last

    def line(self, line):
        if line.startswith("---"):
            return
        superseded, resumed = SUPERSEDED.match(line), RESUMED_EXEC.match(line)
        cut, whole = CUT_CALL.match(line), CALL.match(line)
        if superseded:
            self.successors.append(int(superseded.group(1)))
            self.segments.append([])
            self._interrupted = []
        elif resumed:
            self._add(StracedCall("execve", [], result_word(resumed.group(1))))
        elif cut:
            if not cut.group(3):  # else its end stands in the leader's file
                self._add(StracedCall(cut.group(1), split_arguments(cut.group(2)), "?"))
        elif whole:
            self._call(whole.group(1), split_arguments(whole.group(2)), result_word(whole.group(3)))

    def _add(self, call):
        self.segments[-1].append(call)

    def _call(self, name, arguments, result):
        if self._continues(name, arguments):
            call = self._interrupted.pop()
        else:
            call = StracedCall(name, arguments, result)
            self._add(call)
        call.result = result
        if result.startswith("ERESTART"):
            call.result = "EINTR"  # unless it goes on
            self._interrupted.append(call)
        elif name in ("rt_sigreturn", "sigreturn") and result == "EINTR" and self._interrupted:
            self._interrupted.pop()

    def _continues(self, name, arguments):
        if not self._interrupted:
            return False
        # The first argument only: an output is printed as an address by the piece that was cut.
        last = self._interrupted[-1]
        return name == "restart_syscall" or (name == last.name and arguments[:1] == last.arguments[:1])


def read_logs(prefix):
    """Every thread strace saw, in no particular order."""
    readers = {}
    for path in glob.glob(glob.escape(prefix) + ".*"):
        reader = readers[int(path.rpartition(".")[2])] = _Reader()
        with open(path, errors="surrogateescape") as file:
            for line in file:
                reader.line(line.rstrip("\n"))
    threads = {tid: StracedThread(tid, reader.segments[0]) for tid, reader in readers.items()}
    for reader in readers.values():
        for successor, segment in zip(reader.successors, reader.segments[1:]):
            threads[successor].calls += segment
    return list(threads.values())
