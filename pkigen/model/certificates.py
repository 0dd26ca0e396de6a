"""What a certificate is planned of: names, extensions, signatures, edits of octets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum


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


class EditOp(StrEnum):
    """What is done to one element of a structure, with the data of the edit."""

    REPLACE = "replace by the data"
    REMOVE = "remove"
    INSERT = "insert the data before"
    APPEND = "append the data after"
    RETAG = "write the data's first octet for its tag"
    REPLACE_CONTENTS = "put the data in the place of its contents"
    PREPEND_CONTENTS = "put the data before its contents, its length following"
    FLIP_LAST_BIT = "flip its last bit"
    SET_UNUSED_BITS = "count as many last bits of the BIT STRING as unused as the data says, and set them"
    DROP_FIRST_BYTE = "leave out the first octet of its contents, its length following"
    DROP_LAST_BYTE = "leave out the last octet of its contents, its length following"
    TRUNCATE = "cut off so many of its octets as the data is long, its length staying"
    PAD_LENGTH = "write its length in one octet more than it needs"
    INDEFINITE_LENGTH = "write it with an indefinite length (X.690, 8.1.3.6)"
    MAKE_CONSTRUCTED = "write it constructed, of one segment (X.690, 8.7.3)"
    RAW_ECDSA_NUMBERS = "write the ECDSA signature in it as the two numbers alone (IEEE P1363)"
    COMPRESS_POINT = "write the elliptic curve point in it compressed (SEC 1, 2.3.3)"


@dataclass(frozen=True)
class Edit:
    """A change of one TLV: the child indices that lead to it, what is done, the octets for it.

    A path leads through BIT STRINGs and OCTET STRINGs too: what they wrap is their children.
    ``signed`` edits are made to the TBSCertificate, and signed; the others to the Certificate around
    it once it is signed.
    """

    path: tuple[int, ...]
    op: EditOp
    data: bytes = b""
    signed: bool = True


@dataclass(frozen=True)
class CertificatePlan:
    """A certificate as it will be signed: all of the TBSCertificate but the keys.

    ``issuer_id`` is the entity that signs (the own id when self-signed). Times are UTC, whole
    seconds. ``spec`` is a digest of all that is asked for, without serial, clock and keys: if it
    changes, the certificate is issued anew. ``edits`` are made to the octets, last of all.
    ``rogue_key`` names a key that belongs to nobody and signs in the issuer's place.
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
    rogue_key: str = ""
