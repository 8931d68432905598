"""Reads `export --to endpoints`: the ledger of a run, endpoint by endpoint (src/render/json_endpoints.cpp)."""

from lab import check


class Endpoint:
    """One row of the ledger."""

    def __init__(self, row):
        self._row = row

    def __getattr__(self, field):
        return self[field]

    def __getitem__(self, field):
        check(field in self._row, f"the ledger tells no {field!r}: {sorted(self._row)}")
        return self._row[field]

    def claims(self):
        """Evidence → the names it gave."""
        told = {}
        for claim in self["claims"]:
            told.setdefault(claim["evidence"], []).append(claim["name"])
        return told

    def __repr__(self):
        return f"<{self._row.get('name')}>"


class Ledger:
    """All endpoints of a run."""

    def __init__(self, lab, run):
        self.document = lab.exported(run, "endpoints")
        self.endpoints = [Endpoint(row) for row in self.document["endpoints"]]

    def all(self, name):
        """Those shown as `name`, as "files.test:443"; what follows in brackets (proxy, process) is left aside."""
        return [endpoint for endpoint in self.endpoints if endpoint.name.split(" (")[0] == name]

    def one(self, name):
        """The only one of that name."""
        found = self.all(name)
        check(len(found) == 1, f"{len(found)} endpoints named {name} among {self.endpoints}")
        return found[0]
