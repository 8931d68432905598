"""The client's side of the small town of servers (fixtures/scenarios/town.py), for tests that share it."""

import json
import os
import subprocess
import sys

from lab import REPOSITORY, Skipped, check_possible

SCENARIOS = os.path.join(REPOSITORY, "fixtures", "scenarios")
sys.path.append(SCENARIOS)

import namespaces  # noqa: E402
import town  # noqa: E402

# In the order in which they must be entered: the user namespace gives the right to enter the others.
_KINDS = (("user", namespaces.CLONE_NEWUSER), ("net", namespaces.CLONE_NEWNET), ("mnt", namespaces.CLONE_NEWNS))


class ClientSide:
    """A running town, and how a command becomes its client."""

    def __init__(self, lab):
        self._lab = lab
        self._holder = subprocess.Popen([sys.executable, os.path.join(SCENARIOS, "town.py"), "hold"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, start_new_session=True)
        line = self._holder.stdout.readline()
        if not line:
            errors = self._holder.communicate()[1]
            check_possible(self._holder.returncode, errors)
            raise AssertionError(f"the town's servers said nothing: {errors[-500:]}")
        told = json.loads(line)
        self.authority, self.wheel, self.without = told["authority"], told["wheel"], told["without"]
        self._namespaces = [(os.open(f"/proc/{told['client_pid']}/ns/{name}", os.O_RDONLY), kind)
                            for name, kind in _KINDS if self._differs(told["client_pid"], name)]
        self.environment = {**town.TOWN_ENVIRONMENT, "HOME": lab.folder, "TMPDIR": lab.folder}

    @staticmethod
    def _differs(pid, name):
        return os.readlink(f"/proc/{pid}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}")

    def close(self):
        for descriptor, _ in self._namespaces:
            os.close(descriptor)
        self._holder.communicate("")

    def require(self, *programs):
        """Skips where one of `programs` (or "IPv6") cannot be had; returns their paths."""
        paths = []
        for name in programs:
            if name in self.without:
                raise Skipped(f"no {name}: {self.without[name]}")
            if name != "IPv6":
                try:
                    paths.append(namespaces.find_program(name))
                except namespaces.Unavailable as reason:
                    raise Skipped(str(reason)) from None
        return paths

    def _become_client(self):
        for descriptor, kind in self._namespaces:
            namespaces.enter(descriptor, kind)
        os.chdir(self._lab.folder)  # entering a mount namespace moved us to its root

    def start(self, command, **settings):
        """Starts `command` as the client, untraced; as Lab.start."""
        return self._lab.start(command, preexec_fn=self._become_client, env=self.environment, **settings)

    def record(self, command, *options, environment=None, **settings):
        """Records `command` as the client; as Lab.record."""
        return self._lab.record(command, *options, preexec_fn=self._become_client,
                                env={**self.environment, **(environment or {})}, **settings)
