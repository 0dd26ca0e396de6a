"""Curves, sizes and sharing of keys, the digest that fits a key, and certificate policies."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from pydantic import ValidationError

from pkigen.asn1 import der, oids
from pkigen.keys.kinds import parse_kind
from pkigen.plan.placeholder import _public_key
from pkigen.requirements.demands import KINDS
from pkigen.x509 import Certificate
from tests.requirements.certificate_builder import Made, extension, name, rsa

SHA384_ECDSA = der.sequence(der.oid("1.2.840.10045.4.3.3"))
SHA256_ECDSA = der.sequence(der.oid("1.2.840.10045.4.3.2"))


def _key(kind: str) -> bytes:
    return _public_key(parse_kind(kind))


def _status(kind: str, parameters: dict[str, Any], made: Made, **around: Any) -> str:
    outcome = KINDS[kind].model_validate(parameters).check(made.check_input(**around))
    return "undecided" if outcome.undecided else str(outcome.status)


@pytest.mark.parametrize(
    ("curves", "kind", "status"),
    [
        (["P-256"], "ec-p256", "pass"),
        (["prime256v1"], "ec-p256", "pass"),
        (["secp256r1"], "ec-p256", "pass"),
        (["P-256"], "ec-brainpoolp256r1", "fail"),
        (["P-256"], "ec-secp256k1", "fail"),
        (["BrainpoolP256R1"], "ec-brainpoolp256r1", "pass"),
        (["P-256"], "ed25519", "fail"),
        (["ed25519"], "ed25519", "pass"),
        (["P-256"], "rsa-2048", "pass"),
    ],
)
def test_curves_of_the_same_size_differ_by_name(curves: list[str], kind: str, status: str) -> None:
    assert _status("public_key", {"curves": curves}, Made(key=_key(kind))) == status


@pytest.mark.parametrize(("bits", "status"), [(2048, "pass"), (2049, "fail"), (2055, "fail"), (2056, "pass")])
def test_the_size_of_a_modulus_is_a_multiple(bits: int, status: str) -> None:
    assert _status("public_key", {"multiple_of": 8}, Made(key=rsa(bits))) == status


def test_a_key_is_compared_with_those_of_the_environment() -> None:
    digest = sha256(rsa(2048)).hexdigest()
    unique = {"unique": True}
    assert _status("public_key", unique, Made(), sharing_keys={digest: 1}) == "fail"
    assert _status("public_key", unique, Made(), sharing_keys={digest: 0, "00": 1}) == "pass"
    assert _status("public_key", unique, Made()) == "undecided"


def _ca(kind: str) -> Certificate:
    certificate = Made(subject=name(("CN", "CA")), key=_key(kind)).check_input().certificate
    assert certificate is not None
    return certificate


@pytest.mark.parametrize(
    ("kind", "algorithm", "status"),
    [
        ("ec-p256", SHA256_ECDSA, "pass"),
        ("ec-p256", SHA384_ECDSA, "fail"),
        ("ec-p384", SHA384_ECDSA, "pass"),
        ("ec-p521", SHA384_ECDSA, "pass"),
        ("rsa-2048", Made().algorithm, "pass"),
    ],
)
def test_a_curve_of_the_issuer_has_its_digest(kind: str, algorithm: bytes, status: str) -> None:
    pairs = {"paired": {"P-256": "sha256", "P-384": "sha384"}}
    made = Made(algorithm=algorithm)
    assert _status("digest", pairs, made, planned_chain=(_ca(kind),)) == status
    assert _status("digest", pairs, made) == "undecided"


URI = der.sequence(der.oid(oids.PRACTICE_STATEMENT), der.string(der.IA5_STRING, "https://a.test/cps"))
NOTICE = der.sequence(der.oid(oids.USER_NOTICE), der.sequence())
BASIC, FURTHER = "2.23.140.1.2.1", "1.2.3.4"


def _policies(*policies: str, qualifier: bytes = b"") -> Made:
    parts = [
        der.sequence(der.oid(oid), *([der.sequence(qualifier)] if qualifier else [])) for oid in policies
    ]
    return Made(extensions=(extension(oids.CERTIFICATE_POLICIES, der.sequence(*parts)),))


@pytest.mark.parametrize(
    ("parameters", "made", "status"),
    [
        ({"contains": [BASIC, FURTHER]}, _policies(FURTHER, BASIC), "pass"),
        ({"contains": [BASIC, FURTHER]}, _policies(BASIC), "fail"),
        ({"contains": [BASIC]}, Made(), "fail"),
        ({"contains": [BASIC], "others": "forbidden"}, _policies(BASIC), "pass"),
        ({"contains": [BASIC], "others": "forbidden"}, _policies(BASIC, FURTHER), "fail"),
        (
            {"contains": [FURTHER], "exactly_one_of": [BASIC], "others": "forbidden"},
            _policies(BASIC, FURTHER),
            "pass",
        ),
        ({"qualifiers": "forbidden"}, _policies(BASIC), "pass"),
        ({"qualifiers": "forbidden"}, _policies(BASIC, qualifier=URI), "fail"),
        ({"cps_uri": True}, _policies(BASIC, qualifier=URI), "pass"),
        ({"cps_uri": True}, _policies(BASIC, qualifier=NOTICE), "fail"),
        ({"cps_uri": True}, _policies(BASIC), "fail"),
        ({"cps_uri": True}, Made(), "fail"),
    ],
)
def test_policies_and_their_qualifiers(parameters: dict[str, Any], made: Made, status: str) -> None:
    assert _status("certificate_policies", parameters, made) == status


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("public_key", {}, "no condition given; set at least one of families"),
        ("public_key", {"minimum": {"rsa": 4096}, "maximum": {"rsa": 2048}}, "'minimum' of rsa is more than"),
        ("public_key", {"families": ["rsa"], "curves": ["P-256"]}, "'curves' contradicts 'families'"),
        ("public_key", {"curves": ["P-257"]}, "no such curve: 'P-257' (did you mean 'P-25"),
        ("digest", {"allowed": ["sha256"], "paired": {"P-384": "sha384"}}, "'paired' needs sha384"),
        ("digest", {"allowed": ["sha1"], "forbidden": ["sha1"]}, "sha1 cannot be allowed and forbidden"),
        ("certificate_policies", {"contains": [BASIC], "forbidden": [BASIC]}, "demanded and forbidden"),
        ("certificate_policies", {"cps_uri": True, "qualifiers": "forbidden"}, "'cps_uri' contradicts"),
        (
            "certificate_policies",
            {"contains": [BASIC, FURTHER], "exactly_one_of": [BASIC, FURTHER]},
            "more than one policy of 'exactly_one_of'",
        ),
    ],
)
def test_contradictory_fields_are_rejected(kind: str, parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KINDS[kind].model_validate(parameters)
    assert words in str(caught.value)
