"""Parses a CertificateList (RFC 5280, 5.1)."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from datetime import datetime
from functools import cached_property, lru_cache
from typing import NamedTuple

from pkigen.asn1 import der, oids
from pkigen.model import Name
from pkigen.x509 import decode
from pkigen.x509.algorithms import AlgorithmIdentifier, algorithm_identifier
from pkigen.x509.decode import Malformed, decoder, elements
from pkigen.x509.extensions import (
    Extensions,
    IssuingDistributionPoint,
    extensions,
    issuing_distribution_point,
)
from pkigen.x509.general_names import GeneralName, general_names

_NO_EXTENSIONS = Extensions()
_TIMES = (der.UTC_TIME, der.GENERALIZED_TIME)
_CERTIFICATE_ISSUER = der.oid(oids.CERTIFICATE_ISSUER)
_CRITICAL = re.compile(rb"\x01\x01[^\x00]")
"""A BOOLEAN with the value TRUE."""
_UTC_TIME = bytes((der.UTC_TIME, 13))
_UTC_TIME_SIZE = 15


class RevokedEntry(NamedTuple):
    """A CRL entry: serial number, time, reason code (0 if it has none), extensions."""

    serial: int
    at: datetime
    reason: int
    extensions: Extensions

    @property
    def invalid_since(self) -> datetime | None:
        """The invalidity date (5.3.2): when the key was compromised, or the certificate became invalid."""
        return self.extensions.get(oids.INVALIDITY_DATE, lambda value: _time(value, "the invalidity date"))

    @property
    def certificate_issuer(self) -> tuple[GeneralName, ...] | None:
        """The issuer of the certificates of this entry and the next ones (5.3.3); None if absent."""
        return self.extensions.get(oids.CERTIFICATE_ISSUER, _names)


class CertificateList:
    """A CRL; Malformed if the outer structure is wrong. Each field is decoded on access."""

    @decoder("the CRL")
    def __init__(self, data: bytes) -> None:
        self.der = data
        self.tbs, self._algorithm, self._signature = elements(data, "the CRL")
        fields = elements(self.tbs, "the TBSCertList")
        self._version = fields.pop(0) if fields[0][0] == der.INTEGER else None
        self._inner, self._issuer, self._this_update, *rest = fields
        if self._this_update[0] not in _TIMES:
            raise Malformed("thisUpdate is not a time")
        self._next_update = rest.pop(0) if rest and rest[0][0] in _TIMES else None
        self._revoked = rest.pop(0) if rest and rest[0][0] == der.SEQUENCE else None
        self._extensions = rest.pop(0) if rest and rest[0][0] == 0xA0 else None
        if rest:
            raise Malformed("the TBSCertList has an unexpected element")

    @property
    def version(self) -> int:
        """The version: 1 or 2."""
        return 1 if self._version is None else decode.integer(self._version, "the version") + 1

    @cached_property
    def signature_algorithm(self) -> AlgorithmIdentifier:
        """The algorithm in the outer, unsigned field (5.1.1.2)."""
        return algorithm_identifier(self._algorithm)

    @property
    def signed_algorithm(self) -> AlgorithmIdentifier:
        """The algorithm in the signed part (5.1.2.2)."""
        return algorithm_identifier(self._inner)

    @property
    def algorithms_agree(self) -> bool:
        """Whether the signed and the outer algorithm have the same encoding."""
        return self._inner == self._algorithm

    @property
    def signature(self) -> bytes:
        """The signature value."""
        return decode.whole_bytes(self._signature, "the signature")

    @cached_property
    def issuer(self) -> Name:
        """The issuer's name."""
        return decode.decoder("the issuer")(decode.name)(self._issuer, "the issuer")

    @property
    def issuer_der(self) -> bytes:
        """The DER of the issuer's name."""
        return self._issuer

    @cached_property
    def normalized_issuer(self) -> Hashable:
        """The issuer in the form that is compared (RFC 5280, 7.1); the DER if it cannot be decoded."""
        return decode.normalized_name(self.issuer_der)

    @cached_property
    def this_update(self) -> datetime:
        """The time of issue, in UTC."""
        return _time(self._this_update, "this_update")

    @cached_property
    def next_update(self) -> datetime | None:
        """The time by which the next CRL is issued, in UTC; None if absent."""
        return None if self._next_update is None else _time(self._next_update, "next_update")

    @cached_property
    def extensions(self) -> Extensions:
        """The CRL's own extensions."""
        return Extensions() if self._extensions is None else extensions(der.contents(self._extensions))

    @property
    def number(self) -> int | None:
        """The CRL number (5.2.3)."""
        return self.extensions.get(oids.CRL_NUMBER, lambda value: decode.integer(value, "the CRL number"))

    @property
    def base_number(self) -> int | None:
        """The number of the base CRL (5.2.4) of a delta CRL; None for a complete CRL."""
        return self.extensions.get(
            oids.DELTA_CRL_INDICATOR, lambda value: decode.integer(value, "the base CRL number")
        )

    @property
    def issuing_distribution_point(self) -> IssuingDistributionPoint | None:
        """The issuing distribution point (5.2.5)."""
        return self.extensions.get(oids.ISSUING_DISTRIBUTION_POINT, issuing_distribution_point)

    @property
    def has_list(self) -> bool:
        """Whether revokedCertificates is present, even if it is empty (5.1.2.6)."""
        return self._revoked is not None

    @property
    def count(self) -> int:
        """The number of entries."""
        return 0 if self._revoked is None else len(self._entries)

    def entries(self) -> Iterator[RevokedEntry]:
        """Return the entries in order, decoded one by one."""
        return map(_entry, self._entries)

    def entry(self, serial: int) -> RevokedEntry | None:
        """Return the entry of a serial number, or None."""
        data = self._by_serial.get(der.integer(serial))
        return None if data is None else _entry(data)

    def entry_of(self, serial: int, issuer: Hashable) -> RevokedEntry | None:
        """Return the entry of a certificate, given its serial number and normalized issuer (5.3.3).

        An entry without a certificate issuer has that of the entry before it, the first one the CRL's own.
        """
        if not self._mentions(_CERTIFICATE_ISSUER):
            return self.entry(serial) if issuer == self.normalized_issuer else None
        current = self.normalized_issuer
        expected = der.integer(serial)
        for data in self._entries:
            if _CERTIFICATE_ISSUER in data:
                names = _entry(data).certificate_issuer or ()
                current = next((name.normalized[1] for name in names if name.kind == "dirname"), current)
            if current == issuer and data.find(expected, 0, len(expected) + 6) > 0:
                entry = _entry(data)
                if entry.serial == serial:
                    return entry
        return None

    def has_critical_entry_extensions(self) -> bool:
        """Return False if no entry has a critical extension; True if one may have."""
        return self._revoked is not None and _CRITICAL.search(self._revoked) is not None

    def _mentions(self, oid: bytes) -> bool:
        return self._revoked is not None and oid in self._revoked

    @cached_property
    def _by_serial(self) -> dict[bytes, bytes]:
        return _by_serial(self._entries)

    @cached_property
    def _entries(self) -> list[bytes]:
        return [] if self._revoked is None else _children(self._revoked)


@decoder("the list of revoked certificates")
def _children(data: bytes) -> list[bytes]:
    return elements(data, "the list of revoked certificates")


@decoder("the list of revoked certificates")
def _by_serial(entries: list[bytes]) -> dict[bytes, bytes]:
    return {der.children(entry)[0]: entry for entry in entries}


@decoder("an entry of the CRL")
def _entry(data: bytes) -> RevokedEntry:
    return _usual_entry(data) or _any_entry(data)


def _usual_entry(data: bytes) -> RevokedEntry | None:
    """Return an entry of short elements; None for others. A call for each element takes most of the time."""
    if not 8 < len(data) == data[1] + 2 < der.LONG_FORM or data[0] != der.SEQUENCE or data[2] != der.INTEGER:
        return None
    end = 4 + data[3]
    at, rest = data[end : end + _UTC_TIME_SIZE], data[end + _UTC_TIME_SIZE :]
    if end == 4 or len(at) < _UTC_TIME_SIZE or at[:2] != _UTC_TIME:
        return None
    if rest and not (len(rest) >= 2 and rest[0] == der.SEQUENCE and len(rest) == rest[1] + 2):
        return None
    code, entry_extensions = _entry_extensions(rest) if rest else (0, _NO_EXTENSIONS)
    serial = int.from_bytes(data[4:end], "big", signed=True)
    return RevokedEntry(serial, _revocation_time(at), code, entry_extensions)


def _any_entry(data: bytes) -> RevokedEntry:
    serial, at, *rest = elements(data, "an entry of the CRL")
    code, entry_extensions = _entry_extensions(rest[0]) if rest else (0, _NO_EXTENSIONS)
    return RevokedEntry(
        decode.integer(serial, "a serial number"), _revocation_time(at), code, entry_extensions
    )


# Few entries of a CRL differ in more than the serial number.
@lru_cache(maxsize=256)
def _revocation_time(data: bytes) -> datetime:
    return decode.time(data, "the time of a revocation")


@lru_cache(maxsize=256)
def _entry_extensions(data: bytes) -> tuple[int, Extensions]:
    """Return the reason code and all extensions of an entry."""
    entry_extensions = extensions(data)
    reason = entry_extensions.raw(oids.CRL_REASON)
    code = int.from_bytes(decode.expect(reason.value, 0x0A, "the reason code"), "big") if reason else 0
    return code, entry_extensions


@decoder("the certificate issuer")
def _names(data: bytes) -> tuple[GeneralName, ...]:
    return general_names(data)


@decoder("the time")
def _time(data: bytes, what: str) -> datetime:
    return decode.time(data, what)
