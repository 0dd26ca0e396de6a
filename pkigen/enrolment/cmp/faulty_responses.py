"""Applies the active faults to the responses of CMP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pkigen.asn1 import der
from pkigen.enrolment.cmp.messages import Failed, Failure, Status, status_info
from pkigen.enrolment.cmp.protection import Header
from pkigen.enrolment.faults import RequestFaults
from pkigen.faults.enrolment.cmp import FAILURES, STATUSES

_PROTECTION_ALGORITHM = 0xA1


def fail(faults: RequestFaults) -> None:
    """Raise the failure of a fault that answers with an error message."""
    if (values := faults.applied("cmp-error")) is not None:
        raise _failed(str(values["failure"]), "cmp-error")


def rejection(faults: RequestFaults) -> Failed | None:
    """Return the reason of a fault that rejects a request."""
    values = faults.applied("cmp-rejection")
    return None if values is None else _failed(str(values["failure"]), "cmp-rejection")


def _failed(failure: str, own_id: str) -> Failed:
    return Failed(Failure(FAILURES.index(failure)), f"the server refuses the request (fault {own_id})")


def poll_seconds(faults: RequestFaults) -> int | None:
    """Return the time that a fault lets a client wait."""
    values = faults.applied("cmp-polling")
    if values is None:
        return None
    assert isinstance(values["after"], timedelta)
    return int(values["after"].total_seconds())


def status(faults: RequestFaults, granted: bytes) -> bytes:
    """Return the PKIStatusInfo of an issued certificate."""
    values = faults.applied("cmp-status")
    return granted if values is None else status_info(Status(STATUSES.index(str(values["status"]))))


def header(faults: RequestFaults, correct: Header) -> Header:
    """Return the header of a response."""
    if faults.applied("cmp-wrong-transaction") is not None:
        correct = replace(correct, transaction_id=bytes(len(correct.transaction_id)))
    if faults.applied("cmp-wrong-nonce") is not None:
        correct = replace(correct, recipient_nonce=bytes(len(correct.recipient_nonce)))
    return correct


def protected(faults: RequestFaults, message: bytes) -> bytes:
    """Return a response with another protection, or without any."""
    if faults.applied("cmp-wrong-protection") is not None:
        message = der.edit(message, (2, 0), lambda bits: bits[:-1] + bytes((bits[-1] ^ 1,)))
    if faults.applied("cmp-unprotected") is not None:
        first, body = der.children(message)[:2]
        fields = (field for field in der.children(first) if field[0] != _PROTECTION_ALGORITHM)
        message = der.sequence(der.sequence(*fields), body)
    return message
