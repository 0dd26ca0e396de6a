"""CRLs: openssl and cryptography read entries and extensions."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA384

from pkigen.asn1 import names
from pkigen.keys import key_identifier, public_key_info
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import FreshKeys
from pkigen.model import Extension, Signature
from pkigen.revocation import REASON_CODES, CertificateListPlan, RevokedCertificate, certificate_list

_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_KEY = FreshKeys().generate(parse_kind("ec-p256"), "root")
_PLAN = CertificateListPlan(
    names.name([("O", "Test"), ("CN", "Root")]),
    key_identifier(public_key_info(_KEY)),
    7,
    _NOW,
    _NOW + timedelta(days=7),
)


def test_every_reason_is_read_back() -> None:
    entries = [
        RevokedCertificate(1 << (10 * number), _NOW - timedelta(days=number), reason)
        for number, reason in enumerate(REASON_CODES, 1)
    ]
    crl = x509.load_der_x509_crl(certificate_list(_PLAN, entries, _KEY))
    assert isinstance(_KEY, EllipticCurvePrivateKey)
    assert crl.is_signature_valid(_KEY.public_key())
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
    aki = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert aki.key_identifier == _PLAN.key_identifier
    for entry in entries:
        revoked = crl.get_revoked_certificate_by_serial_number(entry.serial)
        assert revoked is not None
        assert revoked.revocation_date_utc == entry.at
        reasons = [extension.value.reason.value for extension in revoked.extensions]
        assert reasons == ([] if entry.reason == "unspecified" else [entry.reason])


def test_an_empty_crl_has_no_list() -> None:
    crl = x509.load_der_x509_crl(certificate_list(_PLAN, [], _KEY))
    assert len(crl) == 0
    assert crl.next_update_utc == _PLAN.next_update


def test_additional_extensions_follow_the_mandatory_ones() -> None:
    hint = Extension("1.2.3.4", True, b"\x05\x00")
    entries = [RevokedCertificate(1, _NOW, "unspecified", (hint,)), RevokedCertificate(2, _NOW, "superseded")]
    plan = replace(_PLAN, extensions=(hint,), signature=Signature("sha384"))
    crl = x509.load_der_x509_crl(certificate_list(plan, entries, _KEY))
    assert [one.oid.dotted_string for one in crl.extensions] == [
        "2.5.29.35",
        "2.5.29.20",
        "1.2.3.4",
    ]
    assert [[extension.critical for extension in entry.extensions] for entry in crl] == [[True], [False]]
    assert isinstance(crl.signature_hash_algorithm, SHA384)


@pytest.mark.needs("openssl")
def test_openssl_reads_a_crl_of_ten_thousand_entries(tmp_path: Path) -> None:
    entries = (RevokedCertificate(number + 1, _NOW, "superseded") for number in range(10_000))
    path = tmp_path / "big.crl"
    path.write_bytes(certificate_list(_PLAN, entries, _KEY))
    command = ["openssl", "crl", "-inform", "DER", "-in", str(path), "-noout", "-text"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert text.count("Superseded") == 10_000
    assert "Version 2" in text
