"""The parts of the attack: what each one does, and how many inputs a long and a short run have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fuzz import guided
from fuzz.workers import run_all
from tests.attack.acme_messages import acme_messages
from tests.attack.damage import damaged_environments
from tests.attack.enrolment_kills import enrolment_kills
from tests.attack.enrolment_messages import enrolment_messages
from tests.attack.handshakes import tls_messages
from tests.attack.kills import kills
from tests.attack.orders import acme_orders
from tests.attack.requests import http_requests, ocsp_requests
from tests.attack.resources import file_descriptors, file_sizes, full_disk
from tests.attack.result import Finding, Outcome

_BATCH = 1000
_GUIDED_SECONDS = 60
_PRESSES = 100


@dataclass(frozen=True, slots=True)
class Part:
    """``count`` inputs are a long run, ``short`` ones are the part of the test suite."""

    attack: Callable[[Path, Iterable[int], int], Iterator[Outcome]]
    count: int
    short: int
    description: str


def _readers(_folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Feed mutated files and profiles to every reader (``make fuzz``), each batch with a seed of its own."""
    remaining = iter(numbers)
    while batch := len(list(islice(remaining, _BATCH))):
        total = run_all(seed, batch, lambda _inputs: None, jobs=1)
        findings = (
            Finding(number, f"{words} (python -m fuzz again {seed} {number})")
            for number, words, _ in total.findings
        )
        yield Outcome(total.inputs, tuple(findings))
        seed += 1


def _guided(_folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Fuzz every reader with atheris, for a minute for each number."""
    if not guided.is_available():
        raise PermissionError("atheris is not installed")
    for number in numbers:
        inputs, problem = guided.run(_GUIDED_SECONDS, seed + number)
        yield Outcome(inputs, (Finding(number, problem),) if problem else ())


def _lab(_folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Press buttons of the lab in any order, with a new lab for each batch (``make presses``)."""
    from hypothesis import seed as seed_of

    from tests.lab.web.buttons import Buttons, press

    remaining = iter(numbers)
    while batch := list(islice(remaining, _PRESSES)):
        seed_of(seed + batch[0])(Buttons)
        try:
            yield Outcome(press(len(batch), len(batch)))
        except Exception as error:  # noqa: BLE001  whatever is raised is the finding
            yield Outcome(len(batch), (Finding(batch[0], _described(error)),))


def _described(error: BaseException) -> str:
    """Return the text of an exception, with those of a group (a failure that Hypothesis could not repeat)."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join([error.message, *(_described(one) for one in error.exceptions)])
    return f"{type(error).__name__}: {error}"


PARTS = {
    "kills": Part(kills, 1_000, 6, "commands killed at a counted system call"),
    "enrolment": Part(enrolment_kills, 200, 1, "kills of the enrollment server under load"),
    "orders": Part(acme_orders, 10_000, 24, "ACME orders over 50 connections"),
    "disk": Part(full_disk, 200, 2, "commands on a file system that becomes full"),
    "descriptors": Part(file_descriptors, 200, 2, "commands with few file descriptors"),
    "sizes": Part(file_sizes, 200, 2, "commands with a limit on the size of files"),
    "damage": Part(damaged_environments, 1_000, 12, "commands on a corrupted or foreign environment"),
    "http": Part(http_requests, 50_000, 60, "mutated HTTP requests"),
    "acme": Part(acme_messages, 50_000, 60, "mutated ACME messages, headers and paths"),
    "requests": Part(enrolment_messages, 50_000, 60, "mutated messages of EST, SCEP and CMP"),
    "ocsp": Part(ocsp_requests, 500_000, 300, "mutated OCSP requests"),
    "tls": Part(tls_messages, 150_000, 60, "mutated TLS messages"),
    "lab": Part(_lab, 10_000, 0, "buttons of the lab, pressed in any state"),
    "readers": Part(_readers, 300_000, 0, "mutated files and profiles in every reader"),
    "guided": Part(_guided, 5, 0, "minutes of coverage-guided fuzzing of every reader, with atheris"),
}
