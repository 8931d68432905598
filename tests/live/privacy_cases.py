"""Privacy: what programs send and receive is nowhere in what slowtrace writes, but for the names of hosts."""

import base64
import os
import sys

import trace_bytes
from lab import check, check_equal

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "talkative.py")
# One for each place (talkative.py names them); long enough to be found nowhere by chance.
SECRETS = [f"Geheim{place}{word}" for place, word in
           enumerate(("pfad", "frage", "kennwort", "keks", "inhalt", "antwort", "fahrkarte", "kopfzeile"))]
# Host names the same connections carry: what is found shows that the search works.
NAMES = ["pypi.example.com", "slow.example.com", "extra.example.org", "cdn.example.net", "socks.example.org",
         "tls.example.org", "h2.example.org"]


def forms(secret):
    """A secret as it might stand in a file: plain, in hexadecimal, in base64 at each of the three offsets."""
    plain = secret.encode()
    yield plain
    yield plain.hex().encode()
    for offset in range(3):
        yield base64.b64encode(b"." * offset + plain)[4 if offset else 0:-4]


def found(content):
    """The secrets that stand in `content`; a part of one counts."""
    return sorted({secret for secret in SECRETS for form in forms(secret) if form in content}
                  | {secret for secret in SECRETS if secret[:9].encode() in content})


def recorded(lab, *options):
    secrets = lab.path("secrets")
    with open(secrets, "w") as file:
        file.write("\n".join(SECRETS))
    traced = lab.record([sys.executable, PROGRAM, secrets], *options)
    check_equal(traced.status, 0, f"status ({traced.report[-500:]})")
    return traced


def outputs(lab, run):
    """What every command writes about a run."""
    for arguments in (["report"], ["report", "-c"], ["timeline"], ["timeline", "--format", "tsv"]):
        finished = lab.run([lab.binary, arguments[0], run, *arguments[1:]])
        check_equal(finished.status, 0, f"status of {arguments}")
        yield " ".join(arguments), finished.output + finished.errors
    for name in export_formats(lab, run):
        path = lab.path(f"export-{name}")
        finished = lab.run([lab.binary, "export", run, "--to", name, "-o", path])
        check_equal(finished.status, 0, f"status of export --to {name} ({finished.report})")
        with open(path, "rb") as file:
            yield f"export --to {name}", file.read()


def export_formats(lab, run):
    """Every name --to takes, as the refusal of another one lists them."""
    refused = lab.run([lab.binary, "export", run, "--to", "nothing"]).report
    names = refused.partition("one of ")[2].replace(",", " ").split()
    check("json" in names, f"no list of formats: {refused}")
    return names


def secrets_stay_out_of_the_trace(lab):
    traced = recorded(lab)
    content = trace_bytes.unpacked(traced.run)
    missing = [name for name in NAMES if name.encode() not in content]
    check(not missing, f"names that should have been read: {missing}")
    check_equal(found(content), [], "secrets in the trace file")


def secrets_stay_out_of_every_output(lab):
    traced = recorded(lab)
    check_equal(found(traced.errors), [], "secrets in the first report")
    for name, content in outputs(lab, traced.run):
        check(len(content) > 100, f"{name} says nothing")
        check_equal(found(content), [], f"secrets in {name}")


def no_names_reads_no_names(lab):
    content = trace_bytes.unpacked(recorded(lab, "--no-names").run)
    there = [name for name in NAMES if name.encode() in content]
    check_equal(there, [], "names in the trace file")
    check_equal(found(content), [], "secrets in the trace file")


def secrets_would_be_found(lab):
    """The search itself: a secret in an argument, which is recorded, is found."""
    traced = lab.record(["true", SECRETS[0]])
    check_equal(found(trace_bytes.unpacked(traced.run)), SECRETS[:1], "the argument")


def cases(_lab):
    for test in (secrets_stay_out_of_the_trace, secrets_stay_out_of_every_output, no_names_reads_no_names,
                 secrets_would_be_found):
        yield f"privacy: {test.__name__.replace('_', ' ')}", test
