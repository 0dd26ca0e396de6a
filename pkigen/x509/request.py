"""Parses a CertificationRequest (RFC 2986, 4)."""

from __future__ import annotations

from functools import cached_property

from pkigen.asn1 import der
from pkigen.asn1.oids import EXTENSION_REQUESTS
from pkigen.model import Name
from pkigen.x509 import decode
from pkigen.x509.algorithms import AlgorithmIdentifier, algorithm_identifier
from pkigen.x509.certificate import Certificate
from pkigen.x509.decode import Malformed, decoder, elements
from pkigen.x509.extensions import Extensions, extensions
from pkigen.x509.public_key import PublicKey, public_key


class CertificationRequest:
    """A request (CSR); Malformed if the outer structure is wrong. Each field is decoded on access."""

    @decoder("the request")
    def __init__(self, data: bytes) -> None:
        self.der = data
        self.info, self._algorithm, self._signature = elements(data, "the request")
        version, self._subject, self.subject_public_key_info, *rest = elements(
            self.info, "the request's information"
        )
        if version[0] != der.INTEGER or self.subject_public_key_info[0] != der.SEQUENCE:
            raise Malformed("the structure is not a certification request")
        self._attributes = rest[0] if rest else b"\xa0\x00"

    @cached_property
    def subject(self) -> Name:
        """The subject's name."""
        return decode.decoder("the subject")(decode.name)(self._subject, "the subject")

    @cached_property
    def public_key(self) -> PublicKey:
        """The public key."""
        return public_key(self.subject_public_key_info)

    @cached_property
    def signature_algorithm(self) -> AlgorithmIdentifier:
        """The algorithm of the request's own signature."""
        return algorithm_identifier(self._algorithm)

    @property
    def signature(self) -> bytes:
        """The signature value."""
        return decode.whole_bytes(self._signature, "the signature")

    def as_certificate(self) -> Certificate:
        """Return a certificate with the requested subject, key and extensions.

        Its other fields (issuer, serial number, validity, signature) have no meaning.
        """
        algorithm = der.sequence(der.oid("1.2.840.113549.1.1.11"), der.null())
        times = der.sequence(*(der.tlv(der.UTC_TIME, b"000101000000Z"),) * 2)
        raw = _requested_der(self._attributes)
        tbs = der.sequence(
            der.explicit(0, der.integer(2)),
            der.integer(1),
            algorithm,
            der.sequence(),
            times,
            self._subject,
            self.subject_public_key_info,
            *((der.explicit(3, raw),) if raw else ()),
        )
        return Certificate(der.sequence(tbs, algorithm, der.bit_string(b"")))

    @cached_property
    def other_attributes(self) -> tuple[tuple[str, bytes], ...]:
        """The OID and first value of each attribute that does not request extensions."""
        return tuple(pair for pair in _attributes(self._attributes) if pair[0] not in EXTENSION_REQUESTS)

    @cached_property
    def extensions(self) -> Extensions:
        """The requested extensions (PKCS#9 extensionRequest, or Microsoft's)."""
        raw = _requested_der(self._attributes)
        return extensions(raw) if raw else Extensions()


@decoder("the request's attributes")
def _attributes(attributes: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return OID and first value of each attribute."""
    pairs = map(der.children, der.children(attributes))
    return tuple((der.dotted(oid), (der.children(values) or [b""])[0]) for oid, values in pairs)


def _requested_der(attributes: bytes) -> bytes:
    """Return the Extensions of the attribute that requests them; b"" if there is none."""
    return next((value for oid, value in _attributes(attributes) if oid in EXTENSION_REQUESTS), b"")
