"""Plans of single entities: hosts, CRLs, times, and what consecutive certificates share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pkigen.asn1 import der, oids
from pkigen.keys.kinds import parse_kind
from pkigen.model import Entity
from pkigen.plan import Plan, plan
from pkigen.plan.digest import changed_parts
from pkigen.plan.placeholder import placeholder, planned
from pkigen.plan.random_faults import planned_case
from pkigen.profile import load
from pkigen.x509 import Certificate

_NOW = datetime(2026, 11, 1, tzinfo=UTC)


def _plan(certificates: dict[str, Any], **authority: Any) -> Plan:
    authorities = {"root": {}, "ca": {"issuer": "root", **authority}, "lister": {"issuer": "root"}}
    document = {
        "name": "entities",
        "base_url": "http://pki.test",
        "defaults": {"key": "ec-p256"},
        "authorities": authorities,
        "certificates": certificates,
    }
    return plan(load(document), _NOW, lambda *_: 7)


def _entities(certificates: dict[str, Any], **authority: Any) -> list[Entity]:
    return list(_plan(certificates, **authority).certificates())


def _values(entity: Entity) -> dict[str, object]:
    return {one.oid: one.value for one in entity.certificates[0].extensions}


def test_consecutive_certificates_have_their_own_hosts() -> None:
    names = {"issuer": "ca", "san": ["dns:x.test"]}
    certificates = {
        "a.test": {"issuer": "ca"},
        "b.test": {"issuer": "ca"},
        "r-{1..2}": names,
        "c.test": {"issuer": "ca"},
    }
    entities = _entities(certificates)
    expected = [("a.test",), ("b.test",), ("x.test",), ("x.test",), ("c.test",)]
    assert [entity.hosts for entity in entities] == expected


def test_members_of_a_range_share_what_does_not_differ() -> None:
    fields = {"san": ["dns:x.test"], "subject": {"CN": "x"}, "policies": ["1.2.3.4"]}
    first, second = _entities({"r-{1..2}": {"issuer": "ca", **fields}})
    assert first.hosts is second.hosts
    extensions = first.certificates[0].extensions, second.certificates[0].extensions
    assert all(one is other for one, other in zip(*extensions, strict=True))


@pytest.mark.parametrize(
    ("authority", "points", "freshest"),
    [
        ({}, [b"http://pki.test/crl/ca.crl"], []),
        ({"crl": "none"}, [], []),
        ({"crl": {"issuer": "lister"}}, [b"http://pki.test/crl/lister/indirect.crl"], []),
        ({"crl": {"delta": "1d"}}, [b"http://pki.test/crl/ca.crl"], [b"http://pki.test/crl/ca/delta.crl"]),
    ],
)
def test_a_certificate_has_the_crl_urls_of_its_issuer(
    authority: dict[str, Any], points: list[bytes], freshest: list[bytes]
) -> None:
    issued, self_signed = _entities({"a.test": {"issuer": "ca"}, "s.test": {"issuer": "self"}}, **authority)
    for oid, urls in ((oids.CRL_DISTRIBUTION_POINTS, points), (oids.FRESHEST_CRL, freshest)):
        value = _values(issued).get(oid)
        assert (value is None) is (not urls)
        assert all(isinstance(value, bytes) and value.count(b"http") == 1 and url in value for url in urls)
        assert oid not in _values(self_signed)


def test_an_authority_that_delegates_its_crl_names_the_other_one() -> None:
    root, ca, lister = _plan({}, crl={"issuer": "lister", "valid": "2d"}).authorities
    assert ca.crl is not None
    assert lister.crl is not None
    assert root.crl is not None
    assert (ca.crl.indirect_crl_issuer, ca.crl.lifetime) == ("authorities/lister", 2 * 86400)
    assert [part.name for part in lister.crl.parts] == ["indirect"]
    assert (root.crl.indirect_crl_issuer, root.crl.parts, root.crl.lifetime) == ("", (), 7 * 86400)


def test_only_rsa_keys_encipher_keys_by_default() -> None:
    rsa, ec = _entities({"r": {"issuer": "ca", "key": "rsa-2048"}, "e": {"issuer": "ca"}})
    usages = [_values(entity)[oids.KEY_USAGE] for entity in (rsa, ec)]
    assert usages == [b"\x03\x02\x05\xa0", b"\x03\x02\x07\x80"]


def test_a_changed_extension_is_named_by_its_title() -> None:
    before, now = (
        _entities({"a": {"issuer": "ca", "key_usage": [usage]}})[0].certificates[0].spec
        for usage in ("digitalSignature", "keyAgreement")
    )
    assert changed_parts(before, now) == ("key usage",)
    assert changed_parts(before, before) == ()


@pytest.mark.parametrize(
    "kind", ["rsa-2048", "rsa-3072", "ec-p256", "ec-p384", "ec-p521", "ed25519", "ed448"]
)
def test_a_placeholder_has_the_kind_and_the_size_of_the_key(kind: str) -> None:
    (entity,) = _entities({"a": {"issuer": "ca"}})
    certificate = placeholder(entity.certificates[0], kind, "ec-p256")
    known = parse_kind(kind)
    fields = list(der.children(certificate.subject_public_key_info))
    if known.family == "ec":
        assert len(der.contents(fields[1])) == 2 + 2 * ((known.size + 7) // 8)
    if known.family == "rsa":
        modulus = next(iter(der.children(der.contents(fields[1])[1:])))
        assert int.from_bytes(der.contents(modulus), "big").bit_length() == known.size


def test_a_planned_certificate_has_the_issuer_of_its_plan() -> None:
    planned_all = _plan({"a": {"issuer": "ca"}, "s": {"issuer": "self"}})
    issued, self_signed = planned_all.certificates()
    for entity in (issued, self_signed, *planned_all.authorities):
        certificate = planned(entity, planned_all.authorities)
        assert isinstance(certificate, Certificate)
        assert certificate.serial == 7
        assert certificate.is_self_issued is (entity.name in ("s", "root"))


def test_a_case_is_planned_at_whole_seconds() -> None:
    document = {"name": "c", "authorities": {"root": {}}, "certificates": {"a": {"issuer": "root"}}}
    assert planned_case(load(document), "a", _NOW.replace(microsecond=999_999)).clock == _NOW
    assert plan(load(document), _NOW.replace(microsecond=1), None).clock == _NOW
