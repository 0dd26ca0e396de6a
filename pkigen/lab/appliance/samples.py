"""Sample uploads: the compliant certificate of an appliance, and faulty ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pkigen.environment.environment import Case, Environment
from pkigen.environment.status import dated_state
from pkigen.errors import InputError
from pkigen.lab.appliance.upload import File, Upload
from pkigen.lab.state import Passphrases
from pkigen.os_errors import os_error_reason


@dataclass(frozen=True, slots=True)
class SampleUpload:
    """A sample upload; ``messages`` are those of the expected rejection, empty if it is accepted."""

    name: str
    says: str
    accepted: bool
    messages: tuple[str, ...]
    sound: bool = False


def sample_uploads(environment: Environment, own: str, now: datetime) -> Iterator[SampleUpload]:
    """Return the samples of an appliance: its compliant certificate, then the faulty ones at a time."""
    broken = []
    for case in environment.cases():
        fault = case.data.get("fault")
        if fault is None:
            if case.name == own:
                yield SampleUpload(
                    case.name, "The certificate that was issued for this appliance.", True, (), sound=True
                )
        elif "certificate" in case.data["files"] and "key" in case.data["files"]:
            upload = next(iter(case.data.get("uploads", ())), fault)
            messages = tuple(upload.get("messages", ()))
            says = " ".join(filter(None, (fault["says"], dated_state(case.data, now))))
            broken.append(SampleUpload(case.name, says, bool(upload.get("accepted")), messages))
    # First one sample for each message, then the others.
    seen, later = set[tuple[str, ...]](), list[SampleUpload]()
    for one in broken:
        if one.messages and one.messages not in seen:
            seen.add(one.messages)
            yield one
        else:
            later.append(one)
    yield from sorted(later, key=lambda one: one.accepted)


def case_upload(
    environment: Environment, name: str, passphrases: Passphrases, *, crl_check: bool = True
) -> Upload:
    """Return the files to upload for a certificate of the environment; InputError if it does not exist."""
    try:
        case = environment[name]
    except KeyError:
        raise InputError(f"the environment has no certificate '{name}'") from None
    try:
        certificate, key = _file(case, "certificate"), _file(case, "key")
    except KeyError:
        raise InputError(f"'{name}' has no certificate and key files") from None
    files = case.data["files"]
    chain = _file(case, "chain") if "chain" in files else None
    return Upload(name, certificate, key, chain, passphrases.of(case), crl_check)


def _file(case: Case, kind: str) -> File:
    path = case.file(kind)
    try:
        return File(path.name, path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: {os_error_reason(error)}") from error
