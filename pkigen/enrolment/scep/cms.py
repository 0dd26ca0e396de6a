"""SignedData and EnvelopedData of SCEP messages (RFC 5652).

cryptography's PKCS#7 functions cannot sign attributes, return them, or use Triple DES, all of which SCEP
needs: its asn1 module decodes the structures, its primitives encrypt and sign.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, Explicit, Implicit, SetOf
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pkigen.asn1 import ber, der, oids
from pkigen.enrolment.decode import Undecodable, decode, dotted, raw
from pkigen.errors import panics_as_errors
from pkigen.keys.signing import sign
from pkigen.keys.verify import Verdict, verdict_of
from pkigen.model import Signature
from pkigen.x509 import AlgorithmIdentifier, Certificate, Malformed

_DATA, _SIGNED_DATA, _ENVELOPED_DATA = (f"1.2.840.113549.1.7.{number}" for number in (1, 2, 3))
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_RSA = "1.2.840.113549.1.1.1"
_ISSUER_AND_SERIAL = der.SEQUENCE
_RSA_SIGNATURES = {
    "sha1": _RSA[:-1] + "5",
    "sha224": _RSA[:-1] + "14",
    "sha256": _RSA[:-1] + "11",
    "sha384": _RSA[:-1] + "12",
    "sha512": _RSA[:-1] + "13",
}


@asn1.sequence
class _ContentInfo:
    content_type: TLV
    content: Annotated[TLV, Explicit(0)]


@asn1.sequence
class _EncapsulatedContent:
    content_type: TLV
    content: Annotated[bytes | None, Explicit(0)]


@asn1.sequence
class _SignerInfo:
    version: int
    identifier: TLV
    digest_algorithm: list[TLV]
    signed_attributes: Annotated[list[TLV] | None, Implicit(0)]
    signature_algorithm: list[TLV]
    signature: bytes
    unsigned_attributes: Annotated[list[TLV] | None, Implicit(1)]


@asn1.sequence
class _SignedData:
    version: int
    digest_algorithms: SetOf[TLV]
    content: _EncapsulatedContent
    certificates: Annotated[list[TLV] | None, Implicit(0)]
    crls: Annotated[list[TLV] | None, Implicit(1)]
    signers: SetOf[_SignerInfo]


@asn1.sequence
class _Attribute:
    kind: TLV
    values: SetOf[TLV]


@asn1.sequence
class _Recipient:
    version: int
    identifier: TLV
    algorithm: list[TLV]
    key: bytes


@asn1.sequence
class _EncryptedContent:
    content_type: TLV
    algorithm: list[TLV]
    content: Annotated[bytes | None, Implicit(0)]


@asn1.sequence
class _EnvelopedData:
    version: int
    originator: Annotated[list[TLV] | None, Implicit(0)]
    recipients: SetOf[TLV]
    content: _EncryptedContent
    attributes: Annotated[list[TLV] | None, Implicit(1)]


class BadSignature(ValueError):
    """A signature that does not verify, or with an unsupported algorithm."""


class BadEncryption(ValueError):
    """Content that cannot be decrypted."""


@dataclass(frozen=True)
class Signed:
    """A verified SignedData: the content, the signer, and the signed attributes (values in DER) by OID."""

    content: bytes
    signer: Certificate
    attributes: Mapping[str, bytes]
    digest: str


@dataclass(frozen=True)
class ContentCipher:
    """A content encryption algorithm in CBC mode."""

    oid: str
    key_size: int
    algorithm: Callable[[bytes], CipherAlgorithm]
    block_size: int


_AES = "2.16.840.1.101.3.4.1."
AES_128, AES_192, AES_256 = (
    ContentCipher(_AES + number, size, AES, 16) for number, size in (("2", 16), ("22", 24), ("42", 32))
)
TRIPLE_DES = ContentCipher("1.2.840.113549.3.7", 24, TripleDES, 8)
DES = ContentCipher("1.3.14.3.2.7", 8, lambda key: TripleDES(key * 3), 8)
"""Only for faulty responses."""
_CIPHERS = {one.oid: one for one in (AES_128, AES_192, AES_256, TRIPLE_DES)}


def read_signed(data: bytes) -> Signed:
    """Return a message with one signer, whose certificate it contains; Undecodable or BadSignature."""
    signed = decode(_SignedData, _content(data, _SIGNED_DATA))
    signers = signed.signers.as_list()
    if len(signers) != 1:
        raise Undecodable("the message does not have one signer")
    (signer,) = signers
    digest = oids.DIGESTS.get(_oid(signer.digest_algorithm))
    if digest is None or digest not in _RSA_SIGNATURES:
        raise BadSignature("the digest algorithm is not SHA-1 or SHA-2")
    certificate = _certificate_of(signer, signed.certificates or [])
    parts = list(map(raw, signer.signed_attributes or ()))
    attributes = _attributes(parts)
    content = signed.content.content or b""
    hashed = hashlib.new(digest, content, usedforsecurity=False).digest()
    if not hmac.compare_digest(attributes.get(_MESSAGE_DIGEST, b""), der.octet_string(hashed)):
        raise BadSignature("the digest of the content differs from the signed one")
    algorithm = AlgorithmIdentifier(_oid(signer.signature_algorithm), None)
    if algorithm.oid == _RSA:
        algorithm = AlgorithmIdentifier(_RSA_SIGNATURES[digest], None)
    elif len(signer.signature_algorithm) > 1:
        algorithm = AlgorithmIdentifier(algorithm.oid, raw(signer.signature_algorithm[1]))
    public_key = certificate.subject_public_key_info
    octets = der.tlv(der.SET, *parts)
    if verdict_of(octets, algorithm, signer.signature, public_key) is not Verdict.GOOD:
        raise BadSignature("the signature does not verify with the signer's certificate")
    return Signed(content, certificate, attributes, digest)


def _content(data: bytes, kind: str) -> bytes:
    """Return the content of a ContentInfo of a type."""
    try:
        info = decode(_ContentInfo, ber.definite(data))
        if dotted(info.content_type) != kind:
            raise Undecodable("the ContentInfo has another type")
        return raw(info.content)
    except (ValueError, IndexError) as error:
        raise Undecodable(f"the message is not CMS: {error}") from error


def _oid(algorithm: list[TLV]) -> str:
    if not algorithm:
        raise Undecodable("an AlgorithmIdentifier is empty")
    return dotted(algorithm[0])


def _certificate_of(signer: _SignerInfo, certificates: list[TLV]) -> Certificate:
    identifier = raw(signer.identifier)
    for one in certificates:
        try:
            certificate = Certificate(raw(one))
            if identifier in (_issuer_and_serial(certificate), _key_identifier(certificate)):
                return certificate
        except Malformed:
            continue
    raise Undecodable("the message does not contain the signer's certificate")


def _issuer_and_serial(certificate: Certificate) -> bytes:
    return der.sequence(certificate.issuer_der, der.tlv(der.INTEGER, certificate.serial_bytes))


def _key_identifier(certificate: Certificate) -> bytes:
    return der.tlv(0x80, certificate.extensions.subject_key_identifier or b"")


def _attributes(parts: list[bytes]) -> dict[str, bytes]:
    attributes = dict[str, bytes]()
    for part in parts:
        attribute = decode(_Attribute, part)
        values = attribute.values.as_list()
        if values:
            attributes[dotted(attribute.kind)] = raw(values[0])
    return attributes


def signed_message(
    content: bytes,
    certificate: bytes,
    key: rsa.RSAPrivateKey,
    attributes: Mapping[str, bytes],
    digest: str,
) -> bytes:
    """Return SignedData with signed attributes (values in DER, by OID) and the signer's certificate."""
    hashed = hashlib.new(digest, content, usedforsecurity=False).digest()
    pairs = {_CONTENT_TYPE: der.oid(_DATA), _MESSAGE_DIGEST: der.octet_string(hashed), **attributes}
    parts = sorted(der.sequence(der.oid(oid), der.set_of(value)) for oid, value in pairs.items())
    (digest_oid,) = (oid for oid, name in oids.DIGESTS.items() if name == digest)
    digest_algorithm = der.sequence(der.oid(digest_oid), der.null())
    scheme = Signature(digest)
    signer = der.sequence(
        der.integer(1),
        _issuer_and_serial(Certificate(certificate)),
        digest_algorithm,
        der.tlv(0xA0, *parts),
        # Not the OID with the digest: strongSwan 5.9.8 accepts only this one (RFC 3370, 3.2).
        der.sequence(der.oid(_RSA), der.null()),
        der.octet_string(sign(key, der.tlv(der.SET, *parts), scheme)),
    )
    signed = der.sequence(
        der.integer(1),
        der.set_of(digest_algorithm),
        # Empty instead of absent: OpenSSL, and so certmonger, takes that for a detached signature.
        der.sequence(der.oid(_DATA), der.explicit(0, der.octet_string(content))),
        der.tlv(0xA0, certificate),
        der.set_of(signer),
    )
    return der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, signed))


def decrypt(data: bytes, certificate: bytes, key: rsa.RSAPrivateKey) -> tuple[bytes, ContentCipher]:
    """Return the content of EnvelopedData for a recipient, and its cipher; Undecodable or BadEncryption."""
    enveloped = decode(_EnvelopedData, _content(data, _ENVELOPED_DATA))
    recipient = _recipient(enveloped, certificate)
    if recipient is None:
        raise BadEncryption("the message is not encrypted to the server's certificate; see GetCACert")
    algorithm = enveloped.content.algorithm
    cipher = _CIPHERS.get(_oid(algorithm))
    if cipher is None or len(algorithm) < 2:
        raise BadEncryption("the content is not encrypted with AES or Triple DES in CBC mode")
    if _oid(recipient.algorithm) != _RSA:
        raise BadEncryption("the key is not encrypted with RSA PKCS#1 v1.5")
    vector = bytes(algorithm[1].data)
    try:
        secret = key.decrypt(recipient.key, padding.PKCS1v15())
        if len(secret) != cipher.key_size:
            raise BadEncryption("the content cannot be decrypted")
        decryptor = Cipher(cipher.algorithm(secret), modes.CBC(vector)).decryptor()
        padded = decryptor.update(enveloped.content.content or b"") + decryptor.finalize()
        unpadder = PKCS7(cipher.block_size * 8).unpadder()
        return unpadder.update(padded) + unpadder.finalize(), cipher
    except ValueError as error:
        raise BadEncryption("the content cannot be decrypted") from error


def is_recipient(data: bytes, certificate: bytes) -> bool:
    """Return whether EnvelopedData is encrypted to a certificate; Undecodable if it is something else."""
    enveloped = decode(_EnvelopedData, _content(data, _ENVELOPED_DATA))
    return _recipient(enveloped, certificate) is not None


def _recipient(enveloped: _EnvelopedData, certificate: bytes) -> _Recipient | None:
    own = Certificate(certificate)
    identifiers = (_issuer_and_serial(own), _key_identifier(own))
    recipients = (decode(_Recipient, raw(part)) for part in enveloped.recipients.as_list())
    return next((one for one in recipients if raw(one.identifier) in identifiers), None)


def encrypt(content: bytes, recipient: Certificate, cipher: ContentCipher) -> bytes:
    """Return EnvelopedData for a certificate with an RSA key; BadEncryption for another key."""
    try:
        with panics_as_errors():
            public_key = load_der_public_key(recipient.subject_public_key_info)
    except ValueError as error:
        raise BadEncryption("the key of the signer's certificate cannot be read") from error
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise BadEncryption("the signer's certificate has no RSA key, so the response cannot be encrypted")
    secret, vector = secrets.token_bytes(cipher.key_size), secrets.token_bytes(cipher.block_size)
    padder = PKCS7(cipher.block_size * 8).padder()
    encryptor = Cipher(cipher.algorithm(secret), modes.CBC(vector)).encryptor()
    padded = padder.update(content) + padder.finalize()
    encrypted_key = der.sequence(
        der.integer(0),
        _issuer_and_serial(recipient),
        der.sequence(der.oid(_RSA), der.null()),
        der.octet_string(public_key.encrypt(secret, padding.PKCS1v15())),
    )
    encrypted = der.sequence(
        der.oid(_DATA),
        der.sequence(der.oid(cipher.oid), der.octet_string(vector)),
        der.tlv(0x80, encryptor.update(padded) + encryptor.finalize()),
    )
    enveloped = der.sequence(der.integer(0), der.set_of(encrypted_key), encrypted)
    return der.sequence(der.oid(_ENVELOPED_DATA), der.explicit(0, enveloped))
