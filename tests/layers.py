#!/usr/bin/env python3
"""Checks that includes point down only, that impure layers stay left of the trace file, and who may include what."""
import pathlib
import re
import sys

# Each layer may include itself and those named. record, trace, import and resolve never include one another.
ALLOWED = {
    "base": set(),
    "model": set(),
    "wire": {"model"},
    "record": {"model", "wire"},
    "trace": {"model"},
    "import": {"model"},
    "resolve": {"model"},
    "analyze": {"model", "resolve"},
    "render": {"model", "resolve", "analyze"},
    "cli": {"model", "wire", "record", "trace", "import", "resolve", "analyze", "render"},
}
# The layer each seam header belongs to; base where it is not named.
SEAMS = {
    "syscalls.hpp": "model", "syscall_selection.hpp": "model", "events.hpp": "model",
    "dns.hpp": "wire", "hosts_file.hpp": "wire", "stream_facts.hpp": "wire", "redaction.hpp": "trace", "recorder.hpp": "record", "trace_file.hpp": "trace",
    "resolved.hpp": "resolve", "reverse_names.hpp": "resolve", "causes.hpp": "analyze", "exporters.hpp": "render",
}
BASE_SEAMS = {"error.hpp", "ids.hpp", "unique_fd.hpp", "version.hpp"}
# One place for each thing the rest must not touch: pattern of the include → the files that may.
SINGLE_PLACES = {
    r"sys/ptrace\.h": r"src/record/ptrace\.cpp",
    r"CLI/": r"src/cli/options\.cpp",
    r"nlohmann/": r"src/(wire/varlink|render/json_|render/chrome_json|import/).*",
    r"zstd\.h": r"src/trace/.*",
    r"ares.*\.h": r"src/cli/reverse_lookup\.cpp",
    r"openssl/": r"src/(wire/quic_protection|trace/redaction).*",
    r"zlib\.h": r"src/(trace|render)/.*",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def layer_of(included):
    """The layer an include belongs to, None for system headers."""
    if included.startswith("slowtrace/"):
        name = included.removeprefix("slowtrace/")
        if name in BASE_SEAMS:
            return "base"
        return SEAMS.get(name, f"unlisted seam {name}")
    first = included.split("/")[0]
    return first if "/" in included and first in ALLOWED else None


def check(path):
    """The rules one source file breaks, as lines."""
    text = path.read_text()
    layer = path.parts[1]
    for included in INCLUDE.findall(text):
        target = layer_of(included)
        if target and target not in ("base", layer) and target not in ALLOWED[layer]:
            yield f"{path}: {layer} must not include {included} ({target})"
        for pattern, places in SINGLE_PLACES.items():
            if re.match(pattern, included) and not re.fullmatch(places, str(path)):
                yield f"{path}: {included} has one place: {places}"


def check_seam(path):
    """A seam header is bound as its layer is."""
    layer = "base" if path.name in BASE_SEAMS else SEAMS.get(path.name)
    if layer is None:
        yield f"{path}: seam header without a layer (tests/layers.py)"
        return
    for included in INCLUDE.findall(path.read_text()):
        target = layer_of(included)
        if target and target not in ("base", layer) and target not in ALLOWED[layer]:
            yield f"{path}: the {layer} seam must not include {included} ({target})"


def main():
    problems, files = [], 0
    for path in sorted(pathlib.Path("src").rglob("*.[ch]pp")):
        files += 1
        problems += check(path)
    for path in sorted(pathlib.Path("include/slowtrace").glob("*.hpp")):
        files += 1
        problems += check_seam(path)
    for problem in problems:
        print(f"FAILED layers: {problem}")
    print(f"{files - len({p.split(':')[0] for p in problems})} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
