"""Renewal information, and orders that replace a certificate (ACME Renewal Information, RFC 9773)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pkigen.enrolment.acme import jose
from pkigen.enrolment.acme.problems import Problem, malformed
from pkigen.enrolment.acme.service import CERTIFICATE, RENEWAL, AcmeService, Call, Reply, timestamp
from pkigen.x509 import Certificate, Malformed

RETRY_SECONDS = 6 * 3600
_LONGEST_ID = 200


def renewal_id(certificate: bytes) -> str:
    """Return the identifier of a certificate (RFC 9773, 4.1); "" if it has no authority key identifier."""
    try:
        parsed = Certificate(certificate)
        identifier, serial = parsed.extensions.authority_key_identifier, parsed.serial_bytes
    except Malformed:
        return ""
    if identifier is None or not identifier.key_identifier:
        return ""
    return f"{jose.encode(identifier.key_identifier)}.{jose.encode(serial)}"


def renewal_info(service: AcmeService, identifier: str) -> Reply:
    """Return the suggested window for the renewal of a certificate, in the client's time."""
    entry = _record(service, identifier)
    if entry is None:
        raise Problem("malformed", "there is no certificate with this identifier", status=404)
    _, certificate = entry
    start, end = window(service, certificate)
    document = {"suggestedWindow": {"start": timestamp(start), "end": timestamp(end)}}
    return Reply(document, headers={"Retry-After": str(RETRY_SECONDS)})


def window(service: AcmeService, certificate: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return when to renew a certificate: after two thirds of its life, at once if it is revoked."""
    first, last = (datetime.fromtimestamp(certificate[one], UTC) for one in ("not_before", "not_after"))
    life = last - first
    start, end = first + life * 2 / 3, first + life * 3 / 4
    enrolled = service.enroller.find(issuer=certificate["issuer"], serial=int(certificate["serial"], 16))
    if enrolled is not None and service.enroller.revocation(enrolled) is not None:
        now = service.enroller.clock()
        start, end = now - timedelta(hours=2), now - timedelta(hours=1)
    return service.client_time(start), service.client_time(end)


def check_replaced(
    service: AcmeService, call: Call, identifier: object, identifiers: Sequence[Mapping[str, str]]
) -> None:
    """Raise Problem unless an order can replace the certificate (RFC 9773, 5)."""
    entry = _record(service, identifier) if isinstance(identifier, str) else None
    if entry is None:
        raise Problem("malformed", "'replaces' is not the identifier of a certificate", status=404)
    _, certificate = entry
    if certificate["account"] != call.account_id:
        raise Problem("unauthorized", "'replaces' is the certificate of another account")
    if not any(one in certificate["identifiers"] for one in identifiers):
        raise malformed("the order has no identifier of the certificate in 'replaces'")
    if certificate.get("replaced_by"):
        raise Problem("alreadyReplaced", "another order has replaced the certificate in 'replaces'")


def record_replacement(service: AcmeService, identifier: str, order_id: str) -> None:
    """Note that an order has replaced a certificate."""
    entry = _record(service, identifier)
    if entry is not None:
        certificate_id, certificate = entry
        service.state.put(CERTIFICATE, certificate_id, {**certificate, "replaced_by": order_id})


def _record(service: AcmeService, identifier: str) -> tuple[str, dict[str, Any]] | None:
    if len(identifier) > _LONGEST_ID:
        return None
    pointer = service.state.get(RENEWAL, f"{service.template.name}/{identifier}")
    if pointer is None:
        return None
    certificate = service.state.get(CERTIFICATE, pointer["certificate"])
    return None if certificate is None else (pointer["certificate"], certificate)
