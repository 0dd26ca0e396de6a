"""An authority with ``crl: none`` publishes no CRL, and its certificates have no distribution point."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.ocsp import load_der_ocsp_response

from pkigen.clock import utc_now
from pkigen.environment.ocsp.responder import OcspResponder
from pkigen.environment.revoke import refresh_crl, revoke
from pkigen.errors import InputError
from pkigen.inspection.artifacts import read_path
from pkigen.inspection.description import describe
from tests.environment.profiles import Document, build_it, crls, manifest, small


def _document(**certificates: object) -> Document:
    document = small()
    document["authorities"]["issuing"]["crl"] = "none"
    document["certificates"] |= certificates
    return document


def _certificate(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"certificates/{name}/{name}.crt").read_bytes())


def _has_points(certificate: x509.Certificate) -> bool:
    oid = x509.CRLDistributionPoints.oid
    return any(extension.oid == oid for extension in certificate.extensions)


def test_no_crl_is_published_and_no_certificate_names_one(tmp_path: Path) -> None:
    result = build_it(_document(), tmp_path)
    assert crls(result) == {"root"}
    assert not _has_points(_certificate(result.folder, "console"))
    issuing = (result.folder / "authorities/issuing/issuing.crt").read_bytes()
    assert _has_points(x509.load_pem_x509_certificate(issuing))
    assert not (result.folder / "www/crl/issuing.crl").exists()
    entries = {one["name"]: one for one in manifest(result.folder)["authorities"]}
    assert entries["issuing"].get("crl") is None
    assert "crl" in entries["root"]
    assert crls(build_it(_document(), tmp_path)) == set()


@pytest.mark.parametrize(
    ("names", "command", "words"),
    [
        (["console"], revoke, "cannot be revoked: its issuer, authorities/issuing, publishes no CRL. If"),
        (["issuing"], refresh_crl, "authorities/issuing publishes no CRL"),
    ],
)
def test_a_command_that_needs_the_crl_says_so(
    names: list[str], command: Callable[[Path, list[str]], object], words: str, tmp_path: Path
) -> None:
    folder = build_it(_document(), tmp_path).folder
    with pytest.raises(InputError, match=words):
        command(folder, names)


def test_without_a_crl_the_ocsp_responder_reports_revocations(tmp_path: Path) -> None:
    document = _document(gone={"issuer": "issuing", "revoked": "superseded"})
    document["authorities"]["issuing"]["ocsp"] = {}
    folder = build_it(document, tmp_path).folder
    revoke(folder, ["console"], reason="keyCompromise")
    responder = OcspResponder(folder, lambda: manifest(folder), utc_now)
    reasons = {
        name: load_der_ocsp_response(
            responder.respond_about("issuing", _certificate(folder, name).serial_number).response
        ).revocation_reason
        for name in ("console", "gone", "sensor-01")
    }
    assert reasons == {
        "console": x509.ReasonFlags.key_compromise,
        "gone": x509.ReasonFlags.superseded,
        "sensor-01": None,
    }
    assert crls(build_it(document, tmp_path)) == set()


def test_a_crl_that_is_added_later_leads_the_reissued_certificates_to_it(tmp_path: Path) -> None:
    build_it(_document(), tmp_path)
    result = build_it(small(), tmp_path)
    assert "issuing" in crls(result)
    assert _has_points(_certificate(result.folder, "console"))


@pytest.mark.needs("openssl")
def test_openssl_reads_the_undefined_expiration_date_and_the_typed_extensions(tmp_path: Path) -> None:
    device = {
        "issuer": "issuing",
        "subject": {"CN": "device.test"},
        "valid": {"to": "never"},
        "san": ["hardware:1.3.6.1.4.1.40732.1.1/SN-1", "smtputf8:\u00e4@a.test"],
        "windows_sid": "S-1-5-21-1-2-3-1104",
        "certificate_template_name": "DomainController",
        "modbus_role": "Operator",
        "no_rev_avail": True,
        "scts": 2,
    }
    folder = build_it(_document(device=device), tmp_path).folder
    path = folder / "certificates/device/device.crt"
    command = ["openssl", "x509", "-in", str(path), "-noout", "-text", "-enddate"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "notAfter=Dec 31 23:59:59 9999 GMT" in text
    assert text.count("Signed Certificate Timestamp:") == 2
    parsed = subprocess.run(
        ["openssl", "asn1parse", "-in", str(path)], capture_output=True, text=True, check=True
    ).stdout
    assert "GENERALIZEDTIME   :99991231235959Z" in parsed
    output = str(describe(read_path(path), utc_now()))
    for value in (
        "no well-defined end",
        "hardware:1.3.6.1.4.1.40732.1.1/SN-1",
        "S-1-5-21-1-2-3-1104",
        "DomainController",
        "Operator",
        "publishes no revocation information",
    ):
        assert value in output
