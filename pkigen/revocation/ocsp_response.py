"""What a sound OCSP response says (RFC 6960, 4.2.1), read: of which certificates, how they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pkigen.asn1 import der
from pkigen.revocation.crl import REASON_CODES
from pkigen.revocation.ocsp import RevokedStatus

_GOOD, _REVOKED = 0x80, 0xA1
_REASONS = {code: reason for reason, code in REASON_CODES.items()}
# Optional, and without a place of its own otherwise.
_VERSION = 0xA0


@dataclass(frozen=True, slots=True)
class Stated:
    """The CertID in DER, and the status: a revocation, ``good`` or ``unknown``."""

    cert_id: bytes
    status: RevokedStatus | str


def stated(response: bytes) -> tuple[Stated, ...]:
    """What a response states, in its order; nothing when it is unsuccessful. ValueError when it is none."""
    try:
        _, *carried = der.children(response)
        if not carried:
            return ()
        (wrapped,) = der.children(carried[0])
        _, octets = der.children(wrapped)
        data = der.children(der.contents(octets))[0]
        parts = [part for part in der.children(data) if part[0] != _VERSION]
        return tuple(map(_stated, der.children(parts[2])))
    except (IndexError, TypeError) as error:
        raise ValueError("an element is missing") from error


def _stated(single: bytes) -> Stated:
    cert_id, status, *_ = der.children(single)
    if status[0] != _REVOKED:
        return Stated(cert_id, "good" if status[0] == _GOOD else "unknown")
    at, *reason = der.children(status)
    instant = datetime.strptime(der.contents(at).decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    code = der.contents(der.children(reason[0])[0])[0] if reason else 0
    return Stated(cert_id, RevokedStatus(instant, _REASONS[code]))
