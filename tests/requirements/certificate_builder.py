"""Builds small certificates by hand, field by field; their signatures are not valid."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pkigen.asn1 import der, oids
from pkigen.requirements import CheckInput
from pkigen.x509 import Certificate

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
SHA256_RSA = der.sequence(der.oid("1.2.840.113549.1.1.11"), der.null())
SHA1_RSA = der.sequence(der.oid("1.2.840.113549.1.1.5"), der.null())
ED25519 = der.sequence(der.oid("1.3.101.112"))


def name(*attributes: tuple[str, str]) -> bytes:
    kinds = {"CN": "2.5.4.3", "C": "2.5.4.6", "O": "2.5.4.10", "OU": "2.5.4.11"}
    parts = (der.sequence(der.oid(kinds[kind]), der.tlv(0x0C, text.encode())) for kind, text in attributes)
    return der.sequence(*(der.set_of(part) for part in parts))


def rsa(bits: int) -> bytes:
    key = der.sequence(der.integer((1 << (bits - 1)) + 1), der.integer(65537))
    algorithm = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
    return der.sequence(algorithm, der.bit_string(key))


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    parts = [der.oid(oid), *([der.boolean(True)] if critical else []), der.octet_string(value)]
    return der.sequence(*parts)


@dataclass(frozen=True)
class Made:
    """The fields of a certificate whose signature nobody looks at."""

    version: int = 3
    serial: bytes = b"\x02\x01\x01"
    algorithm: bytes = SHA256_RSA
    issuer: bytes = field(default_factory=lambda: name(("CN", "CA")))
    subject: bytes = field(default_factory=lambda: name(("CN", "host.example.test")))
    begin: datetime = NOW - DAY
    end: datetime = NOW + DAY
    times: bytes | None = None
    key: bytes = field(default_factory=lambda: rsa(2048))
    identifiers: bytes = b""
    extensions: tuple[bytes, ...] = ()
    outer: bytes | None = None

    def check_input(self, **around: Any) -> CheckInput:
        """Return the certificate as the input of a check."""
        tbs = der.sequence(
            *([der.explicit(0, der.integer(self.version - 1))] if self.version > 1 else []),
            self.serial,
            self.algorithm,
            self.issuer,
            self.times or der.sequence(der.time(self.begin), der.time(self.end)),
            self.subject,
            self.key,
            self.identifiers,
            *([der.explicit(3, der.sequence(*self.extensions))] if self.extensions else []),
        )
        data = der.sequence(tbs, self.outer or self.algorithm, der.bit_string(b"\x00"))
        return CheckInput(**{"now": NOW, "certificate": Certificate(data), **around})


def san(*names: bytes, critical: bool = False) -> bytes:
    return extension(oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(*names), critical=critical)


def crl_point(*urls: str, critical: bool = False) -> bytes:
    names = (der.tlv(0x86, url.encode()) for url in urls)
    points = (der.sequence(der.tlv(0xA0, der.tlv(0xA0, name))) for name in names)
    return extension(oids.CRL_DISTRIBUTION_POINTS, der.sequence(*points), critical=critical)


def serial_of(octets: int, first: int = 0x7F) -> bytes:
    return der.tlv(0x02, bytes([first, *(octets - 1) * [1]]))


def usage(*bits: str, critical: bool = True) -> bytes:
    return extension(oids.KEY_USAGE, der.named_bits(bits, oids.KEY_USAGES), critical=critical)


def purposes(*names: str) -> bytes:
    value = der.sequence(*(der.oid(oids.EXTENDED_KEY_USAGES[name]) for name in names))
    return extension(oids.EXTENDED_KEY_USAGE, value)


def constraints(*parts: bytes, critical: bool = True) -> bytes:
    return extension(oids.BASIC_CONSTRAINTS, der.sequence(*parts), critical=critical)
