"""Encodes OCSP responses (RFC 6960, section 4.2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from hashlib import new, sha1

from pkigen.asn1 import der
from pkigen.asn1.edits import edited
from pkigen.asn1.oids import OCSP_BASIC
from pkigen.keys import PrivateKey
from pkigen.keys.entropy import Entropy
from pkigen.keys.signing import DIGEST_OIDS, sign, signature_algorithm
from pkigen.model import REASON_CODES, Edit, Extension, Signature

_ENUMERATED = 0x0A
_GOOD, _UNKNOWN = b"\x80\x00", b"\x82\x00"


class ResponseStatus(IntEnum):
    """OCSPResponseStatus (4.2.1); 4 is not used."""

    SUCCESSFUL = 0
    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    SIG_REQUIRED = 5
    UNAUTHORIZED = 6


@dataclass(frozen=True, slots=True)
class RevokedStatus:
    """CertStatus revoked: date and name of the reason code; ``unspecified`` is omitted."""

    at: datetime
    reason: str = "unspecified"


@dataclass(frozen=True, slots=True)
class Issuer:
    """The issuer in a CertID: its Name in DER, and the bits of its public key."""

    name: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class SingleResponse:
    """The status of one certificate; ``cert_id`` is in DER.

    ``status`` is a revocation, ``good`` or ``unknown``. Without ``next_update`` newer information is always
    available (4.2.2.1).
    """

    cert_id: bytes
    status: RevokedStatus | str
    this_update: datetime
    next_update: datetime | None


@lru_cache(maxsize=256)
def _of_issuer(digest: str, issuer: Issuer) -> bytes:
    """Return the part of a CertID that all certificates of an issuer share."""
    hashes = (der.octet_string(new(digest, value).digest()) for value in (issuer.name, issuer.key))
    return b"".join((der.sequence(der.oid(DIGEST_OIDS[digest]), der.null()), *hashes))


def cert_id(issuer: Issuer, serial: int, digest: str = "sha1") -> bytes:
    """Return the CertID (4.1.1) of a certificate, in DER."""
    return der.sequence(_of_issuer(digest, issuer), der.integer(serial))


def by_name(name: bytes) -> bytes:
    """Return a ResponderID with the responder's Name (DER)."""
    return der.explicit(1, name)


def by_key(key: bytes) -> bytes:
    """Return a ResponderID with the SHA-1 hash of the bits of the responder's public key."""
    return der.explicit(2, der.octet_string(sha1(key, usedforsecurity=False).digest()))


def response_data(
    responder: bytes,
    produced_at: datetime,
    responses: Iterable[SingleResponse],
    extensions: tuple[Extension, ...] = (),
) -> bytes:
    """Return ResponseData of version 1, in DER; ``responder`` is a ResponderID."""
    return der.sequence(
        responder,
        _time(produced_at),
        der.sequence(*map(_single, responses)),
        *((der.explicit(1, der.sequence(*map(_extension, extensions))),) if extensions else ()),
    )


def basic_response(
    data: bytes,
    key: PrivateKey,
    signature: Signature = Signature(),
    certificates: tuple[bytes, ...] = (),
    entropy: Entropy | None = None,
    edits: tuple[Edit, ...] = (),
) -> bytes:
    """Sign ResponseData and return a BasicOCSPResponse; ``certificates`` certify the signer's key.

    Signed edits change ``data`` before it is signed, the others change the response afterwards.
    """
    data = edited(data, edits, signed=True)
    algorithm = signature_algorithm(key, signature)
    value = der.bit_string(sign(key, data, signature, entropy))
    path = (der.explicit(0, der.sequence(*certificates)),) if certificates else ()
    return edited(der.sequence(data, algorithm, value, *path), edits, signed=False)


def successful(basic: bytes) -> bytes:
    """Return an OCSPResponse that contains a BasicOCSPResponse."""
    carried = der.sequence(der.oid(OCSP_BASIC), der.octet_string(basic))
    return der.sequence(_status(ResponseStatus.SUCCESSFUL), der.explicit(0, carried))


def unsuccessful(status: int) -> bytes:
    """Return an OCSPResponse that contains only an error status."""
    return der.sequence(_status(status))


def _status(status: int) -> bytes:
    return der.tlv(_ENUMERATED, bytes((status,)))


def _single(single: SingleResponse) -> bytes:
    until = (der.explicit(0, _time(single.next_update)),) if single.next_update else ()
    return der.sequence(single.cert_id, _cert_status(single.status), _time(single.this_update), *until)


def _cert_status(status: RevokedStatus | str) -> bytes:
    if not isinstance(status, RevokedStatus):
        return _GOOD if status == "good" else _UNKNOWN
    code = REASON_CODES[status.reason]
    reason = (der.explicit(0, der.tlv(_ENUMERATED, bytes((code,)))),) if code else ()
    return der.explicit(1, _time(status.at), *reason)


@lru_cache(maxsize=64)
def _time(instant: datetime) -> bytes:
    """Return a GeneralizedTime without fractions of a second (4.2.2.1; RFC 5019, section 2.2.1)."""
    utc = instant.astimezone(UTC)
    return der.tlv(der.GENERALIZED_TIME, f"{utc.year:04}{utc:%m%d%H%M%S}Z".encode())


def _extension(extension: Extension) -> bytes:
    assert isinstance(extension.value, bytes)
    flag = (der.boolean(True),) if extension.critical else ()
    return der.sequence(der.oid(extension.oid), *flag, der.octet_string(extension.value))
