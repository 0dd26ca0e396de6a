"""The set rfc5280 detects the defects of zlint's RFC 5280 lints of CRLs: a small CRL for each."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pkigen.asn1 import der, oids
from pkigen.requirements import CheckInput, PublishedCrl, findings, load_set
from pkigen.x509 import CertificateList
from tests.requirements.certificate_builder import DAY, NOW, SHA256_RSA, crl_point, name
from tests.requirements.rfc5280_certificates import EMPTY, RSA_WITHOUT_NULL, leaf


def _crl(*entries: bytes, algorithm: bytes = SHA256_RSA, **fields: bytes) -> CertificateList:
    key = der.sequence(
        der.oid(oids.AUTHORITY_KEY_IDENTIFIER), der.octet_string(der.sequence(der.tlv(0x80, b"1")))
    )
    number = der.sequence(der.oid(oids.CRL_NUMBER), der.octet_string(der.integer(1)))
    parts = {
        "version": der.integer(1),
        "algorithm": algorithm,
        "issuer": name(("CN", "CA")),
        "this_update": der.time(NOW),
        "next_update": der.time(NOW + DAY),
        "revoked": der.sequence(*entries) if entries else b"",
        "extensions": der.explicit(0, der.sequence(key, number)),
    }
    tbs = der.sequence(*{**parts, **fields}.values())
    return CertificateList(der.sequence(tbs, algorithm, der.bit_string(b"\0")))


def _entry(at: datetime, *extensions: bytes) -> bytes:
    return der.sequence(der.integer(1), der.time(at), *([der.sequence(*extensions)] if extensions else []))


def _reason(code: int) -> bytes:
    return der.sequence(der.oid(oids.CRL_REASON), der.octet_string(der.tlv(0x0A, bytes((code,)))))


def _violated_by(crl: CertificateList) -> set[str]:
    """Return the requirements about CRLs that the CRL at a certificate's distribution point violates."""
    certificate = leaf(crl_point("http://a.test/a.crl")).check_input().certificate
    subject = CheckInput(now=NOW, certificate=certificate, look=lambda url: PublishedCrl(crl))
    every = (one for one in findings(load_set("rfc5280"), subject) if one.requirement.kinds == ("crl",))
    return {one.requirement.id for one in every if one.failed}


CRLS = {
    "crl_empty_revoked_certificates": ("crl-no-empty-list", _crl(revoked=EMPTY)),
    "crl_has_authority_key_identifier": ("crl-key-identifier", _crl(extensions=b"")),
    "crl_missing_crl_number": ("crl-number", _crl(extensions=b"")),
    "crl_has_next_update": ("crl-next-update", _crl(next_update=b"")),
    "crl_version": ("crl-version-2", _crl(version=b"")),
    "crl_revocation_time_after_this_update": ("crl-entries", _crl(_entry(NOW + DAY))),
    "crl_has_valid_reason_code": ("crl-entries", _crl(_entry(NOW, _reason(7)))),
    "crl_sigalgo_missing_null_params": ("crl-rsa-null", _crl(algorithm=RSA_WITHOUT_NULL)),
}


@pytest.mark.parametrize(("requirement", "crl"), CRLS.values(), ids=CRLS)
def test_a_crl_with_the_defect_of_a_lint_violates_the_requirement(
    requirement: str, crl: CertificateList
) -> None:
    assert requirement in _violated_by(crl)


def test_a_valid_crl_violates_nothing() -> None:
    assert _violated_by(_crl()) == set()
    early = datetime(2026, 1, 1, tzinfo=UTC)
    assert _violated_by(_crl(_entry(NOW), _entry(early, _reason(2)), _entry(early, _reason(10)))) == set()
