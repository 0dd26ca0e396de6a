"""Revocation data: CRLs, OCSP responses, and their signers (RFC 5280, 5; RFC 6960)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pkigen.model.certificates import Edit, Extension, Name, Signature

REASON_CODES = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "removeFromCRL": 8,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}
"""CRLReason (RFC 5280, section 5.3.1)."""


@dataclass(frozen=True)
class Revocation:
    """A requested revocation: the reason (a key of REASON_CODES), the time, and the original text.

    ``invalid_since`` is the
    invalidity date of the key (RFC 5280, 5.3.2), None if unknown.
    """

    reason: str
    at: datetime
    text: str
    invalid_since: datetime | None = None


class CrlForm(StrEnum):
    """Encodings of the two copies of a CRL: the one at its URL, and the one in its authority's directory."""

    SOUND = "DER at the URL, PEM in the directory"
    PEM = "PEM in both"
    DER = "DER in both"
    EMPTY = "no bytes in both"
    CERTIFICATE = "the authority's certificate in both, where the CRL belongs"
    NONE = "no file: it is not published"


@dataclass(frozen=True)
class CrlEntry:
    """A CRL entry for a serial number that no certificate has, dated at the this_update of the CRL."""

    serial: int
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True)
class CrlPart:
    """A CRL published in addition to the complete CRL, at its own URL (RFC 5280, 5.2.4 and 5.2.5).

    ``name`` is its file name without the suffix. It covers one ``partition`` of the certificates (its
    number from 0, and the count), or some ``reasons`` (ReasonFlags by name), or is ``indirect``: it also
    covers the authorities that delegate their revocation lists to this authority. ``delta`` is the lifetime
    in seconds of a delta CRL, 0 for a CRL that needs no base. ``entries`` are appended to those of a
    delta CRL.
    """

    name: str
    partition: tuple[int, int] | None = None
    reasons: tuple[str, ...] = ()
    indirect: bool = False
    delta: int = 0
    entries: tuple[CrlEntry, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class AdditionalEntry:
    """An entry of an additional CRL; ``at`` is the revocation date as the profile states it."""

    serial: int
    reason: str
    at: str
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True)
class AdditionalCrl:
    """A CRL with the contents that the profile states, signed by its authority and published at its own URL.

    ``issuer`` is empty for the authority's own name, ``number`` None for the number of its complete CRL.
    The times are as the profile states them, relative to the publication or absolute; empty for those of
    the complete CRL.
    """

    name: str
    issuer: Name = ()
    number: int | None = None
    this_update: str = ""
    next_update: str = ""
    entries: tuple[AdditionalEntry, ...] = ()
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True)
class CrlPlan:
    """The CRL that an authority publishes: its lifetime in seconds, and its URL.

    ``age`` is the time in seconds between this_update and the build clock; ``suffix`` is the end of the
    file name. ``edits`` change the encoded bytes, as the last step; signed edits change the TBSCertList.
    ``entries`` and ``extensions`` are appended to the regular ones. ``rogue_key`` signs instead of the
    authority's key: it is the id of another authority, or names a key that belongs to no entity.
    ``countdown`` gives each CRL a lower number than
    the previous CRL, which is written to a file next to it. ``parts`` and ``additional`` are published in
    addition; ``indirect_crl_issuer`` is the id of another authority whose indirect CRL contains the same
    entries.
    """

    lifetime: int
    url: str
    age: int = 0
    suffix: str = ".crl"
    edits: tuple[Edit, ...] = ()
    signature: Signature = Signature()
    entries: tuple[CrlEntry, ...] = ()
    extensions: tuple[Extension, ...] = ()
    rogue_key: str = ""
    countdown: bool = False
    form: CrlForm = CrlForm.SOUND
    parts: tuple[CrlPart, ...] = ()
    indirect_crl_issuer: str = ""
    additional: tuple[AdditionalCrl, ...] = ()

    @property
    def published_parts(self) -> tuple[CrlPart | AdditionalCrl, ...]:
        """All CRLs that are published in addition to the complete CRL."""
        return (*self.parts, *self.additional)

    def part_url(self, part: CrlPart | AdditionalCrl) -> str:
        """Return the URL of a part, in a directory next to the complete CRL."""
        return f"{self.url.removesuffix(self.suffix)}/{part.name}.crl"


@dataclass(frozen=True)
class Responder:
    """A delegated OCSP responder, which signs with its own certificate instead of the issuing CA.

    ``purposes`` are the key purposes (OIDs) of that certificate, ``extensions`` its additional extensions,
    ``ended`` is true if it has expired, and ``edits`` change its encoded bytes. ``issued_by`` is ``issuer``
    (the issuing CA), ``itself`` or the ID of an authority. ``enclosed`` is true if the response includes the
    certificate. ``serial`` is its serial number, None for a random one.
    """

    purposes: tuple[str, ...]
    extensions: tuple[Extension, ...] = ()
    ended: bool = False
    issued_by: str = "issuer"
    enclosed: bool = True
    edits: tuple[Edit, ...] = ()
    serial: int | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Responding:
    """The OCSP responder for the certificates of an authority, and its URL.

    ``responder`` is the name of the end entity that signs, empty for the authority itself; ``by_name``
    selects whether responses identify it by name or by key hash (RFC 6960, 4.2.1); ``lifetime`` is in
    seconds; ``certificates`` selects whether responses that the authority signs contain its certificate.
    """

    url: str
    responder: str = ""
    by_name: bool = False
    lifetime: int = 86400
    certificates: bool = True


class OcspForm(StrEnum):
    """The kind of data that the server returns as an OCSP response."""

    SOUND = "the answer"
    EMPTY = "no bytes"
    HTML = "a page of HTML"


@dataclass(frozen=True)
class OcspPlan:
    """The OCSP response about an end entity, and the URL in its certificate.

    ``answers`` are good, revoked or unknown, each a single response. ``age`` and ``lifetime`` are in
    seconds, as in a CRL; a ``lifetime`` of None omits next_update. ``produced`` is the time in seconds from
    this_update to producedAt. ``responder`` signs instead of the issuing CA, and ``rogue_key`` names a key
    that signs instead of either. ``certificates`` selects whether a response of the issuing CA contains its
    certificate. ``wrong_cert_id_field`` is the CertID field with a value of another
    certificate: serial, name or key; ``cert_id_digest`` is its digest (default: that
    of the request). Without ``nonce``, the response has no nonce, also if the request has one.
    ``status`` is the response status; every status except 0 omits the
    response bytes. ``extensions`` belong to the response. ``edits`` change its encoded bytes: signed edits
    the ResponseData, other edits the BasicOCSPResponse, and ``outer`` edits the OCSPResponse around it.
    """

    url: str
    answers: tuple[str, ...] = ("good",)
    age: int = 0
    lifetime: int | None = 7 * 86400
    produced: int = 0
    responder: Responder | None = None
    rogue_key: str = ""
    certificates: bool = True
    wrong_cert_id_field: str = ""
    cert_id_digest: str = field(default="", repr=False)
    nonce: bool = field(default=True, repr=False)
    status: int = 0
    signature: Signature = Signature()
    extensions: tuple[Extension, ...] = ()
    edits: tuple[Edit, ...] = ()
    outer: tuple[Edit, ...] = ()
    form: OcspForm = OcspForm.SOUND
