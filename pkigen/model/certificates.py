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
    digest). ``bare_digest_info`` omits the NULL in the DigestInfo of an RSA signature; ``own_generator``
    signs with the private key 1 on a curve whose generator is the public key of the EC key.
    """

    digest: str = ""
    pss: bool = False
    salt: int | None = field(default=None, repr=False)
    mask: str = field(default="", repr=False)
    bare_digest_info: bool = field(default=False, repr=False)
    own_generator: bool = field(default=False, repr=False)


class EditOp(StrEnum):
    """The operation on one element of a structure, with the data of the edit."""

    REPLACE = "replaced by the data"
    REMOVE = "removed"
    INSERT = "data inserted before it"
    APPEND = "data appended after it"
    RETAG = "tag replaced by the first byte of the data"
    REPLACE_CONTENTS = "contents replaced by the data"
    PREPEND_CONTENTS = "data inserted at the start of the contents, length adjusted"
    FLIP_LAST_BIT = "last bit inverted"
    SET_UNUSED_BITS = (
        "number of unused bits set to the data, these bits set to 1, and the one before them inverted"
    )
    DROP_FIRST_BYTE = "first byte of the contents removed, length adjusted"
    DROP_LAST_BYTE = "last byte of the contents removed, length adjusted"
    TRUNCATE = "truncated by the size of the data, length unchanged"
    PAD_LENGTH = "length encoded with one byte more than necessary"
    INDEFINITE_LENGTH = "encoded with indefinite length (X.690, 8.1.3.6)"
    MAKE_CONSTRUCTED = "encoded as constructed with one segment (X.690, 8.7.3)"
    RAW_ECDSA_NUMBERS = "ECDSA signature encoded as two raw numbers (IEEE P1363)"
    ZERO_CONTENTS = "every byte of the contents replaced by 0"
    HYBRID_POINT = "elliptic curve point encoded in the hybrid form (X9.62, 4.3.6)"
    OWN_GENERATOR = "public key with the curve parameters of the data and itself as the generator"
    FORGE_EXPONENT_3 = "signature replaced by a cube root that begins with the right digest"
    COMPRESS_POINT = "elliptic curve point compressed (SEC 1, 2.3.3)"


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
