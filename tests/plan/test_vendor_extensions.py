"""Extensions of Windows, Modbus and certificate transparency, compared with independent programs."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from pkigen.asn1 import oids
from pkigen.model import CrlPlan, Extension, Signature
from pkigen.plan.crl_distribution import points
from pkigen.plan.defaults import Extensions, Setting
from pkigen.plan.digest import digest
from pkigen.profile import CertificateSpec
from pkigen.x509.timestamps import sct, sct_list

_CLOCK = datetime(2026, 11, 23, 12, tzinfo=UTC)
_POINTS, _FRESHEST = points(CrlPlan(1, "http://pki.test/crl/issuing.crl"), 0, None)
_OCSP = "http://pki.test/ocsp"
_SID = "S-1-5-21-1004336348-1177238915-682003330-1104"


def _extensions(clock: datetime = _CLOCK, **fields: Any) -> dict[str, Extension]:
    spec = CertificateSpec.model_validate({"issuer": "issuing", "subject": {"CN": "a.test"}, **fields})
    setting = Setting("issuing", "http://pki.test", False, False, _POINTS, None, _OCSP, clock)
    return {one.oid: one for one in Extensions()(spec, setting)}


_OPENSSL = [
    (
        {"windows_sid": _SID},
        oids.SECURITY_IDENTIFIER,
        f"""SEQUENCE:names
[names]
name = IMPLICIT:0, SEQUENCE:other
[other]
type = OID:1.3.6.1.4.1.311.25.2.1
value = EXPLICIT:0, FORMAT:ASCII, OCTETSTRING:{_SID}""",
    ),
    (
        {"certificate_template": {"oid": "1.3.6.1.4.1.311.21.8.1", "major": "100", "minor": "4"}},
        oids.CERTIFICATE_TEMPLATE,
        "SEQUENCE:t\n[t]\noid = OID:1.3.6.1.4.1.311.21.8.1\nmajor = INTEGER:100\nminor = INTEGER:4",
    ),
    (
        {"certificate_template": "1.3.6.1.4.1.311.21.8.1"},
        oids.CERTIFICATE_TEMPLATE,
        "SEQUENCE:template\n[template]\noid = OID:1.3.6.1.4.1.311.21.8.1",
    ),
    (
        {"certificate_template_name": "DomainController"},
        oids.CERTIFICATE_TEMPLATE_NAME,
        "BMPSTRING:DomainController",
    ),
    ({"modbus_role": "Bediener"}, oids.MODBUS_ROLE, "UTF8String:Bediener"),
    ({"no_rev_avail": "true"}, oids.NO_REVOCATION_AVAILABLE, "NULL"),
]
_OTHER_NAMES = [
    (
        "hardware:1.3.6.1.4.1.40732.1.1/SN-4711",
        oids.HARDWARE_MODULE_NAME,
        "SEQUENCE:m\n[m]\ntype = OID:1.3.6.1.4.1.40732.1.1\nserial = FORMAT:ASCII, OCTETSTRING:SN-4711",
    ),
    (
        "hardware:1.3.6.1.4.1.40732.1.1/0x00ff",
        oids.HARDWARE_MODULE_NAME,
        "SEQUENCE:m\n[m]\ntype = OID:1.3.6.1.4.1.40732.1.1\nserial = FORMAT:HEX, OCTETSTRING:00FF",
    ),
    (
        "ntds:06294bac-d6aa-4f5d-a99c-4cbcb06a65d9",
        oids.NTDS_GUID,
        "FORMAT:HEX, OCTETSTRING:ac4b2906aad65d4fa99c4cbcb06a65d9",
    ),
    ("smtputf8:ä@a.test", oids.SMTP_UTF8_MAILBOX, "FORMAT:UTF8, UTF8String:ä@a.test"),
]


def _by_openssl(folder: Path, description: str) -> bytes:
    (folder / "conf").write_text(f"asn1 = {description}\n", encoding="utf-8")
    command = ["openssl", "asn1parse", "-genconf", "conf", "-noout", "-out", "value.der"]
    subprocess.run(command, cwd=folder, check=True)
    return (folder / "value.der").read_bytes()


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(("fields", "oid", "description"), _OPENSSL)
def test_an_extension_is_encoded_as_by_openssl(
    fields: dict[str, Any], oid: str, description: str, tmp_path: Path
) -> None:
    assert _extensions(**fields)[oid] == Extension(oid, False, _by_openssl(tmp_path, description))


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(("name", "type_id", "description"), _OTHER_NAMES)
def test_an_other_name_is_encoded_as_by_openssl(
    name: str, type_id: str, description: str, tmp_path: Path
) -> None:
    value = _by_openssl(tmp_path, description)
    theirs = x509.SubjectAlternativeName([x509.OtherName(x509.ObjectIdentifier(type_id), value)])
    assert _extensions(san=[name])[oids.SUBJECT_ALTERNATIVE_NAME].value == theirs.public_bytes()


def test_cryptography_reads_the_log_the_time_and_the_signature_of_each_timestamp() -> None:
    extension = _extensions(scts=["argon", {"log": "ab" * 32, "at": "-2h"}])[
        oids.SIGNED_CERTIFICATE_TIMESTAMPS
    ]
    theirs = list(_timestamps(extension))
    assert [one.log_id for one in theirs] == [sha256(b"argon").digest(), b"\xab" * 32]
    assert [one.timestamp for one in theirs] == [
        instant.replace(tzinfo=None) for instant in (_CLOCK, _CLOCK - timedelta(hours=2))
    ]
    assert [one.signature_algorithm.name for one in theirs] == ["ECDSA", "ECDSA"]
    assert len(list(_timestamps(_extensions(scts="3")[extension.oid]))) == 3


def _timestamps(extension: Extension) -> x509.PrecertificateSignedCertificateTimestamps:
    """Return the timestamps as cryptography reads them in a certificate."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    assert isinstance(extension.value, bytes)
    key, name = ec.derive_private_key(1, ec.SECP256R1()), x509.Name([])
    unrecognized = x509.UnrecognizedExtension(x509.ObjectIdentifier(extension.oid), extension.value)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, _CLOCK, _CLOCK)
    certificate = builder.add_extension(unrecognized, extension.critical).sign(key, SHA256())
    return certificate.extensions.get_extension_for_class(
        x509.PrecertificateSignedCertificateTimestamps
    ).value


def _digest(clock: datetime, scts: Any) -> str:
    return _digest_of(_extensions(clock, scts=scts)[oids.SIGNED_CERTIFICATE_TIMESTAMPS])


def _digest_of(extension: Extension) -> str:
    return digest((), (), Signature(), "", (extension,))


def test_the_time_of_a_real_timestamp_that_is_stated_as_der_causes_a_reissue() -> None:
    digests = {
        _digest_of(Extension(oids.SIGNED_CERTIFICATE_TIMESTAMPS, False, sct_list([sct(bytes(32), at, b"")])))
        for at in (_CLOCK, _CLOCK + timedelta(seconds=1))
    }
    assert len(digests) == 2


def test_timestamps_relative_to_the_clock_do_not_cause_a_reissue_and_changed_ones_do() -> None:
    later = _CLOCK + timedelta(days=30)
    assert _digest(_CLOCK, ["a"]) == _digest(later, ["a"])
    assert _digest(_CLOCK, ["a"]) != _digest(_CLOCK, ["b"])
    assert _digest(_CLOCK, ["a"]) != _digest(_CLOCK, [{"log": "a", "at": "-1h"}])
    assert _digest(_CLOCK, [{"log": "a", "at": "2026-01-01"}]) != _digest(
        _CLOCK, [{"log": "a", "at": "2026-01-02"}]
    )


def test_a_certificate_with_no_rev_avail_names_no_source_of_revocation_unless_it_is_stated() -> None:
    sources = {oids.CRL_DISTRIBUTION_POINTS, oids.AUTHORITY_INFORMATION_ACCESS}
    assert sources <= _extensions().keys()
    assert not sources & _extensions(no_rev_avail="true").keys()
    stated = _extensions(no_rev_avail="true", crl_distribution_points=["http://a.test/a.crl"])
    assert oids.CRL_DISTRIBUTION_POINTS in stated
