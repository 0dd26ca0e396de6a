"""Completes ACME orders over many connections at once: each response must be the right one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from tests.attack.result import Finding, Outcome
from tests.enrolment.acme.load import complete_orders
from tests.enrolment.acme.served import served

_CONNECTIONS = 50
_BATCH = 10_000


def acme_orders(folder: Path, numbers: Iterable[int], _seed: int) -> Iterator[Outcome]:
    """Complete as many orders as there are numbers; cryptography checks each certificate."""
    remaining = iter(numbers)
    with served(folder) as directory:
        while batch := list(islice(remaining, _BATCH)):
            connections = min(_CONNECTIONS, max(2, len(batch) // 4))
            result = complete_orders(directory, orders=len(batch), connections=connections)
            findings = [Finding(batch[0], problem) for problem in result.problems]
            if len(result.serials) + len(findings) < len(batch):
                findings.append(
                    Finding(batch[0], f"{len(result.serials)} certificates for {len(batch)} orders")
                )
            yield Outcome(len(batch), tuple(findings))
