"""The fields of a certificate that is there as DER, read without judging it (RFC 5280, 4.1)."""

from __future__ import annotations

from datetime import UTC, datetime

from pkigen import der, names
from pkigen.model import Name
from pkigen.oids import SUBJECT_KEY_IDENTIFIER

_SERIAL, _ISSUER, _VALIDITY, _SUBJECT, _SPKI = 0, 2, 3, 4, 5


def serial(certificate: bytes) -> int:
    """The serial number."""
    return int.from_bytes(der.contents(_fields(certificate)[_SERIAL]), "big", signed=True)


def validity(certificate: bytes) -> tuple[datetime, datetime]:
    """not_before and not_after in UTC; ValueError when they are no times of RFC 5280."""
    not_before, not_after = der.children(_fields(certificate)[_VALIDITY])
    return _time(not_before), _time(not_after)


def subject(certificate: bytes) -> Name:
    """The subject's name."""
    return names.decode(_fields(certificate)[_SUBJECT])


def is_self_issued(certificate: bytes) -> bool:
    """Whether issuer and subject are the same name, to the octet."""
    fields = _fields(certificate)
    return fields[_ISSUER] == fields[_SUBJECT]


def subject_public_key_info(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo as it stands."""
    return _fields(certificate)[_SPKI]


def subject_key_identifier(certificate: bytes) -> bytes | None:
    """The subject key identifier, if the certificate states one that can be read."""
    extensions = _fields(certificate)[-1]
    if extensions[0] != 0xA3:
        return None
    for extension in der.children(der.contents(extensions)):
        oid, *_, value = der.children(extension)
        if der.dotted(oid) == SUBJECT_KEY_IDENTIFIER:
            try:
                return der.contents(der.contents(value))
            except ValueError:
                return None
    return None


def _time(data: bytes) -> datetime:
    text = der.contents(data).decode("ascii")
    if data[0] == der.UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _fields(certificate: bytes) -> list[bytes]:
    """The TBSCertificate's fields from the serial on; the version is passed over."""
    tbs, *_ = der.children(certificate)
    fields = der.children(tbs)
    return fields[1:] if fields[0][0] == 0xA0 else fields
