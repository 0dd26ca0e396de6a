"""Why a CRL that was given does not count: the words that a refusal comes with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pkigen.asn1 import der, oids
from pkigen.formats import pem
from pkigen.inspection.path.verify import Verification, verify
from pkigen.keys import load_private
from pkigen.model import Extension
from pkigen.revocation import CertificateListPlan, RevokedCertificate, certificate_list
from tests.inspection.path.certificates import (
    CA,
    NOW,
    SERVER,
    by_openssl,
    certificates,
)
from tests.inspection.path.conftest import Made
from tests.inspection.path.openssl_verdicts import judged, sound
from tests.inspection.path.test_boundaries import crl_with

pytestmark = pytest.mark.needs("openssl")

_POINT = "issuingDistributionPoint=critical,"
_DELTA = "2.5.29.27=critical,DER:02:01:00"


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        (f"{_POINT}onlyCA:TRUE", "has only CRLs with a different scope (its issuer's CRL is only for CAs)"),
        (
            f"{_POINT}onlyAA:TRUE",
            "(its issuer's CRL is only for attribute certificates)",
        ),
        (
            f"{_POINT}onlyuser:TRUE,onlyCA:TRUE",
            "only for end entities and only for CAs)",
        ),
        (f"{_POINT}onlysomereasons:keyCompromise", "(its issuer's CRL is only for keyCompromise)"),
        (f"{_POINT}fullname:URI:http://a.test/b.crl", "scope (its issuer's CRL is for http://a.test/b.crl)"),
        (_DELTA, "has no usable CRL (its issuer's CRL is a delta CRL, which lists only changes)"),
        ("2.5.29.99=critical,DER:05:00", "not supported (its extension 2.5.29.99)"),
    ],
)
def test_a_problem_names_the_defect_of_the_crl(extension: str, words: str, made: Made) -> None:
    validation = judged(sound(made, crls=(crl_with(made.issuing, extension), made.crls[1])))
    assert len(validation.problems) == 1
    assert words in validation.problems[0].message


def test_an_indirect_crl_of_the_issuer_counts(made: Made) -> None:
    indirect = crl_with(made.issuing, f"{_POINT}indirectCRL:TRUE")
    assert judged(sound(made, crls=(indirect, made.crls[1]))).ok


def test_a_certificate_whose_crl_another_authority_issues_is_reported(made: Made) -> None:
    authority = made.root.subordinate("listed-elsewhere", CA)
    point = "crlDistributionPoints=there\n[there]\nfullname=URI:http://a.test/1.crl\nCRLissuer=dirName:who\n"
    leaf = authority.issue("stating", SERVER + point + "[who]\nCN=Another CA\n")
    files = sound(made, leaf=leaf, chain=(authority.certificate,), crls=(made.crls[1],))
    (problem,) = judged(files).problems
    assert "(no given CRL is from its CRL issuer [CN=Another CA" in problem.message


def test_a_crl_for_end_entities_does_not_count_for_a_ca(made: Made) -> None:
    crl = crl_with(made.root, f"{_POINT}onlyuser:TRUE")
    (problem,) = judged(sound(made, crls=(made.crls[0], crl))).problems
    assert problem.depth == 1
    assert problem.message.endswith("(its issuer's CRL is only for end entities)")


def test_a_crl_of_another_issuer_is_distinguished_from_a_missing_one(made: Made) -> None:
    (other,) = judged(sound(made, crls=made.crls[1:])).problems
    assert other.message.endswith("has no usable CRL (no given CRL is from its issuer)")
    without = judged(sound(made, crls=())).problems
    assert [(one.depth, one.message.endswith("has no usable CRL")) for one in without] == [
        (0, True),
        (1, True),
    ]


def test_a_crl_signed_by_another_key_with_the_issuers_name_is_reported(made: Made) -> None:
    twin = made.root.subordinate("by-another-key", common_name="issuing")
    (problem,) = judged(sound(made, crls=(twin.crl(), made.crls[1]))).problems
    assert problem.message.endswith("(its issuer's CRL is signed by another key)")


def test_a_crl_for_the_distribution_point_of_the_certificate_counts(made: Made) -> None:
    authority = made.root.subordinate("with-points", CA)
    stated = "crlDistributionPoints=URI:http://a.test/1.crl,URI:http://a.test/2.crl\n"
    leaf = authority.issue("stating", SERVER + stated)
    for number, ok in ((1, True), (2, True), (3, False)):
        crl = crl_with(authority, f"{_POINT}fullname:URI:http://a.test/{number}.crl")
        files = sound(made, leaf=leaf, chain=(authority.certificate,), crls=(crl, made.crls[1]))
        assert (judged(files).ok, not by_openssl(files)) == (ok, ok)


def test_a_delta_crl_for_another_complete_crl_is_reported_as_unused(made: Made) -> None:
    delta = crl_with(made.issuing, _DELTA)
    options = Verification(made.leaf, NOW, chain=made.chain, trust=made.trust, crls=(delta, *made.crls))
    verified = verify(options)
    assert verified.result.ok
    assert [(one.source, one.kind, one.reason) for one in verified.unused] == [
        (str(delta), "CRL", "the complete CRL has no CRL number")
    ]
    assert not verify(replace(options, crls=(delta, made.crls[1]))).result.ok


def _crl(made: Made, out: Path, entries: tuple[Extension, ...] = (), *extensions: Extension) -> Path:
    """A CRL of the issuing CA with an entry of nobody, and extensions that openssl does not write."""
    (block,) = pem.scan((made.issuing.folder / "ca.key").read_bytes())
    (authority,) = certificates(made.issuing.certificate)
    plan = CertificateListPlan(
        authority.subject,
        authority.extensions.subject_key_identifier or b"",
        2,
        NOW - timedelta(days=1),
        NOW + timedelta(days=1),
        extensions=extensions,
    )
    entry = RevokedCertificate(7, NOW, "superseded", entries)
    out.write_bytes(certificate_list(plan, [entry], load_private(block.data)))
    return out


def test_an_unknown_critical_entry_extension_is_reported(made: Made, tmp_path: Path) -> None:
    crl = _crl(made, tmp_path / "entry.crl", (Extension("1.2.3.4", True, b"\x05\x00"),))
    (problem,) = judged(sound(made, crls=(crl, made.crls[1]))).problems
    assert problem.message.endswith("(an entry's extension 1.2.3.4)")


def test_an_unreadable_crl_is_reported_with_a_reason(made: Made, tmp_path: Path) -> None:
    crl = _crl(made, tmp_path / "twice.crl", (), Extension("2.5.29.20", False, b"\x02\x01\x01"))
    (problem,) = judged(sound(made, crls=(crl, made.crls[1]))).problems
    assert problem.message == "A CRL cannot be read (it has 2 of the extension CRL number)"


def test_a_crl_with_an_empty_point_does_not_count(made: Made, tmp_path: Path) -> None:
    crl = _crl(made, tmp_path / "empty.crl", (), Extension("2.5.29.28", True, b"\x30\x00"))
    (problem,) = judged(sound(made, crls=(crl, made.crls[1]))).problems
    assert problem.message.endswith("(its issuer's CRL has an empty issuing distribution point)")


def _only_for(*reasons: str) -> Extension:
    flags = der.contents(der.named_bits(reasons, oids.REASON_FLAGS))
    return Extension(oids.ISSUING_DISTRIBUTION_POINT, True, der.sequence(der.tlv(0x83, flags)))


def test_crls_for_some_reasons_count_once_they_cover_all_of_them(made: Made, tmp_path: Path) -> None:
    _, *flags = oids.REASON_FLAGS
    first = _crl(made, tmp_path / "first.crl", (), _only_for(*flags[:2]))
    second = _crl(made, tmp_path / "second.crl", (), _only_for(*flags[2:]))
    assert judged(sound(made, crls=(first, second, made.crls[1]))).ok
    assert not judged(sound(made, crls=(first, made.crls[1]))).ok
    assert not judged(sound(made, crls=(second, made.crls[1]))).ok
