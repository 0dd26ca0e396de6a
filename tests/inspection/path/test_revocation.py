"""Delta CRLs, indirect CRLs and CRL issuers apart from the CA (RFC 5280, 5.2.4 and 6.3.3)."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from pkigen.inspection.path import PathResult, validate
from pkigen.x509 import CertificateList
from tests.inspection.path.hierarchies import NOW, Entity, crl, entry, issue, name

_DAY = timedelta(days=1)
_URL = "http://crl.test/delta.crl"
REVOKED, HOLD, REMOVED = (
    x509.ReasonFlags.key_compromise,
    x509.ReasonFlags.certificate_hold,
    (x509.ReasonFlags.remove_from_crl),
)
FRESHEST = x509.FreshestCRL(
    [x509.DistributionPoint([x509.UniformResourceIdentifier(_URL)], None, None, None)]
)

ROOT = issue("Delta Root", ca=True)
CA = issue("Delta CA", ROOT, ca=True)
LEAF = issue("leaf", CA, FRESHEST)
SERIAL = LEAF.certificate.serial_number
ROOT_CRL = crl(ROOT)


def delta(
    base: int, number: int, revoked: dict[int, x509.ReasonFlags] | None = None, **how: object
) -> CertificateList:
    extensions = (x509.DeltaCRLIndicator(base), *how.pop("extensions", ()))  # type: ignore[misc]
    return crl(how.pop("issuer", CA), *extensions, number=number, revoked=revoked, **how)  # type: ignore[arg-type]


def scope(**how: object) -> x509.IssuingDistributionPoint:
    """Return an issuing distribution point that is otherwise empty."""
    settings: dict[str, object] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(settings | how))  # type: ignore[arg-type]


def rules(result: PathResult) -> list[tuple[str, int]]:
    return [(problem.rule, problem.depth) for problem in result.problems]


def by_openssl(leaf: Entity, others: Sequence[Entity], crls: Sequence[CertificateList], folder: Path) -> bool:
    """Return whether ``openssl verify`` accepts; the last of ``others`` is the trust anchor."""
    command = ["openssl", "verify", "-attime", str(int(NOW.timestamp()))]
    command += ["-crl_check_all", "-extended_crl", "-use_deltas"]
    for number, one in enumerate(crls):
        path = folder / f"{number}.crl"
        path.write_bytes(one.der)
        command += ["-CRLfile", str(path)]
    for number, other in enumerate(others):
        option = "-CAfile" if other is others[-1] else "-untrusted"
        command += [option, str(other.write(folder / f"{number}.pem"))]
    command.append(str(leaf.write(folder / "leaf.pem")))
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@dataclass(frozen=True)
class DeltaCase:
    """A complete and a delta CRL, whether the leaf is accepted, and why the delta CRL is not used."""

    complete: CertificateList
    delta: CertificateList
    accepted: bool
    unused: str = ""


_OTHER_KEY = issue("Delta CA", ROOT, ca=True, key_label="another key")
DELTAS = {
    "an entry of the delta CRL": DeltaCase(crl(CA, number=1), delta(1, 2, {SERIAL: REVOKED}), False),
    "a hold in the delta CRL": DeltaCase(crl(CA, number=1), delta(1, 2, {SERIAL: HOLD}), False),
    "a hold that the delta CRL removes": DeltaCase(
        crl(CA, number=1, revoked={SERIAL: HOLD}), delta(1, 2, {SERIAL: REMOVED}), True
    ),
    "an entry of the complete CRL alone": DeltaCase(
        crl(CA, number=1, revoked={SERIAL: REVOKED}), delta(1, 2), False
    ),
    "neither CRL has an entry": DeltaCase(crl(CA, number=1), delta(1, 2), True),
    "a complete CRL newer than the base": DeltaCase(crl(CA, number=3), delta(1, 4, {SERIAL: REVOKED}), False),
    "a complete CRL older than the base": DeltaCase(
        crl(CA, number=1),
        delta(2, 3, {SERIAL: REVOKED}),
        True,
        "a complete CRL with the CRL number 2 or higher",
    ),
    "a complete CRL newer than the delta CRL": DeltaCase(
        crl(CA, number=4), delta(1, 3, {SERIAL: REVOKED}), True, "as new as the delta CRL"
    ),
    "an expired complete CRL with a current delta CRL": DeltaCase(
        crl(CA, number=1, start=NOW - 9 * _DAY, end=NOW - 2 * _DAY), delta(1, 2), True
    ),
    "an expired delta CRL": DeltaCase(
        crl(CA, number=1),
        delta(1, 2, {SERIAL: REVOKED}, start=NOW - 9 * _DAY, end=NOW - 2 * _DAY),
        True,
        "it has expired",
    ),
    "a delta CRL with another scope": DeltaCase(
        crl(CA, number=1),
        delta(1, 2, {SERIAL: REVOKED}, extensions=(scope(only_contains_user_certs=True),)),
        True,
        "its issuing distribution point differs",
    ),
    "a delta CRL of another key": DeltaCase(
        crl(CA, number=1), delta(1, 2, {SERIAL: REVOKED}, issuer=_OTHER_KEY), True, "did not sign it"
    ),
}


@pytest.mark.parametrize("title", DELTAS)
@pytest.mark.parametrize("reverse", [False, True])
def test_a_delta_crl_is_applied_to_its_complete_crl(title: str, *, reverse: bool) -> None:
    case = DELTAS[title]
    crls = [case.complete, case.delta, ROOT_CRL]
    result = validate(
        LEAF.parsed, [CA.parsed], [ROOT.parsed], at=NOW, crls=crls[::-1] if reverse else crls, check_crls=True
    )
    assert rules(result) == ([] if case.accepted else [("revoked", 0)])
    assert case.unused in result.unused_crls.get(case.delta.der, "")
    assert (case.delta.der in result.unused_crls) is bool(case.unused)
    assert ROOT_CRL.der not in result.unused_crls


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("title", [title for title, case in DELTAS.items() if not case.unused])
def test_a_delta_crl_has_the_verdict_of_openssl(title: str, tmp_path: Path) -> None:
    case = DELTAS[title]
    # OpenSSL requires a delta CRL of the CA certificates, too, if one is used at all.
    assert by_openssl(LEAF, [CA, ROOT], [case.complete, case.delta, ROOT_CRL], tmp_path) is case.accepted


def test_a_delta_crl_without_its_complete_crl_does_not_count() -> None:
    result = validate(
        LEAF.parsed, [CA.parsed], [ROOT.parsed], at=NOW, crls=[delta(1, 2), ROOT_CRL], check_crls=True
    )
    assert rules(result) == [("crl-missing", 0)]
    assert "is a delta CRL, which lists only changes" in result.problems[0].message


def _point(*names: x509.GeneralName, rdn: x509.RelativeDistinguishedName | None = None) -> x509.ExtensionType:
    """Return distribution points with the Lister as their CRL issuer."""
    lister = [x509.DirectoryName(name("Lister"))]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names or None, rdn, None, lister)])


_URI = x509.UniformResourceIdentifier("http://crl.test/indirect.crl")
_RDN = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "CRL 1")])
LISTER = issue("Lister", ROOT, ca=True)
LISTED = issue("listed", CA, _point(_URI))
RELATIVE = issue("relative", CA, _point(rdn=_RDN))
INDIRECT = scope(indirect_crl=True, full_name=[_URI])


def listing(serial: int, issuer: str = "Delta CA") -> x509.RevokedCertificate:
    return entry(serial, x509.CertificateIssuer([x509.DirectoryName(name(issuer))]))


def checked(
    leaf: Entity, crls: Sequence[CertificateList], *, others: Sequence[Entity] = (LISTER,)
) -> PathResult:
    return validate(
        leaf.parsed,
        [CA.parsed, *(one.parsed for one in others)],
        [ROOT.parsed],
        at=NOW,
        crls=[*crls, ROOT_CRL],
        check_crls=True,
    )


INDIRECTS: dict[str, tuple[Entity, CertificateList, bool]] = {
    "no entry": (LISTED, crl(LISTER, INDIRECT), True),
    "an entry of the certificate": (
        LISTED,
        crl(LISTER, INDIRECT, entries=(listing(LISTED.certificate.serial_number),)),
        False,
    ),
    "an entry of another CA's certificate with the same serial number": (
        LISTED,
        crl(LISTER, INDIRECT, entries=(listing(LISTED.certificate.serial_number, "Another CA"),)),
        True,
    ),
    "an entry of the CRL issuer's own certificate with the same serial number": (
        LISTED,
        crl(LISTER, INDIRECT, entries=(entry(LISTED.certificate.serial_number), listing(7))),
        True,
    ),
    "a certificate issuer that is inherited from the entry before": (
        LISTED,
        crl(LISTER, INDIRECT, entries=(listing(7), entry(LISTED.certificate.serial_number))),
        False,
    ),
    "a name relative to the CRL issuer": (
        RELATIVE,
        crl(LISTER, scope(indirect_crl=True, relative_name=_RDN)),
        True,
    ),
}


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("title", INDIRECTS)
def test_an_indirect_crl_decides_as_in_openssl(title: str, tmp_path: Path) -> None:
    leaf, indirect, accepted = INDIRECTS[title]
    assert rules(checked(leaf, [indirect])) == ([] if accepted else [("revoked", 0)])
    assert by_openssl(leaf, [CA, LISTER, ROOT], [indirect, ROOT_CRL], tmp_path) is accepted


def test_a_crl_of_the_crl_issuer_that_is_not_indirect_does_not_count() -> None:
    result = checked(LISTED, [crl(LISTER, scope(full_name=[_URI]))])
    assert rules(result) == [("crl-missing", 0)]
    assert "it is not an indirect CRL" in result.problems[0].message


def test_an_indirect_crl_for_other_distribution_points_does_not_count() -> None:
    other = x509.UniformResourceIdentifier("http://crl.test/other.crl")
    result = checked(LISTED, [crl(LISTER, scope(indirect_crl=True, full_name=[other]))])
    assert "is for http://crl.test/other.crl" in result.problems[0].message


def test_the_crl_issuers_of_a_certificate_are_listed_if_no_crl_is_theirs() -> None:
    names = [x509.DirectoryName(name(issuer)) for issuer in ("Lister", "Second Lister")]
    points = [x509.DistributionPoint([_URI], None, None, [one]) for one in names]
    (problem,) = checked(issue("listed twice", CA, x509.CRLDistributionPoints(points)), []).problems
    listed = "no given CRL is from its CRL issuer [CN=Lister; CN=Second Lister]"
    assert listed in problem.message


def test_an_indirect_crl_requires_the_certificate_of_its_issuer() -> None:
    result = checked(LISTED, [crl(LISTER, INDIRECT)], others=())
    assert "the certificate of the CRL's issuer is missing" in result.problems[0].message


def test_an_indirect_crl_of_a_crl_issuer_that_is_not_valid_does_not_count() -> None:
    expired = issue("Lister", ROOT, ca=True, end=NOW - _DAY)
    result = checked(LISTED, [crl(expired, INDIRECT)], others=(expired,))
    assert rules(result) == [("crl-missing", 0)]
    assert (
        "the CRL's issuer is not valid: The certificate [CN=Lister] has expired" in result.problems[0].message
    )


def test_an_indirect_crl_of_a_revoked_crl_issuer_does_not_count() -> None:
    revoking = crl(ROOT, number=2, revoked={LISTER.certificate.serial_number: REVOKED})
    result = validate(
        LISTED.parsed,
        [CA.parsed, LISTER.parsed],
        [ROOT.parsed],
        at=NOW,
        crls=[crl(LISTER, INDIRECT), revoking],
        check_crls=True,
    )
    assert (
        "the CRL's issuer is not valid: The certificate [CN=Lister] is revoked" in result.problems[0].message
    )


def test_a_crl_issuer_of_another_root_does_not_count() -> None:
    stranger = issue("Lister", issue("Another Root", ca=True), ca=True, key_label="stranger")
    assert rules(checked(LISTED, [crl(stranger, INDIRECT)], others=(stranger,))) == [("crl-missing", 0)]


def test_a_ca_may_sign_its_crl_with_a_second_key() -> None:
    """The CRL covers the certificate of its own signer, too (PKITS 4.5.6)."""
    signer = issue("Delta CA", CA, ca=True, key_label="CRL key", subject=CA.certificate.subject)
    plain = issue("plain", CA)
    serial = plain.certificate.serial_number
    assert checked(plain, [crl(signer)], others=(signer,)).ok
    assert rules(checked(plain, [crl(signer, revoked={serial: REVOKED})], others=(signer,))) == [
        ("revoked", 0)
    ]


def test_a_crl_signer_without_the_key_usage_does_not_count() -> None:
    signer = issue("Delta CA", CA, ca=True, crl_sign=False, key_label="no CRL key")
    result = checked(issue("plain", CA), [crl(signer)], others=(signer,))
    assert rules(result) == [("crl-bad-signature", 0)]
    assert "key usage does not include cRLSign" in result.problems[0].message


@pytest.mark.parametrize("age", [5 * _DAY, timedelta()], ids=["older", "of the same second"])
def test_the_newest_of_several_crls_decides(age: timedelta) -> None:
    new = crl(CA, number=2)
    old = crl(CA, number=1, start=new.this_update - age, revoked={SERIAL: HOLD})
    for crls in ([old, new], [new, old]):
        assert checked(LEAF, crls).ok
    assert rules(checked(LEAF, [old])) == [("revoked", 0)]


def test_a_crl_of_a_name_in_another_string_type_and_case_counts() -> None:
    printable = x509.NameAttribute(NameOID.COMMON_NAME, "DELTA  ca", _type=_ASN1Type.PrintableString)
    issuer = Entity(issue("Delta CA", ROOT, ca=True, subject=x509.Name([printable])).certificate, CA.key)
    plain = issue("plain", CA)
    revoking = crl(issuer, revoked={plain.certificate.serial_number: REVOKED})
    assert rules(checked(plain, [revoking])) == [("revoked", 0)]


def test_every_certificate_without_a_crl_is_reported() -> None:
    result = validate(LEAF.parsed, [CA.parsed], [ROOT.parsed], at=NOW, crls=[], check_crls=True)
    assert rules(result) == [("crl-missing", 0), ("crl-missing", 1)]
