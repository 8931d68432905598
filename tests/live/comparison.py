"""Two accounts of one program, strace's and slowtrace's, brought to one form and compared thread by thread.

Threads are matched by ancestry (the third child of the second child of the root), not by number or by time: births
race. Compared are the sequence of names, the results as far as two runs can agree on them, and the descriptors.
"""

import collections
import re

BIRTHS = {"clone", "clone3", "fork", "vfork"}
# Results that are addresses or numbers the kernel picks anew each run: only success or the error is compared.
PICKED_ANEW = BIRTHS | {"brk", "mmap", "mmap2", "mremap", "shmat", "getpid", "gettid", "getppid", "getpgid", "getpgrp",
                        "getsid", "setsid", "set_tid_address", "wait4", "waitpid", "rt_sigreturn", "sigreturn", "time",
                        "times"}
# What two runs of one program may do differently, and why: these calls are left out of both accounts.
THREADS = {"futex", "mmap", "munmap", "mprotect", "madvise"}
RACES = {
    "thread_storm": (THREADS, "whether a join has to wait, and which stack is free again, is the scheduler's choice"),
    "threads": (THREADS, "a lock calls the kernel only when it is contended"),
    "locks": (THREADS, "whether a futex call finds its value changed already is the scheduler's choice"),
    "shared_table": (THREADS, "whether a join has to wait is the scheduler's choice"),
    "tstp": ({"wait4"}, "the child may have ended before its parent asks whether it went on"),
    "siglongjmp_again": ({"read"}, "a call that a handler jumped out of has no result to compare"),
    "pipes": ({"read", "write"}, "how much a read finds in the pipe is the scheduler's choice"),
}


class Entry:
    """One call in the common form."""

    def __init__(self, name, result, descriptors):
        self.name, self.result, self.descriptors = name, result, descriptors

    def __repr__(self):
        return f"{self.name} = {self.result}"


def result_class(name, word, writes_to_stdout):
    if not re.fullmatch(r"-?\d+", word):
        return word
    # A program's statements hold times and thread numbers: their length is not the same twice.
    if name in PICKED_ANEW or writes_to_stdout:
        return "ok"
    return word


def straced_name(name):
    unknown = re.fullmatch(r"syscall_0x([0-9a-f]+)", name)
    return f"syscall_{int(unknown.group(1), 16) & 0xffffffff}" if unknown else name


def _tree(threads, is_birth_result):
    """Names every thread by its place in the tree of births: () is the root, (0, 2) the third child of the first."""
    by_tid = collections.defaultdict(list)
    for thread in threads:
        by_tid[thread.tid].append(thread)
    born = set()
    children = {}
    for thread in threads:
        found = [int(call.result) for call in thread.calls if call.name in BIRTHS and is_birth_result(call.result)]
        children[id(thread)] = [by_tid[tid][0] if by_tid[tid] else None for tid in found]
        born.update(id(child) for child in children[id(thread)] if child)
    placed = {}

    def place(thread, key):
        if key in placed:
            return
        placed[key] = thread
        for number, child in enumerate(children[id(thread)]):
            if child is not None:  # None: it escaped the tracer
                place(child, (*key, number))

    roots = [thread for thread in threads if id(thread) not in born]
    for number, root in enumerate(roots):
        place(root, () if number == 0 else ("orphan", number))
    return placed


class _RecordedThread:
    def __init__(self, tid):
        self.tid, self.calls = tid, []


def recorded_tree(calls):
    threads = {}
    for call in calls:
        threads.setdefault(call.thread, _RecordedThread(call.tid)).calls.append(call)
    ordered = [threads[number] for number in sorted(threads)]
    return _tree(ordered, lambda word: word.isdigit() and int(word) > 0)


def straced_tree(threads, root_tid):
    ordered = sorted(threads, key=lambda thread: (thread.tid != root_tid, thread.tid))
    return _tree([thread for thread in ordered if thread.calls],
                 lambda word: word.isdigit() and int(word) > 0)


def _without_start(entries):
    # strace shows the exec that started the program; slowtrace's recording begins with its return.
    return entries[1:] if entries and entries[0].name == "execve" else entries


def straced_entries(thread, left_out):
    entries = []
    for call in thread.calls:
        name = straced_name(call.name)
        if name not in left_out:
            to_stdout = name == "write" and call.arguments[0].startswith("1<")
            entries.append(Entry(name, result_class(name, call.result, to_stdout), call.arguments))
    return entries


def recorded_entries(thread, left_out):
    entries = []
    for call in thread.calls:
        if call.name not in left_out:
            to_stdout = call.name == "write" and call.descriptors.get(0) == 1
            result = result_class(call.name, call.result, to_stdout)
            entries.append(Entry(call.name, result, call.descriptors))
    return entries


def _descriptors_differ(straced, recorded):
    """Why the descriptors differ, or None. `straced` is the printed arguments, `recorded` index → number."""
    if not straced:  # the end of an exec in another thread's file
        return None
    for index, text in enumerate(straced):
        marked = re.match(r"(\d+)<", text)
        if marked and recorded.get(index) != int(marked.group(1)):
            return f"argument {index} is descriptor {marked.group(1)}, recorded as {recorded.get(index)}"
    for index, number in recorded.items():
        if 0 <= number < 1 << 31 and index >= 0:
            if index >= len(straced) or not re.match(rf"{number}(<|$)", straced[index]):
                shown = straced[index] if index < len(straced) else "nothing"
                return f"argument {index} is recorded as descriptor {number}, strace shows {shown}"
    return None


def thread_difference(straced, recorded):
    """The first difference between two sequences, in words; None when they agree."""
    for position in range(max(len(straced), len(recorded))):
        if position >= len(straced):
            return f"call {position}: recorded {recorded[position]}, strace shows no more"
        if position >= len(recorded):
            return f"call {position}: strace shows {straced[position]}, nothing more recorded"
        theirs, ours = straced[position], recorded[position]
        # strace may be older than a call that we have a name for.
        unknown_to_strace = theirs.name.startswith("syscall_") and not ours.name.startswith("syscall_")
        if (theirs.name != ours.name and not unknown_to_strace) or theirs.result != ours.result:
            return f"call {position}: strace shows {theirs}, recorded {ours}"
        why = _descriptors_differ(theirs.descriptors, ours.descriptors)
        if why:
            return f"call {position}, {theirs.name}: {why}"
    return None


def difference(program, straced, root_tid, recorded):
    """The first difference between strace's threads and slowtrace's calls; None when they agree."""
    left_out = RACES.get(program, (set(), ""))[0]
    theirs, ours = straced_tree(straced, root_tid), recorded_tree(recorded)
    if set(theirs) != set(ours):
        only_theirs, only_ours = sorted(set(theirs) - set(ours), key=str), sorted(set(ours) - set(theirs), key=str)
        return f"threads differ: only strace has {only_theirs[:5]}, only slowtrace has {only_ours[:5]}"
    for key in sorted(theirs, key=str):
        straced_calls, recorded_calls = straced_entries(theirs[key], left_out), recorded_entries(ours[key], left_out)
        if key == ():
            straced_calls, recorded_calls = _without_start(straced_calls), _without_start(recorded_calls)
        found = thread_difference(straced_calls, recorded_calls)
        if found:
            return f"thread {key}: {found}"
    return None
