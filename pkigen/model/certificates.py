"""The parts of a planned certificate: names, extensions, signatures, and edits of the encoded bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum


@dataclass(frozen=True)
class Attribute:
    """One AttributeTypeAndValue (RFC 5280, 4.1.2.4); ``tag`` is the ASN.1 tag of the string type.

    A ``value`` of type bytes is written unchanged as the contents, for values that are not valid strings.
    """

    oid: str
    value: str | bytes
    tag: int


Name = tuple[tuple[Attribute, ...], ...]
"""An RDNSequence: relative distinguished names in order, each a set of attributes."""


class KeyIdentifier(Enum):
    """Extension values that depend on a key; issuing fills them in."""

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
    """The signature algorithm of a signer; an empty ``digest`` selects the default digest of the key.

    Keys with a built-in digest (EdDSA, ML-DSA) ignore it. ``pss`` applies only to RSA, with a ``salt``
    length in bytes (None: the length of the digest) and ``mask``, the digest of MGF1 (empty: the same
    digest).
    """

    digest: str = ""
    pss: bool = False
    salt: int | None = field(default=None, repr=False)
    mask: str = field(default="", repr=False)


class EditOp(StrEnum):
    """The operation on one element of a structure, with the data of the edit."""

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
    """A change of one TLV: the child indices that lead to it, the operation, and the bytes to insert.

    A path also passes through BIT STRINGs and OCTET STRINGs: their children are the TLVs that they wrap. A
    ``signed`` edit changes the TBSCertificate before it is signed; every other edit changes the signed
    Certificate.
    """

    path: tuple[int, ...]
    op: EditOp
    data: bytes = b""
    signed: bool = True


@dataclass(frozen=True)
class CertificatePlan:
    """A certificate to sign: all of the TBSCertificate except the keys.

    ``issuer_id`` is the entity that signs (the own id when self-signed). Times are UTC, in whole seconds.
    ``spec`` is a digest of all requested fields, without serial number, clock and keys; a changed digest
    causes a reissue. ``edits`` change the encoded bytes, as the last step. ``rogue_key`` names a key that
    belongs to no entity and signs instead of the issuer's key.
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
