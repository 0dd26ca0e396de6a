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

from pkigen.asn1 import der, names
from pkigen.keys import key_identifier, public_key_info
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import FreshKeys
from pkigen.model import REASON_CODES, Edit, EditOp, Extension, KeyIdentifier, Signature
from pkigen.revocation import CertificateListPlan, RevokedCertificate, certificate_list
from pkigen.revocation.crl import (
    certificate_issuer,
    crl_scope,
    delta_indicator,
    freshest_crl,
    invalidity_date,
    issuing_distribution_point,
)

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


def test_crl_extensions_are_those_of_cryptography() -> None:
    url = "http://crl.test/1.crl"
    names_of_point = [x509.UniformResourceIdentifier(url)]
    reasons = frozenset({x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise})
    point = x509.DistributionPoint(names_of_point, None, None, None)
    issuer = [x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Other")]))]

    def distribution_point(some: frozenset[x509.ReasonFlags] | None, *, indirect: bool) -> x509.ExtensionType:
        return x509.IssuingDistributionPoint(names_of_point, None, False, False, some, indirect, False)

    expected = [
        (issuing_distribution_point(url), True, distribution_point(None, indirect=False)),
        (
            issuing_distribution_point(url, reasons=["cACompromise", "keyCompromise"]),
            True,
            distribution_point(reasons, indirect=False),
        ),
        (issuing_distribution_point(url, indirect=True), True, distribution_point(None, indirect=True)),
        (freshest_crl(url), False, x509.FreshestCRL([point])),
        (delta_indicator(300), True, x509.DeltaCRLIndicator(300)),
        (invalidity_date(_NOW), False, x509.InvalidityDate(_NOW)),
        (
            certificate_issuer(names.encode(names.name([("CN", "Other")]))),
            True,
            x509.CertificateIssuer(issuer),
        ),
    ]
    for extension, critical, value in expected:
        assert (extension.oid, extension.critical) == (value.oid.dotted_string, critical)
        assert extension.value == value.public_bytes()


def test_a_url_with_other_characters_than_ascii_is_rejected() -> None:
    with pytest.raises(UnicodeEncodeError):
        freshest_crl("http://ü.test/1.crl")


def test_an_entry_states_the_number_of_its_reason() -> None:
    assert RevokedCertificate(1, _NOW, "aACompromise").code == 10


def test_edits_before_the_signature_keep_it_valid_and_others_do_not() -> None:
    edit = Edit((3,), EditOp.REPLACE, der.time(_NOW - timedelta(days=1)))
    before = x509.load_der_x509_crl(certificate_list(_PLAN, [], _KEY, edits=(edit,)))
    unsigned = replace(edit, path=(0, 3), signed=False)
    after = x509.load_der_x509_crl(certificate_list(_PLAN, [], _KEY, edits=(unsigned,)))
    assert isinstance(_KEY, EllipticCurvePrivateKey)
    assert before.last_update_utc == after.last_update_utc == _NOW - timedelta(days=1)
    assert before.is_signature_valid(_KEY.public_key())
    assert not after.is_signature_valid(_KEY.public_key())


def test_placeholders_of_key_identifiers_are_left_out() -> None:
    placeholder = Extension("1.2.3.4", False, KeyIdentifier.SUBJECT)
    crl = certificate_list(replace(_PLAN, extensions=(placeholder,)), [], _KEY)
    assert len(x509.load_der_x509_crl(crl).extensions) == 2


@pytest.mark.needs("openssl")
def test_openssl_reads_a_crl_of_ten_thousand_entries(tmp_path: Path) -> None:
    entries = (RevokedCertificate(number + 1, _NOW, "superseded") for number in range(10_000))
    path = tmp_path / "big.crl"
    path.write_bytes(certificate_list(_PLAN, entries, _KEY))
    command = ["openssl", "crl", "-inform", "DER", "-in", str(path), "-noout", "-text"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert text.count("Superseded") == 10_000
    assert "Version 2" in text


@pytest.mark.parametrize("only", [None, "user", "ca", "attribute"])
def test_the_scope_of_a_crl_names_the_kind_of_its_certificates(only: str | None) -> None:
    kinds = [only == kind for kind in ("user", "ca", "attribute")]
    user, ca, attribute = kinds
    url = b"http://pki.test/x.crl"
    point = der.explicit(0, der.explicit(0, der.tlv(0x86, url)))
    name = [x509.UniformResourceIdentifier(url.decode())]
    expected = x509.IssuingDistributionPoint(name, None, user, ca, None, False, attribute)
    assert crl_scope(point, only=only).value == expected.public_bytes()
