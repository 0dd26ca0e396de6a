"""Of several paths to a trust anchor one valid one suffices (RFC 4158), whichever OpenSSL tries first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from itertools import permutations

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from pkigen.inspection.path import PathResult, alternative_paths, validate, validation
from pkigen.inspection.path.alternative_paths import MAX_PATHS, PathSearch
from pkigen.inspection.path.openssl import PathInput
from pkigen.inspection.path.validation import Purpose
from pkigen.x509 import Certificate, CertificateList
from tests.inspection.path.hierarchies import NOW, Entity, crl, issue

_OTHER_NAMES = x509.NameConstraints([x509.DNSName("other.test")], None)
_OTHER_PURPOSE = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.EMAIL_PROTECTION])
_SAN = x509.SubjectAlternativeName([x509.DNSName("leaf.test")])
_EXPIRED = NOW - timedelta(days=1)

_ROOT = issue("root", ca=True)
_ISSUING = issue("issuing", _ROOT, ca=True)
_LEAF = issue("leaf", _ISSUING, _SAN)


def _validate(
    intermediates: Iterable[Entity],
    *,
    leaf: Entity = _LEAF,
    anchors: Iterable[Entity] = (_ROOT,),
    crls: Iterable[CertificateList] = (),
    purpose: Purpose = "any",
    reject_sha1: bool = False,
) -> PathResult:
    return validate(
        leaf.parsed,
        [one.parsed for one in intermediates],
        [one.parsed for one in anchors],
        at=NOW,
        crls=list(crls),
        check_crls=bool(crls),
        purpose=purpose,
        reject_sha1=reject_sha1,
    )


def _rules(result: PathResult) -> list[tuple[str, int]]:
    return [(problem.rule, problem.depth) for problem in result.problems]


def _variant(*extensions: x509.ExtensionType, issuer: Entity = _ROOT, **options: object) -> Entity:
    return issue("issuing", issuer, *extensions, ca=True, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        _variant(_OTHER_NAMES),
        _variant(_OTHER_PURPOSE),
        _variant(end=_EXPIRED),
        _variant(key_label="other key"),
        _variant(issuer=issue("unknown root", ca=True)),
        issue("issuing", _ROOT, ca=False),
    ],
    ids=["names", "purpose", "expired", "key", "root", "no CA"],
)
def test_a_path_around_an_invalid_certificate_is_accepted(bad: Entity) -> None:
    assert _validate([bad], purpose="server").ok is False
    for intermediates in permutations((bad, _ISSUING)):
        result = _validate(intermediates, purpose="server")
        assert result.problems == ()
        assert result.path == (_LEAF.parsed, _ISSUING.parsed, _ROOT.parsed)


def test_the_problems_of_the_path_that_openssl_tries_are_kept() -> None:
    result = _validate([_variant(_OTHER_NAMES), _ISSUING])
    assert [problem.rule for problem in result.openssl_problems] == ["name-constraint"]
    assert _validate([_ISSUING]).openssl_problems == ()


def test_a_path_around_a_revoked_certificate_is_accepted() -> None:
    revoked = _variant()
    entry = {revoked.certificate.serial_number: x509.ReasonFlags.key_compromise}
    crls = (crl(_ROOT, revoked=entry), crl(_ISSUING))
    assert ("revoked", 1) in _rules(_validate([revoked], crls=crls))
    assert _validate([revoked, _ISSUING], crls=crls).ok
    assert _validate([_ISSUING, revoked], crls=crls).ok


def test_without_a_valid_path_the_problems_are_those_of_openssls_path() -> None:
    first, second = _variant(_OTHER_NAMES), _variant(_OTHER_PURPOSE)
    result = _validate([first, second], purpose="server")
    assert _rules(result) == [("name-constraint", 0)]
    assert result.path[1] == first.parsed
    assert result.all_tried


def test_problems_that_every_path_has_cause_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def search(_given: PathInput) -> PathSearch:
        raise AssertionError("a search")

    monkeypatch.setattr(validation, "PathSearch", search)
    expired = issue("leaf", _ISSUING, end=_EXPIRED)
    assert _rules(_validate([_ISSUING], leaf=expired)) == [("expired", 0)]


# Graphs of four CAs, of which the first is the anchor.
_NODES = 4


@cache
def _edge(issuer: int, subject: int, *, valid: bool) -> Entity:
    constraints = () if valid else (_OTHER_NAMES,)
    return issue(f"node {subject}", _self_signed(issuer), *constraints, ca=True)


@cache
def _self_signed(node: int) -> Entity:
    return issue(f"node {node}", ca=True)


@cache
def _leaf(node: int) -> Entity:
    return issue("leaf", _self_signed(node), _SAN)


_EDGES = st.tuples(st.integers(0, _NODES - 1), st.integers(0, _NODES - 1), st.booleans())


@settings(deadline=None, max_examples=150)
@given(st.lists(_EDGES, max_size=10), st.integers(0, _NODES - 1))
def test_a_certificate_is_accepted_if_and_only_if_valid_certificates_lead_to_it(
    edges: list[tuple[int, int, bool]], issuer: int
) -> None:
    reached, waiting = {0}, [0]
    for node in waiting:
        following = [s for i, s, valid in edges if i == node and valid and s not in reached]
        reached.update(following)
        waiting += following
    result = _validate(
        [_edge(i, s, valid=valid) for i, s, valid in edges], leaf=_leaf(issuer), anchors=[_self_signed(0)]
    )
    assert result.ok is (issuer in reached)


def _dense(count: int) -> list[Certificate]:
    """Return the certificates of CAs that all certified each other."""
    nodes = [issue(f"dense {number}", ca=True) for number in range(count)]
    return [
        issue(f"dense {number}", issuer, ca=True).parsed
        for issuer in nodes
        for number in range(count)
        if nodes[number] is not issuer
    ]


def test_a_search_among_exponentially_many_paths_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    known = _dense(12)
    leaf, anchor = issue("leaf", issue("dense 0", ca=True), _SAN), issue("dense 11", ca=True)
    given = PathInput(leaf.parsed, tuple(known), (anchor.parsed,), NOW, True, False)
    search = PathSearch(given)
    paths = list(search.paths())
    assert len(paths) == MAX_PATHS
    assert not search.is_complete
    assert len(set(paths)) == MAX_PATHS
    # Nothing leads from the certificate to this anchor: no path is tried.
    other = PathSearch(PathInput(leaf.parsed, tuple(known), (_ROOT.parsed,), NOW, True, False))
    assert list(other.paths()) == []
    assert other.is_complete
    monkeypatch.setattr(alternative_paths, "MAX_SIGNATURES", 100)
    limited = PathSearch(given)
    assert len(list(limited.paths())) <= MAX_PATHS
    assert not limited.is_complete


def test_a_search_that_ends_early_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _variant(_OTHER_NAMES), _variant(_OTHER_NAMES)
    monkeypatch.setattr(alternative_paths, "MAX_PATHS", 1)
    assert not _validate([first, second]).all_tried
