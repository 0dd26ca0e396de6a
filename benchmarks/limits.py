"""What limits the rows that can miss their goals; benchmarks/README.md says more, and what was tried."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.rows import Row

_LIMITS = (
    ("22 fresh RSA-2048", "openssl script", "two cores: the bare work itself is less than 8 times faster"),
    ("22 fresh RSA-2048", "mkcert", "two cores: the bare work itself is less than 5 times faster"),
    ("22 fresh RSA-2048", "trustme", "the search for primes: the bare work is only 1.7 times faster"),
    ("22 fresh RSA-2048", "", "start-up and imports (0.3 s of CPU); the search for primes decides a run"),
    ("202 fresh RSA-2048", "", "start-up and imports; the search for primes decides a run"),
    ("10,000 EC P-256 as files", "", "Python: the plan, the index and the manifest of each certificate"),
    ("10,000 RSA-2048, --keys pool", "", "Python and files, as for 10,000 EC P-256 as files"),
    ("OCSP answers, each signed", "", "HTTP in Python: as long for each request as its signature takes"),
    ("CRL fetches", "certomancer", "HTTP in Python; certomancer's pauses differ from run to run"),
    ("ACME orders", "", "HTTP, TLS and ASGI in Python: about 1 ms for each of seven requests"),
    ("show --json, CRL", "", "8 microseconds of Python for each entry"),
    ("show --json, 1 MB", "", "Python takes longer to start and import than the goal"),
    ("validate a range", "", "each specification is expanded twice, so that memory stays constant"),
    ("check ", "", "reading certificate, key and chain of each entity, in Python"),
    ("build again, nothing", "", "the digests of all files, and the imports of typer and pydantic"),
    ("fleet of 100,000, Dask", "", "keys and files cross sockets, and Dask's scheduler uses a core"),
)
"""The beginning of a row's work, what it is compared with ("" for anything), and the limit."""


def with_limit(row: Row) -> Row:
    """Return a row that misses its goal with what limits it; any other one as it is."""
    if row.reached is not False:
        return row
    for work, against, words in _LIMITS:
        if row.work.startswith(work) and row.against.startswith(against):
            return replace(row, limited_by=words)
    return replace(row, limited_by="not known: see benchmarks/README.md")
