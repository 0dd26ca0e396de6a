"""Decodes extensions (RFC 5280, 4.2 and 5.2): all of them as raw values, the known ones in detail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from pkigen.asn1 import der, oids
from pkigen.x509.decode import Malformed, bits, boolean, decoder, elements, expect, integer
from pkigen.x509.general_names import GeneralName, general_name, general_names
from pkigen.x509.policies import (
    PolicyConstraints,
    certificate_policies,
    inhibit_any_policy,
    policy_constraints,
    policy_mappings,
)

T = TypeVar("T")
_PURPOSES = {oid: name for name, oid in oids.EXTENDED_KEY_USAGES.items()}


@dataclass(frozen=True, slots=True)
class RawExtension:
    """An extension; ``value`` is the DER inside extnValue, ``flag`` the encoded critical flag, if any."""

    oid: str
    critical: bool
    value: bytes
    flag: bytes = b""

    @property
    def title(self) -> str:
        """The title of the extension, or its OID."""
        return oids.TITLES.get(self.oid, self.oid)


@dataclass(frozen=True, slots=True)
class BasicConstraints:
    """BasicConstraints (4.2.1.9); a path length of None means no limit."""

    ca: bool
    path_length: int | None


@dataclass(frozen=True, slots=True)
class AuthorityKeyIdentifier:
    """AuthorityKeyIdentifier (4.2.1.1); each part can be absent."""

    key_identifier: bytes | None
    issuer: tuple[GeneralName, ...]
    serial: int | None


@dataclass(frozen=True, slots=True)
class DistributionPoint:
    """DistributionPoint (4.2.1.13): the names of a CRL, its reasons, its issuer if this is another CA.

    ``relative_rdn`` is the DER of an RDN if the name is relative to the CRL issuer.
    """

    names: tuple[GeneralName, ...]
    reasons: tuple[str, ...]
    crl_issuer: tuple[GeneralName, ...]
    relative_rdn: bytes = b""


@dataclass(frozen=True, slots=True)
class IssuingDistributionPoint:
    """IssuingDistributionPoint (5.2.5); ``only`` contains user, ca and attribute; valid is at most one."""

    names: tuple[GeneralName, ...]
    only: tuple[str, ...]
    reasons: tuple[str, ...]
    indirect: bool
    relative_rdn: bytes = b""


@dataclass(frozen=True, slots=True)
class Subtree:
    """GeneralSubtree of name constraints (4.2.1.10)."""

    base: GeneralName
    minimum: int = 0
    has_maximum: bool = False


_MOST_CACHED = 1024
"""Bytes of a value whose decoded form is kept: most certificates have the same short values."""


@lru_cache(maxsize=1024)
def _decoded(read: Callable[[bytes], T], value: bytes) -> T:
    return read(value)


class Extensions(tuple[RawExtension, ...]):
    """The extensions of one certificate, CRL or request, in order."""

    __slots__ = ()

    def raw(self, oid: str) -> RawExtension | None:
        """Return the first extension with an OID, or None."""
        for extension in self:
            if extension.oid == oid:
                return extension
        return None

    def get(self, oid: str, read: Callable[[bytes], T]) -> T | None:
        """Return the decoded value of an extension, None if it is absent; Malformed if ``read`` fails."""
        extension = self.raw(oid)
        if extension is None:
            return None
        value = extension.value
        return _decoded(read, value) if len(value) <= _MOST_CACHED else read(value)

    @property
    def basic_constraints(self) -> BasicConstraints | None:
        """The basic constraints."""
        return self.get(oids.BASIC_CONSTRAINTS, basic_constraints)

    @property
    def key_usage(self) -> tuple[str, ...] | None:
        """The names of the key usage bits that are set."""
        return self.get(oids.KEY_USAGE, key_usage)

    @property
    def extended_key_usage(self) -> tuple[str, ...] | None:
        """The purposes of the extended key usage, by name or OID."""
        return self.get(oids.EXTENDED_KEY_USAGE, extended_key_usage)

    def general_names(self, oid: str) -> tuple[GeneralName, ...] | None:
        """Return the names of an extension that is a list of names, such as the issuer alternative name."""
        return self.get(oid, alternative_names)

    @property
    def alternative_names(self) -> tuple[GeneralName, ...] | None:
        """The subject alternative names."""
        return self.general_names(oids.SUBJECT_ALTERNATIVE_NAME)

    @property
    def name_constraints(self) -> tuple[tuple[str, tuple[Subtree, ...]], ...] | None:
        """The name constraints as pairs (permitted or excluded, subtrees)."""
        return self.get(oids.NAME_CONSTRAINTS, name_constraints)

    @property
    def subject_key_identifier(self) -> bytes | None:
        """The subject key identifier."""
        return self.get(oids.SUBJECT_KEY_IDENTIFIER, subject_key_identifier)

    @property
    def authority_key_identifier(self) -> AuthorityKeyIdentifier | None:
        """The authority key identifier."""
        return self.get(oids.AUTHORITY_KEY_IDENTIFIER, authority_key_identifier)

    @property
    def crl_distribution_points(self) -> tuple[DistributionPoint, ...] | None:
        """The CRL distribution points."""
        return self.get(oids.CRL_DISTRIBUTION_POINTS, distribution_points)

    @property
    def freshest_crl(self) -> tuple[DistributionPoint, ...] | None:
        """The distribution points of delta CRLs (4.2.1.15, 5.2.6)."""
        return self.get(oids.FRESHEST_CRL, distribution_points)

    @property
    def authority_information_access(self) -> tuple[tuple[str, GeneralName], ...] | None:
        """The authority information access as pairs (OID of the access method, location)."""
        return self.get(oids.AUTHORITY_INFORMATION_ACCESS, access_descriptions)

    @property
    def certificate_policies(self) -> tuple[str, ...] | None:
        """The OIDs of the certificate policies, in order."""
        return self.get(oids.CERTIFICATE_POLICIES, certificate_policies)

    @property
    def policy_mappings(self) -> tuple[tuple[str, str], ...] | None:
        """The policy mappings as pairs (issuerDomainPolicy, subjectDomainPolicy)."""
        return self.get(oids.POLICY_MAPPINGS, policy_mappings)

    @property
    def policy_constraints(self) -> PolicyConstraints | None:
        """The policy constraints."""
        return self.get(oids.POLICY_CONSTRAINTS, policy_constraints)

    @property
    def inhibit_any_policy(self) -> int | None:
        """The number of certificates after which anyPolicy no longer matches."""
        return self.get(oids.INHIBIT_ANY_POLICY, inhibit_any_policy)


@lru_cache(maxsize=256)
@decoder("the list of extensions")
def extensions(data: bytes) -> Extensions:
    """Decode Extensions; Malformed if one of them is not an Extension."""
    return Extensions(map(_extension, elements(data, "the list of extensions")))


@lru_cache(maxsize=512)
def _extension(data: bytes) -> RawExtension:
    oid, *flag, value = elements(data, "an extension")
    if len(flag) > 1:
        raise Malformed("an extension of more than three elements")
    critical = boolean(flag[0], "an extension's critical flag") if flag else False
    contents = expect(value, der.OCTET_STRING, "an extension's value")
    return RawExtension(der.dotted(oid), critical, contents, der.contents(flag[0]) if flag else b"")


@lru_cache(maxsize=64)
@decoder("the basic constraints extension")
def basic_constraints(data: bytes) -> BasicConstraints:
    """Decode BasicConstraints."""
    ca, path_length = False, None
    for element in elements(data, "the basic constraints extension"):
        if element[0] == der.BOOLEAN:
            ca = boolean(element, "cA")
        else:
            path_length = integer(element, "pathLenConstraint")
    return BasicConstraints(ca, path_length)


@lru_cache(maxsize=64)
@decoder("the key usage extension")
def key_usage(data: bytes) -> tuple[str, ...]:
    """Decode KeyUsage; return the names of the bits that are set."""
    return bits(expect(data, der.BIT_STRING, "the key usage extension"), oids.KEY_USAGES)


@lru_cache(maxsize=64)
@decoder("the extended key usage extension")
def extended_key_usage(data: bytes) -> tuple[str, ...]:
    """Decode ExtKeyUsageSyntax; return the names of the purposes, or their OIDs."""
    purposes = map(der.dotted, elements(data, "the extended key usage extension"))
    return tuple(_PURPOSES.get(oid, oid) for oid in purposes)


@decoder("the alternative name extension")
def alternative_names(data: bytes) -> tuple[GeneralName, ...]:
    """Decode SubjectAltName or IssuerAltName."""
    expect(data, der.SEQUENCE, "the alternative name extension")
    return general_names(data)


@decoder("the name constraints extension")
def name_constraints(data: bytes) -> tuple[tuple[str, tuple[Subtree, ...]], ...]:
    """Decode NameConstraints; return pairs (permitted or excluded, subtrees), in order."""
    lists = []
    for element in elements(data, "the name constraints extension"):
        kind = {0xA0: "permitted", 0xA1: "excluded"}.get(element[0])
        if kind is None:
            raise Malformed(f"an element has the tag {element[0]:02x}")
        lists.append((kind, tuple(map(_subtree, der.children(element)))))
    return tuple(lists)


def _subtree(data: bytes) -> Subtree:
    base, *distances = elements(data, "a subtree")
    numbers = {one[0]: int.from_bytes(der.contents(one), "big", signed=True) for one in distances}
    return Subtree(general_name(base), numbers.get(0x80, 0), 0x81 in numbers)


@decoder("the subject key identifier extension")
def subject_key_identifier(data: bytes) -> bytes:
    """Decode SubjectKeyIdentifier."""
    return expect(data, der.OCTET_STRING, "the subject key identifier extension")


@lru_cache(maxsize=64)
@decoder("the authority key identifier extension")
def authority_key_identifier(data: bytes) -> AuthorityKeyIdentifier:
    """Decode AuthorityKeyIdentifier."""
    key, issuer, serial = None, tuple[GeneralName, ...](), None
    for element in elements(data, "the authority key identifier extension"):
        if element[0] == 0x80:
            key = der.contents(element)
        elif element[0] == 0xA1:
            issuer = general_names(element)
        elif element[0] == 0x82:
            serial = int.from_bytes(der.contents(element), "big", signed=True)
    return AuthorityKeyIdentifier(key, issuer, serial)


@lru_cache(maxsize=64)
@decoder("the CRL distribution points extension")
def distribution_points(data: bytes) -> tuple[DistributionPoint, ...]:
    """Decode CRLDistributionPoints, or FreshestCRL, which has the same syntax."""
    return tuple(map(_distribution_point, elements(data, "the CRL distribution points extension")))


def _distribution_point(data: bytes) -> DistributionPoint:
    names, issuer = tuple[GeneralName, ...](), tuple[GeneralName, ...]()
    reasons, relative = tuple[str, ...](), b""
    for element in elements(data, "a distribution point"):
        if element[0] == 0xA0:
            names, relative = _point_name(element)
        elif element[0] == 0x81:
            reasons = bits(der.contents(element), oids.REASON_FLAGS)
        elif element[0] == 0xA2:
            issuer = general_names(element)
    return DistributionPoint(names, reasons, issuer, relative)


def _point_name(data: bytes) -> tuple[tuple[GeneralName, ...], bytes]:
    """Return the full names of a DistributionPointName, and the RDN if it is relative to the CRL issuer."""
    (choice,) = der.children(data)
    if choice[0] == 0xA1:
        return (), der.tlv(der.SET, der.contents(choice))
    return general_names(choice), b""


@decoder("the issuing distribution point extension")
def issuing_distribution_point(data: bytes) -> IssuingDistributionPoint:
    """Decode the IssuingDistributionPoint of a CRL."""
    names, only, relative = tuple[GeneralName, ...](), tuple[str, ...](), b""
    reasons, indirect = tuple[str, ...](), False
    kinds = {0x81: "user", 0x82: "ca", 0x85: "attribute"}
    for element in elements(data, "the issuing distribution point extension"):
        tag, value = element[0], der.contents(element)
        if tag == 0xA0:
            names, relative = _point_name(element)
        elif tag in kinds and value != b"\x00":
            only = (*only, kinds[tag])
        elif tag == 0x83:
            reasons = bits(value, oids.REASON_FLAGS)
        elif tag == 0x84:
            indirect = value != b"\x00"
    return IssuingDistributionPoint(names, only, reasons, indirect, relative)


@decoder("the information access extension")
def access_descriptions(data: bytes) -> tuple[tuple[str, GeneralName], ...]:
    """Decode AuthorityInfoAccessSyntax; return pairs (OID of the access method, location)."""
    return tuple(_access(element) for element in elements(data, "the information access extension"))


def _access(data: bytes) -> tuple[str, GeneralName]:
    method, location = elements(data, "an access description")
    (name,) = general_names(der.sequence(location))
    return der.dotted(method), name


def uris(points: tuple[DistributionPoint, ...] | None) -> Iterator[str]:
    """Yield the URLs of distribution points, in order."""
    for point in points or ():
        yield from (name.value for name in point.names if name.kind == "uri")
