"""The ASN.1 of CMP and CRMF messages (RFC 9810, appendix F; RFC 4211), for decoding.

Elements whose bytes matter, such as those under a signature, stay ``TLV``. AlgorithmIdentifier and
InfoTypeAndValue are SEQUENCEs with an optional element of any type, which ``list[TLV]`` accepts.
"""

from __future__ import annotations

from typing import Annotated, Literal

from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, BitString, Explicit, GeneralizedTime, Implicit, Variant


@asn1.sequence
class PkiMessage:
    """PKIMessage."""

    header: TLV
    body: TLV
    protection: Annotated[BitString | None, Explicit(0)]
    extra_certificates: Annotated[list[TLV] | None, Explicit(1)]


@asn1.sequence
class PkiHeader:
    """PKIHeader."""

    version: int
    sender: TLV
    recipient: TLV
    message_time: Annotated[GeneralizedTime | None, Explicit(0)]
    protection_algorithm: Annotated[list[TLV] | None, Explicit(1)]
    sender_key_identifier: Annotated[bytes | None, Explicit(2)]
    recipient_key_identifier: Annotated[bytes | None, Explicit(3)]
    transaction_id: Annotated[bytes | None, Explicit(4)]
    sender_nonce: Annotated[bytes | None, Explicit(5)]
    recipient_nonce: Annotated[bytes | None, Explicit(6)]
    free_text: Annotated[list[TLV] | None, Explicit(7)]
    general_info: Annotated[list[list[TLV]] | None, Explicit(8)]


@asn1.sequence
class PublicKeyInfo:
    """SubjectPublicKeyInfo."""

    algorithm: TLV
    key: BitString


@asn1.sequence
class OptionalValidity:
    """OptionalValidity: each limit is a Time."""

    not_before: Annotated[list[TLV] | None, Implicit(0)]
    not_after: Annotated[list[TLV] | None, Implicit(1)]


@asn1.sequence
class CertTemplate:
    """CertTemplate: the fields of a certificate, each optional."""

    version: Annotated[int | None, Implicit(0)]
    serial_number: Annotated[int | None, Implicit(1)]
    signing_algorithm: Annotated[list[TLV] | None, Implicit(2)]
    issuer: Annotated[list[TLV] | None, Explicit(3)]
    validity: Annotated[OptionalValidity | None, Implicit(4)]
    subject: Annotated[list[TLV] | None, Explicit(5)]
    public_key: Annotated[PublicKeyInfo | None, Implicit(6)]
    issuer_unique_id: Annotated[BitString | None, Implicit(7)]
    subject_unique_id: Annotated[BitString | None, Implicit(8)]
    extensions: Annotated[list[TLV] | None, Implicit(9)]


@asn1.sequence
class CertRequest:
    """CertRequest."""

    identifier: int
    template: CertTemplate
    controls: list[list[TLV]] | None


@asn1.sequence
class SigningKeyProof:
    """POPOSigningKey; ``input`` is present only if the template has no subject or no key."""

    input: Annotated[list[TLV] | None, Implicit(0)]
    algorithm: TLV
    signature: BitString


Possession = (
    Annotated[Variant[asn1.Null, Literal["raVerified"]], Implicit(0)]
    | Annotated[Variant[SigningKeyProof, Literal["signature"]], Implicit(1)]
    | Annotated[Variant[TLV, Literal["keyEncipherment"]], Explicit(2)]
    | Annotated[Variant[TLV, Literal["keyAgreement"]], Explicit(3)]
)
"""ProofOfPossession."""


@asn1.sequence
class CertReqMsg:
    """CertReqMsg; ``request`` is a CertRequest, whose bytes the proof of possession signs."""

    request: TLV
    possession: Possession | None
    registration_info: list[TLV] | None


@asn1.sequence
class StatusInfo:
    """PKIStatusInfo."""

    status: int
    texts: list[TLV] | None
    failure: BitString | None


@asn1.sequence
class CertStatus:
    """CertStatus of a certConf message."""

    certificate_hash: bytes
    request_id: int
    status: StatusInfo | None
    hash_algorithm: Annotated[list[TLV] | None, Explicit(0)]


@asn1.sequence
class RevocationDetails:
    """RevDetails."""

    template: CertTemplate
    entry_extensions: list[TLV] | None


@asn1.sequence
class CertId:
    """CertId of the control oldCertId; the issuer is a GeneralName."""

    issuer: TLV
    serial_number: int


@asn1.sequence
class PollRequest:
    """One element of PollReqContent."""

    request_id: int


@asn1.sequence
class PbmParameter:
    """PBMParameter of the password-based MAC."""

    salt: bytes
    digest: list[TLV]
    iterations: int
    mac: list[TLV]


@asn1.sequence
class Pbmac1Parameters:
    """PBMAC1-params (RFC 8018, A.5)."""

    derivation: list[TLV]
    mac: list[TLV]


@asn1.sequence
class Pbkdf2Parameters:
    """PBKDF2-params (RFC 8018, A.2), with a salt in the message."""

    salt: bytes
    iterations: int
    key_length: int | None
    prf: list[TLV] | None
