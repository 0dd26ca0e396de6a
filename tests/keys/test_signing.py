"""Signatures: cryptography verifies them, and seeded ones repeat."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa

from pkigen.keys.entropy import SeededEntropy
from pkigen.keys.kinds import KeyKind, digest_of, parse_kind, refusal
from pkigen.keys.signing import DIGESTS, sign
from pkigen.keys.sources import SeededKeys
from pkigen.model import Signature

_MESSAGE = b"to be signed"
_KINDS = ["rsa-1024", "rsa-1025", "ec-p256", "ec-p384", "ec-p521", "ed25519", "ed448"]
_KINDS += ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87"]


def _verify(kind: KeyKind, public: object, value: bytes, signature: Signature) -> None:
    digest = DIGESTS.get(digest_of(kind, signature), DIGESTS["sha256"])
    if isinstance(public, rsa.RSAPublicKey):
        scheme = (
            padding.PSS(padding.MGF1(digest), digest.digest_size) if signature.pss else padding.PKCS1v15()
        )
        public.verify(value, _MESSAGE, scheme, digest)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(value, _MESSAGE, ec.ECDSA(digest))
    else:
        pure = ed25519.Ed25519PublicKey | ed448.Ed448PublicKey | mldsa.MLDSA44PublicKey
        assert isinstance(public, pure | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey)
        public.verify(value, _MESSAGE)


@pytest.mark.parametrize("seeded", [False, True])
@pytest.mark.parametrize("name", _KINDS)
def test_a_signature_of_every_kind_verifies(name: str, seeded: bool) -> None:
    kind = parse_kind(name)
    key = SeededKeys("x").generate(kind, "owner")
    signatures = [Signature(), Signature("sha1"), Signature("sha384"), Signature("md5")]
    signatures += [Signature("", True), Signature("sha1", True)]
    entropy = SeededEntropy("x") if seeded else None
    signed = 0
    for signature in signatures:
        if refusal(kind, signature) is None:
            value = sign(key, _MESSAGE, signature, entropy)
            _verify(kind, key.public_key(), value, signature)
            signed += 1
            if seeded:
                assert sign(key, _MESSAGE, signature, entropy) == value
    assert signed >= 3


@pytest.mark.parametrize(
    ("name", "signature", "words"),
    [
        ("ec-p256", Signature("", True), "RSA-PSS is for RSA"),
        ("ec-p256", Signature("md5"), "no ECDSA with md5"),
        ("rsa-2048", Signature("md5", True), "no RSA-PSS with md5"),
        ("rsa-512", Signature("sha512"), "too short"),
        ("rsa-512", Signature("sha256", True), "too short"),
    ],
)
def test_a_scheme_that_a_key_cannot_use_is_rejected_with_a_reason(
    name: str, signature: Signature, words: str
) -> None:
    assert words in (refusal(parse_kind(name), signature) or "")
