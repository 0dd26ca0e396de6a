"""Constraints on DNS names and an address in the common name: only that is ignored, every name counts."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509

from pkigen.inspection.path import PathResult, validate
from pkigen.inspection.path.verify import Verification, verify
from tests.inspection.path.hierarchies import NOW, Entity, issue, name

_ADDRESS = "192.0.2.1"
_SAN = x509.SubjectAlternativeName([x509.IPAddress(ip_address(_ADDRESS))])
_DNS = x509.DNSName("contoso.test")
_ROOT = issue("root", ca=True)


def _network(text: str) -> x509.IPAddress:
    return x509.IPAddress(ip_network(text))


def _constrained(*permitted: x509.GeneralName, excluded: x509.GeneralName | None = None) -> Entity:
    constraints = x509.NameConstraints(list(permitted) or None, [excluded] if excluded else None)
    return issue("issuing", _ROOT, constraints, ca=True)


def _validate(issuing: Entity, leaf: Entity, *above: Entity) -> PathResult:
    known = [one.parsed for one in (issuing, *above)]
    return validate(leaf.parsed, known, [_ROOT.parsed], at=NOW)


def _leaf(issuing: Entity, common_name: str, *extensions: x509.ExtensionType) -> Entity:
    return issue("leaf", issuing, *extensions, subject=name(common_name))


def test_an_address_in_the_common_name_is_not_restricted_by_constraints_on_dns_names() -> None:
    issuing = _constrained(_DNS, _network("192.0.2.0/24"))
    result = _validate(issuing, _leaf(issuing, _ADDRESS, _SAN))
    assert result.ok
    assert [(problem.rule, problem.code) for problem in result.ignored] == [("name-constraint", 47)]
    assert [one.subject_der for one in result.path][-1] == _ROOT.parsed.subject_der


@pytest.mark.parametrize(
    "constraints",
    [
        ([_DNS, _network("198.51.100.0/24")], None),
        ([_DNS], _network("192.0.2.0/24")),
        ([_DNS, x509.RFC822Name("contoso.test")], None),
        ([_DNS, _network("2001:db8::/32")], None),
    ],
)
def test_other_constraints_stay(
    constraints: tuple[list[x509.GeneralName], x509.GeneralName | None],
) -> None:
    permitted, excluded = constraints
    issuing = _constrained(*permitted, excluded=excluded)
    result = _validate(issuing, _leaf(issuing, _ADDRESS, _SAN))
    assert [problem.rule for problem in result.problems] == ["name-constraint"]
    assert result.ignored == ()


def test_constraints_of_every_ca_on_the_path_count() -> None:
    upper = _constrained(_DNS)
    lower = issue("lower", upper, x509.NameConstraints(None, [_network("192.0.2.0/24")]), ca=True)
    assert not _validate(lower, _leaf(lower, _ADDRESS, _SAN), upper).ok


@pytest.mark.parametrize(
    ("common_name", "san"),
    [
        ("other.test", _SAN),
        (_ADDRESS, None),
        (_ADDRESS, x509.SubjectAlternativeName([*_SAN, x509.DNSName("other.test")])),
        (_ADDRESS, x509.SubjectAlternativeName([*_SAN, x509.RFC822Name("a@other.test")])),
    ],
)
def test_other_names_are_restricted(common_name: str, san: x509.SubjectAlternativeName | None) -> None:
    issuing = _constrained(_DNS)
    result = _validate(issuing, _leaf(issuing, common_name, *([san] if san else [])))
    assert [problem.rule for problem in result.problems] == ["name-constraint"]


def test_a_path_with_another_problem_stays_invalid() -> None:
    issuing = _constrained(_DNS)
    leaf = issue("leaf", issuing, _SAN, subject=name(_ADDRESS), end=NOW - timedelta(days=1))
    assert "expired" in [problem.rule for problem in _validate(issuing, leaf).problems]


def test_the_report_says_that_openssl_rejects_the_certificate(tmp_path: Path) -> None:
    issuing = _constrained(_DNS)
    leaf = _leaf(issuing, _ADDRESS, _SAN)
    chain, trust = issuing.write(tmp_path / "issuing.pem"), _ROOT.write(tmp_path / "root.pem")
    file = leaf.write(tmp_path / "leaf.pem")
    verified = verify(Verification(file, NOW, chain=(chain,), trust=(trust,), host=_ADDRESS))
    assert verified.result.ok
    assert "OpenSSL and GnuTLS reject the certificate" in " ".join(verified.notes)
