"""Verification of signatures: each verifies with its own key, over its own bytes, and with nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pkigen.asn1 import der
from pkigen.keys import PrivateKey, public_key_info
from pkigen.keys.kinds import parse_kind
from pkigen.keys.signing import algorithm_of, sign
from pkigen.keys.sources import SeededKeys
from pkigen.keys.verify import Verdict, is_supported, may_be_self_signed, verdict_of
from pkigen.model import Signature
from pkigen.x509 import AlgorithmIdentifier, Certificate

_DATA = b"to be signed"
_BEGIN, _END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
_KINDS = ("rsa-1024", "ec-p256", "ed25519", "ed448", "ml-dsa-44", "dsa-2048", "slh-dsa-sha2-128f")
_SIGNATURES = [
    *((kind, Signature()) for kind in _KINDS),
    *(("rsa-1024", Signature(digest)) for digest in ("md5", "sha1", "sha384")),
    ("ec-p256", Signature("sha512")),
    *(("rsa-1024", Signature(digest, pss=True)) for digest in ("sha1", "sha256")),
    ("rsa-1024", Signature("sha256", pss=True, salt=0)),
    ("rsa-1024", Signature("sha256", pss=True, mask="sha1")),
    ("rsa-1024", Signature("sha1", pss=True, mask="sha384")),
]


@cache
def _key(kind: str, owner: str = "one") -> PrivateKey:
    return SeededKeys("x").generate(parse_kind(kind), owner)


def _algorithm(kind: str, signature: Signature) -> AlgorithmIdentifier:
    oid, *parameters = der.children(algorithm_of(parse_kind(kind), signature))
    return AlgorithmIdentifier(der.dotted(oid), parameters[0] if parameters else None)


@pytest.mark.parametrize(("kind", "signature"), _SIGNATURES, ids=str)
def test_a_signature_verifies_with_its_key_over_its_bytes_only(kind: str, signature: Signature) -> None:
    algorithm, value = _algorithm(kind, signature), sign(_key(kind), _DATA, signature)
    own = public_key_info(_key(kind))
    assert verdict_of(_DATA, algorithm, value, own) is Verdict.GOOD
    assert verdict_of(_DATA + b".", algorithm, value, own) is Verdict.BAD
    assert verdict_of(_DATA, algorithm, value[:-1] + bytes((value[-1] ^ 1,)), own) is Verdict.BAD
    for other in _KINDS:
        stranger = public_key_info(_key(other, "other"))
        assert verdict_of(_DATA, algorithm, value, stranger) is Verdict.BAD


@pytest.mark.parametrize("mask", ["sha1", "sha256"])
def test_the_mask_of_a_pss_signature_must_be_the_stated_one(mask: str) -> None:
    stated, used = (Signature("sha384", pss=True, mask=one) for one in (mask, "sha512"))
    value = sign(_key("rsa-1024"), _DATA, used)
    own = public_key_info(_key("rsa-1024"))
    assert verdict_of(_DATA, _algorithm("rsa-1024", stated), value, own) is Verdict.BAD


def test_what_is_not_supported_is_neither_good_nor_bad() -> None:
    own, value = public_key_info(_key("ec-p256")), sign(_key("ec-p256"), _DATA, Signature())
    unknown = AlgorithmIdentifier("1.2.3.4", None)
    assert verdict_of(_DATA, unknown, value, own) is Verdict.UNKNOWN
    curve = bytes.fromhex("06082a8648ce3d030107")
    other_curve = own.replace(curve, curve[:-1] + b"\x63")
    assert verdict_of(_DATA, _algorithm("ec-p256", Signature()), value, other_curve) is Verdict.UNKNOWN
    assert [is_supported(one) for one in (own, other_curve, b"", b"\x30\x00")] == [True, False, False, False]


def test_a_huge_rsa_key_is_not_used() -> None:
    modulus = der.sequence(der.integer(1 << 20_000 | 1), der.integer(65537))
    algorithm = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
    huge = der.sequence(algorithm, der.bit_string(modulus))
    signature = _algorithm("rsa-1024", Signature())
    assert verdict_of(_DATA, signature, b"\x01" * 2500, huge) is Verdict.UNKNOWN


def _self_issued(signer: str, authority: str | None, own: str | None = "one") -> Certificate:
    """Return a certificate of the key "one" whose issuer has its name; the arguments name keys."""
    keys = {name: ec.derive_private_key(len(name), ec.SECP256R1()) for name in ("one", "other")}
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test")])
    builder = x509.CertificateBuilder(name, name, keys["one"].public_key(), 1, _BEGIN, _END)
    if authority is not None:
        identifier = x509.SubjectKeyIdentifier.from_public_key(keys[authority].public_key())
        stated = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        builder = builder.add_extension(stated, False)
    if own is not None:
        identifier = x509.SubjectKeyIdentifier.from_public_key(keys[own].public_key())
        builder = builder.add_extension(identifier, False)
    return Certificate(builder.sign(keys[signer], hashes.SHA256()).public_bytes(Encoding.DER))


def test_a_self_issued_certificate_may_be_self_signed_unless_it_states_another_key() -> None:
    assert may_be_self_signed(_self_issued("one", None))
    assert may_be_self_signed(_self_issued("one", "one"))
    assert not may_be_self_signed(_self_issued("other", "other"))


def test_the_signature_decides_if_the_stated_key_is_another_one() -> None:
    assert may_be_self_signed(_self_issued("one", "other"))
    assert may_be_self_signed(_self_issued("one", "one", "other"))


def test_a_wrong_signature_alone_does_not_make_a_root_another_kind_of_certificate() -> None:
    assert may_be_self_signed(_self_issued("other", "one"))
    assert may_be_self_signed(_self_issued("other", None))
    assert may_be_self_signed(_self_issued("other", "other", None))
