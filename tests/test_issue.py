"""Issuance: cryptography reads the certificates that a plan describes, and verifies their signatures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkigen.asn1 import der, names
from pkigen.asn1.oids import AUTHORITY_KEY_IDENTIFIER, SUBJECT_KEY_IDENTIFIER
from pkigen.issue import issue, issue_alike, signer
from pkigen.keys import PrivateKey, key_identifier, public_key_info, to_pkcs8
from pkigen.keys.entropy import SeededEntropy
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import FreshKeys
from pkigen.model import (
    CertificatePlan,
    Edit,
    EditOp,
    Entity,
    Extension,
    Issued,
    KeyIdentifier,
    Output,
    Role,
    Signature,
)

_KEY, _ROOT_KEY, _ROGUE_KEY = (
    FreshKeys().generate(parse_kind("ec-p256"), label) for label in ("leaf", "root", "rogue")
)
_ROOT = names.name([("CN", "Root")])
_PLAN = CertificatePlan(
    issuer_id="authorities/root",
    subject=names.name([("CN", "sensor-01")]),
    issuer=_ROOT,
    serial=4711,
    not_before=datetime(2026, 1, 1, tzinfo=UTC),
    not_after=datetime(2051, 1, 1, tzinfo=UTC),
    signature=Signature("sha384"),
    extensions=(
        Extension(SUBJECT_KEY_IDENTIFIER, False, KeyIdentifier.SUBJECT),
        Extension(AUTHORITY_KEY_IDENTIFIER, True, KeyIdentifier.ISSUER),
        Extension("1.2.3.4", True, der.null()),
    ),
    spec="",
)


def _entity(role: Role, name: str, *plans: CertificatePlan) -> Entity:
    return Entity(role, name, "ec-p256", plans, (), Output())


def _issued(*plans: CertificatePlan, identifier: bytes | None = None) -> Issued:
    entity = _entity(Role.CERTIFICATE, "sensor-01", *plans)
    signers = {"authorities/root": signer(to_pkcs8(_ROOT_KEY), identifier)}
    return issue(entity, _KEY, signers, (b"chain",), None, {"rogue": _ROGUE_KEY})


def _certificate(plan: CertificatePlan, identifier: bytes | None = None) -> x509.Certificate:
    return x509.load_der_x509_certificate(_issued(plan, identifier=identifier).certificates[0])


def _root(key: PrivateKey) -> x509.Certificate:
    entity = _entity(Role.AUTHORITY, "root", replace(_PLAN, subject=_ROOT))
    return x509.load_der_x509_certificate(issue(entity, key, {}, (), None, {}).certificates[0])


def test_a_certificate_has_the_fields_of_its_plan() -> None:
    certificate = _certificate(_PLAN)
    assert certificate.version is x509.Version.v3
    assert (certificate.serial_number, certificate.subject.rfc4514_string()) == (4711, "CN=sensor-01")
    assert certificate.issuer.rfc4514_string() == "CN=Root"
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (
        _PLAN.not_before,
        _PLAN.not_after,
    )
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == "sha384"
    encoded = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert encoded == public_key_info(_KEY)
    assert [extension.critical for extension in certificate.extensions] == [False, True, True]
    assert certificate.extensions[2].value.public_bytes() == der.null()


def test_key_identifiers_are_those_of_subject_and_issuer() -> None:
    extensions = _certificate(_PLAN).extensions
    subject = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    issuer = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert isinstance(_KEY, EllipticCurvePrivateKey)
    assert subject == x509.SubjectKeyIdentifier.from_public_key(_KEY.public_key())
    assert issuer.key_identifier == key_identifier(public_key_info(_ROOT_KEY))
    assert issuer.authority_cert_serial_number is None


def test_the_issuers_own_key_identifier_replaces_the_hash() -> None:
    extensions = _certificate(_PLAN, b"own identifier").extensions
    issuer = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert issuer.key_identifier == b"own identifier"


def test_the_issuer_signs_and_a_root_signs_itself() -> None:
    root = _root(_ROOT_KEY)
    root.verify_directly_issued_by(root)
    _certificate(_PLAN).verify_directly_issued_by(root)


def test_a_rogue_key_signs_in_place_of_the_issuer_and_keeps_its_key_identifier() -> None:
    certificate = _certificate(replace(_PLAN, rogue_key="rogue"), b"identifier")
    with pytest.raises(InvalidSignature):
        certificate.verify_directly_issued_by(_root(_ROOT_KEY))
    certificate.verify_directly_issued_by(_root(_ROGUE_KEY))
    issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert issuer.key_identifier == b"identifier"


def test_a_certificate_without_extensions_has_no_list_of_them() -> None:
    certificate = _certificate(replace(_PLAN, extensions=()))
    assert len(certificate.extensions) == 0
    assert len(der.children(certificate.tbs_certificate_bytes)) == 7


def test_an_entity_has_all_its_certificates_its_key_and_its_chain() -> None:
    issued = _issued(_PLAN, replace(_PLAN, serial=1))
    serials = [x509.load_der_x509_certificate(data).serial_number for data in issued.certificates]
    assert (serials, issued.chain, issued.entity.name) == ([4711, 1], (b"chain",), "sensor-01")
    assert (issued.key, issued.public_key) == (to_pkcs8(_KEY), public_key_info(_KEY))


def test_signed_edits_come_before_the_signature_and_others_after() -> None:
    serial = Edit((1,), EditOp.REPLACE, der.integer(99))
    signed = _certificate(replace(_PLAN, edits=(serial,)))
    signed.verify_directly_issued_by(_root(_ROOT_KEY))
    unsigned = _certificate(replace(_PLAN, edits=(replace(serial, path=(0, 1), signed=False),)))
    with pytest.raises(InvalidSignature):
        unsigned.verify_directly_issued_by(_root(_ROOT_KEY))
    assert signed.serial_number == unsigned.serial_number == 99


def test_signatures_repeat_with_seeded_entropy_alone() -> None:
    entity = _entity(Role.CERTIFICATE, "sensor-01", _PLAN)
    signers = {"authorities/root": signer(to_pkcs8(_ROOT_KEY))}
    seeded = [issue(entity, _KEY, signers, (), SeededEntropy("seed"), {}).certificates for _ in range(2)]
    random = [issue(entity, _KEY, signers, (), None, {}).certificates for _ in range(2)]
    assert seeded[0] == seeded[1]
    assert random[0] != random[1]
    assert repr(signers).count("key=") == 0


def test_entities_that_are_issued_together_get_what_each_gets_alone() -> None:
    plans = [
        replace(_PLAN, serial=number, subject=names.name([("CN", f"x{number}")])) for number in (1, 2, 3)
    ]
    entities = [_entity(Role.CERTIFICATE, f"x{plan.serial}", plan) for plan in plans]
    keys = [FreshKeys().generate(parse_kind("ec-p256"), entity.name) for entity in entities]
    chains = [(bytes([number]),) for number in range(3)]
    root, entropy = signer(to_pkcs8(_ROOT_KEY), b"identifier"), SeededEntropy("seed")
    alone = [
        issue(entity, key, {"authorities/root": root}, chain, entropy, {})
        for entity, key, chain in zip(entities, keys, chains, strict=True)
    ]
    assert issue_alike(entities, keys, root, chains, entropy) == alone
    assert issue_alike(entities[:1], keys[:1], root, chains[:1], entropy) == alone[:1]
    with pytest.raises(ValueError, match="zip"):
        issue_alike(entities, keys, root, chains[:2], entropy)
