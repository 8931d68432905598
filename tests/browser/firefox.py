"""What Firefox Profiler's importer makes of a file: asked of its command-line interface."""
import json
import os
import shutil
import subprocess
import tempfile

COMMAND = "@firefox-devtools/profiler-cli/dist/profiler-cli.js"
LOAD_TRIES = 8
MOST_MARKERS = 100000  # that one query lists; the counts stay exact beyond


def deepest(markers):
    """The deepest nesting of intervals on one thread; times are doubles in milliseconds."""
    ends, depth = [], 0
    for start, duration in sorted(((m["start"], m["duration"]) for m in markers if "duration" in m),
                                  key=lambda times: (times[0], -times[1])):
        while ends and ends[-1] <= start + 1e-7:
            ends.pop()
        ends.append(start + duration)
        depth = max(depth, len(ends))
    return depth


def read(node, modules, path, timeout):
    """Loads `path` in a session of its own; its daemon has ended when this returns."""
    folder = tempfile.mkdtemp(prefix="st-ff-")  # short: a socket's path has 108 bytes
    environment = {**os.environ, "PROFILER_CLI_SESSION_DIR": folder}

    def ask(*arguments):
        done = subprocess.run([node, os.path.join(modules, COMMAND), *arguments], env=environment, timeout=timeout,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError((done.stderr or done.stdout).strip().split("\n")[0])
        return done.stdout

    def load():
        # The interface gives its daemon half a second to start; a busy machine needs more than one try.
        for remaining in reversed(range(LOAD_TRIES)):
            try:
                return ask("load", path)
            except RuntimeError as reason:
                if "did not become ready" not in str(reason) or remaining == 0:
                    raise
                stop(ask, folder)

    try:
        load()
        threads = json.loads(ask("thread", "list", "--json"))["threads"]
        markers = json.loads(ask("profile", "markers", "--json", "--limit", str(MOST_MARKERS)))
        by_thread = {}
        for marker in markers["markers"]:
            by_thread.setdefault(marker["threadHandle"], []).append(marker)
        return {
            "markers": sum(thread["markerCount"] for thread in threads),
            "nesting": max(map(deepest, by_thread.values()), default=0),
            "complete": markers["totalCount"] <= MOST_MARKERS,
            "processes": {thread["pid"]: thread["processName"] for thread in threads},
            "threads": {thread["tid"]: thread["name"] for thread in threads},
        }
    finally:
        stop(ask, folder)
        shutil.rmtree(folder, ignore_errors=True)


def stop(ask, folder):
    """Asks the daemon to end; one that does not is ended by the id its session file names."""
    try:
        ask("stop", "--all")
    except (RuntimeError, subprocess.TimeoutExpired):
        for name in os.listdir(folder):
            if name.endswith(".json"):
                with open(os.path.join(folder, name)) as session:
                    os.kill(json.load(session)["pid"], 15)
