"""The values that travel from the plan to the disk. Plain, frozen, picklable, without behaviour.

Those of the plan go to other processes by the thousand. They have no slots: a frozen dataclass with
slots is pickled in Python, field by field, one without in C.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum


class Role(StrEnum):
    """What an entity is; the value is also the name of the folder that holds its kind."""

    AUTHORITY = "authorities"
    CERTIFICATE = "certificates"


@dataclass(frozen=True)
class Attribute:
    """One AttributeTypeAndValue (RFC 5280, 4.1.2.4); ``tag`` is the string type's ASN.1 tag.

    A ``value`` of bytes is the contents octets as they stand, for strings that are not ones.
    """

    oid: str
    value: str | bytes
    tag: int


Name = tuple[tuple[Attribute, ...], ...]
"""An RDNSequence: relative distinguished names in order, each a set of attributes."""


class KeyIdentifier(Enum):
    """Extension values that are known only once the keys are: they are filled in at issue."""

    SUBJECT = "subject key identifier"
    ISSUER = "authority key identifier"


@dataclass(frozen=True)
class Extension:
    """One extension (RFC 5280, 4.2); ``value`` is the DER inside extnValue."""

    oid: str
    critical: bool
    value: bytes | KeyIdentifier


@dataclass(frozen=True)
class Signature:
    """How a signer is asked to sign; a ``digest`` of "" is the one that fits the signer's key.

    Keys that bring their own digest (EdDSA, ML-DSA) pass over it; ``pss`` is for RSA alone, with a
    ``salt`` of so many octets (None: as long as the digest) and ``mask``, the digest of MGF1 (empty:
    the same digest).
    """

    digest: str = ""
    pss: bool = False
    salt: int | None = field(default=None, repr=False)
    mask: str = field(default="", repr=False)


class Surgery(StrEnum):
    """What is done to one element of a structure, with the data of the edit."""

    REPLACE = "replace by the data"
    REMOVE = "remove"
    INSERT = "insert the data before"
    APPEND = "append the data after"
    RETAG = "write the data's first octet for its tag"
    REFILL = "put the data in the place of its contents"
    PREPEND = "put the data before its contents, its length following"
    FLIP = "flip its last bit"
    UNUSE = "count as many last bits of the BIT STRING as unused as the data says, and set them"
    BEHEAD = "leave out the first octet of its contents, its length following"
    SHORTEN = "leave out the last octet of its contents, its length following"
    CUT = "cut off so many of its octets as the data is long, its length staying"
    LENGTHEN = "write its length in one octet more than it needs"
    INDEFINITE = "write it with an indefinite length (X.690, 8.1.3.6)"
    CONSTRUCT = "write it constructed, of one segment (X.690, 8.7.3)"
    BARE = "write the ECDSA signature in it as the two numbers alone (IEEE P1363)"
    COMPRESS = "write the elliptic curve point in it compressed (SEC 1, 2.3.3)"


@dataclass(frozen=True)
class Edit:
    """A change of one TLV: the child indices that lead to it, what is done, the octets for it.

    A path leads through BIT STRINGs and OCTET STRINGs too: what they wrap is their children.
    ``signed`` edits are made to the TBSCertificate, and signed; the others to the Certificate around
    it once it is signed.
    """

    path: tuple[int, ...]
    surgery: Surgery
    data: bytes = b""
    signed: bool = True


@dataclass(frozen=True)
class CertificatePlan:
    """A certificate as it will be signed: all of the TBSCertificate but the keys.

    ``issuer_id`` is the entity that signs (the own id when self-signed). Times are UTC, whole
    seconds. ``spec`` is a digest of all that is asked for, without serial, clock and keys: if it
    changes, the certificate is issued anew. ``edits`` are made to the octets, last of all.
    ``stranger`` names a key that belongs to nobody and signs in the issuer's place.
    """

    issuer_id: str
    subject: Name
    issuer: Name
    serial: int
    not_before: datetime
    not_after: datetime
    signature: Signature
    extensions: tuple[Extension, ...]
    spec: str
    edits: tuple[Edit, ...] = ()
    stranger: str = ""


@dataclass(frozen=True)
class Alteration:
    """A way in which a file of an entity is written wrong: which file, how, with what.

    ``file`` is one of certificate, key, chain, pkcs12; ``how`` names a function of
    ``formats.alterations``.
    """

    file: str
    how: str
    argument: str = ""


@dataclass(frozen=True)
class Output:
    """How an entity's files are written. ``alias`` and ``pkcs12_passphrase`` are for PKCS#12.

    ``alterations`` are made in order to the files that they name, once all are written.
    """

    formats: tuple[str, ...] = ()
    key_format: str = "pkcs8"
    passphrase: bytes | None = field(default=None, repr=False)
    pkcs12_passphrase: bytes = field(default=b"", repr=False)
    alias: str = ""
    alterations: tuple[Alteration, ...] = ()


@dataclass(frozen=True)
class Revocation:
    """A revocation asked for: the reason code's RFC 5280 name, the instant, the text it came from.

    ``reason`` is one of keyCompromise, cACompromise, affiliationChanged, superseded,
    cessationOfOperation, certificateHold, removeFromCRL, privilegeWithdrawn, aACompromise, unspecified.
    """

    reason: str
    at: datetime
    text: str


class CrlForm(StrEnum):
    """In what form the two files of a CRL are: that of its URL, and that of its authority's folder."""

    SOUND = "DER at the URL, PEM in the folder"
    PEM = "PEM in both"
    DER = "DER in both"
    EMPTY = "no octets in both"
    CERTIFICATE = "the authority's certificate in both, where the CRL belongs"
    NONE = "no file: it is not published"


@dataclass(frozen=True)
class CrlEntry:
    """An entry of a CRL for a serial number that no certificate has, dated at the CRL's this_update."""

    serial: int
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True)
class CrlPlan:
    """The CRL an authority publishes: lifetime in seconds, and where clients find it.

    ``age`` is how many seconds before the build's clock it says it was issued; ``suffix`` ends the
    name of its file. ``edits`` are made to its octets, last of all; the edits that are signed to the
    TBSCertList. ``entries`` and ``extensions`` stand behind those that it has anyway. ``stranger`` names
    a key that belongs to nobody and signs in the authority's place. ``countdown`` numbers each CRL
    lower than the one before, of which there is a file beside it.
    """

    lifetime: int
    url: str
    age: int = 0
    suffix: str = ".crl"
    edits: tuple[Edit, ...] = ()
    signature: Signature = Signature()
    entries: tuple[CrlEntry, ...] = ()
    extensions: tuple[Extension, ...] = ()
    stranger: str = ""
    countdown: bool = False
    form: CrlForm = CrlForm.SOUND


@dataclass(frozen=True)
class Responder:
    """Who signs an OCSP answer in the issuing CA's place, with a certificate of its own.

    ``purposes`` are the key purposes (OIDs) of that certificate, ``extensions`` what it has besides,
    ``ended`` whether it has expired, ``issued_by`` the issuing CA or ``itself`` or ``another CA``,
    ``edits`` are made to its octets. ``enclosed`` says whether the answer brings it along.
    """

    purposes: tuple[str, ...]
    extensions: tuple[Extension, ...] = ()
    ended: bool = False
    issued_by: str = "issuer"
    enclosed: bool = True
    edits: tuple[Edit, ...] = ()


class OcspForm(StrEnum):
    """What stands where an OCSP answer belongs."""

    SOUND = "the answer"
    EMPTY = "no octets"
    HTML = "a page of HTML"


@dataclass(frozen=True)
class OcspPlan:
    """The OCSP answer about an end entity, and where its certificate says that it is to be had.

    ``answers`` are good, revoked or unknown, a single response each. ``age`` and ``lifetime`` are in
    seconds as those of a CRL, ``lifetime`` None for no next_update; ``produced`` is how many seconds
    after this_update it says it was made. ``responder`` signs instead of the issuing CA, ``stranger``
    names a key that signs in the place of either. ``mistaken`` is the part of the CertID that is another
    certificate's: serial, name or key. ``status`` is the response status; any but 0 comes without an
    answer. ``extensions`` are the response's; ``edits`` are made to its octets, signed ones to the
    ResponseData and the others to the BasicOCSPResponse, ``outer`` ones to the OCSPResponse around it.
    """

    url: str
    answers: tuple[str, ...] = ("good",)
    age: int = 0
    lifetime: int | None = 7 * 86400
    produced: int = 0
    responder: Responder | None = None
    stranger: str = ""
    mistaken: str = ""
    status: int = 0
    signature: Signature = Signature()
    extensions: tuple[Extension, ...] = ()
    edits: tuple[Edit, ...] = ()
    outer: tuple[Edit, ...] = ()
    form: OcspForm = OcspForm.SOUND


@dataclass(frozen=True)
class Fault:
    """What is wrong with an entity on purpose, and what is to be expected of it.

    ``base`` is the name of the sound certificate. Of a case of a requirement set ``against``,
    ``violates`` are the requirements that it breaks, by id, ``accepted`` is the appliance's verdict at
    upload and ``messages`` what it says; of a fault of the catalogue these say nothing. ``stage`` is
    where it shows (file, parse, path, name, revocation ...), None for what only an appliance sees.
    ``expected`` is what a strict validator of paths does: accept, reject, or varies; ``verdict`` is the
    class of a fault of the catalogue (R, A, P, V), ``shows`` how it shows and what a client should do.
    """

    id: str
    base: str
    says: str
    against: str = ""
    violates: tuple[str, ...] = ()
    accepted: bool | None = None
    messages: tuple[str, ...] = ()
    stage: str | None = None
    expected: str = "accept"
    clause: str = ""
    verdict: str = ""
    shows: str = ""


@dataclass(frozen=True)
class Serving:
    """How a server answers wrong: at which URL, or in the handshake (``tls``), how, with what.

    ``how`` is one of status, slow, truncated, oversize, media-type, redirect, loop, reset, html, pem,
    other (for URLs), and of the names of the family ``transport`` without their ``tls-`` for handshakes.
    """

    url: str
    how: str
    argument: str = ""


@dataclass(frozen=True)
class Brought:
    """An authority that came from files: its certificate, those above it, its key (PKCS#8)."""

    certificate: bytes
    chain: tuple[bytes, ...]
    key: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Entity:
    """An authority or an end entity: one key, one or more certificates for it, one folder.

    ``certificates[0]`` is the certificate that ``NAME.crt`` holds, the others are
    cross-certificates. ``issuers`` are the ids of the authorities above, from the issuing CA up to
    and with the root (empty for a root and for a self-signed end entity). ``renew_before`` counts
    the seconds before the end of the main certificate from which on a build issues it anew.

    ``key_of`` is another entity whose key it has, or a word for a key that all who say it share.
    ``trusted`` says whether a self-signed authority is a trust anchor; ``trust`` are the ids of what
    clients of an end entity trust, if that is not the root of its path. ``serving`` is what a server
    does wrong for it, ``ocsp`` the answer that is given about it.
    """

    role: Role
    name: str
    key: str
    certificates: tuple[CertificatePlan, ...]
    issuers: tuple[str, ...]
    output: Output
    hosts: tuple[str, ...] = ()
    crl: CrlPlan | None = None
    ca_url: str | None = None
    revocation: Revocation | None = None
    renew_before: int = 0
    brought: Brought | None = None
    fault: Fault | None = None
    key_of: str = ""
    trusted: bool = True
    trust: tuple[str, ...] = ()
    serving: tuple[Serving, ...] = ()
    ocsp: OcspPlan | None = None

    @property
    def id(self) -> str:
        """``authorities/NAME`` or ``certificates/NAME``: unique, and the folder's path."""
        return f"{self.role.value}/{self.name}"


@dataclass(frozen=True, slots=True)
class Issued:
    """An entity with its key (PKCS#8 DER, not encrypted) and its certificates (DER).

    ``certificates`` are in the order of ``entity.certificates``; they are bytes because a faulty
    one need not parse. ``chain`` is DER from the issuing CA up to and with the root.
    ``public_key`` is the SubjectPublicKeyInfo.
    """

    entity: Entity
    key: bytes | None = field(repr=False)
    public_key: bytes
    certificates: tuple[bytes, ...]
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file to write: path below the entity's folder (``/`` separated), bytes, secret or not."""

    path: str
    data: bytes = field(repr=False)
    secret: bool = False
