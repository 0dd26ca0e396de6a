"""Authorities from files: which certificate, key and path are read, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pkigen.asn1 import der
from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.model import ImportedCA
from pkigen.plan import Plan, plan
from pkigen.plan.imported_ca import read
from pkigen.plan.path_expectations import PathExpectations
from pkigen.profile import load
from pkigen.profile.specifications import ImportedCASpec
from pkigen.x509 import Certificate

_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_CERT_SIGN, _CRL_SIGN = (x509.KeyUsage(*(n == bit for n in range(9))) for bit in (5, 6))


@dataclass(frozen=True)
class Authority:
    """A CA, with its certificate and its key in PEM."""

    name: x509.Name
    key: Any
    certificate: bytes

    @property
    def der(self) -> bytes:
        return x509.load_pem_x509_certificate(self.certificate).public_bytes(Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        encoded: bytes = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return encoded


def _authority(
    name: str,
    issuer: Authority | None,
    *extensions: x509.ExtensionType,
    ca: bool | None = True,
    key: Any = None,
) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(
        issuer_name=issuer.name if issuer else subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2036, 1, 1, tzinfo=UTC),
    )
    constraints = [] if ca is None else [x509.BasicConstraints(ca=ca, path_length=None)]
    for extension in (*constraints, *extensions):
        builder = builder.add_extension(extension, critical=True)
    certificate = builder.sign(issuer.key if issuer else key, SHA256())
    return Authority(subject, key, certificate.public_bytes(Encoding.PEM))


_ROOT = _authority("root", None)
_MIDDLE = _authority("middle", _ROOT)
_LAB = _authority("lab", _MIDDLE)
_OTHER = _authority("other", None)


def _read(folder: Path, **files: bytes) -> tuple[ImportedCA, tuple[str, ...]]:
    """Read an authority from files: ``certificate``, ``key``, ``chain``."""
    for name, data in files.items():
        (folder / f"{name}.pem").write_bytes(data)
    values = {name: f"{name}.pem" for name in files}
    return read(ImportedCASpec.model_validate(values, context={"folder": folder}))


def _refusal(folder: Path, **files: bytes) -> str:
    with pytest.raises(InputError) as caught:
        _read(folder, **files)
    return str(caught.value).replace(f"{folder}/", "")


def test_the_path_is_read_in_any_order_up_to_the_root(tmp_path: Path) -> None:
    chain = _ROOT.certificate + _OTHER.certificate + _MIDDLE.certificate
    imported, notes = _read(tmp_path, certificate=_LAB.certificate, key=_LAB.key_pem, chain=chain)
    assert imported.certificate == _LAB.der
    assert imported.chain == (_MIDDLE.der, _ROOT.der)
    assert imported.key is not None
    assert notes == ("certificates in its files that are not on its path were not used: CN=other",)


def test_without_a_key_the_lowest_certificate_is_imported(tmp_path: Path) -> None:
    imported, notes = _read(tmp_path, certificate=_ROOT.certificate + _MIDDLE.certificate + _LAB.certificate)
    assert (imported.certificate, imported.key) == (_LAB.der, None)
    assert imported.chain == (_MIDDLE.der, _ROOT.der)
    assert notes == ()


def test_the_key_selects_the_certificate(tmp_path: Path) -> None:
    both = _LAB.certificate + _MIDDLE.certificate + _ROOT.certificate
    keys = _OTHER.key_pem + _MIDDLE.key_pem
    imported, _ = _read(tmp_path, certificate=both, key=keys)
    assert (imported.certificate, imported.chain) == (_MIDDLE.der, (_ROOT.der,))
    imported, _ = _read(tmp_path, certificate=both + _LAB.key_pem)
    assert imported.certificate == _LAB.der


def test_a_path_without_its_root_is_noted(tmp_path: Path) -> None:
    imported, notes = _read(tmp_path, certificate=_LAB.certificate, chain=_MIDDLE.certificate)
    assert imported.chain == (_MIDDLE.der,)
    (note,) = notes
    assert note.startswith("its root is missing: trust.pem contains CN=middle instead")


def test_a_ca_with_the_name_of_the_issuer_and_another_key_is_not_on_the_path(tmp_path: Path) -> None:
    imported, notes = _read(
        tmp_path, certificate=_MIDDLE.certificate, chain=_authority("root", None).certificate
    )
    assert imported.chain == ()
    assert len(notes) == 2


@pytest.mark.parametrize(
    ("authority", "message"),
    [
        (_authority("leaf", _ROOT, ca=False), "is not a CA's: its basic constraints do not say so"),
        (_authority("leaf", _ROOT, ca=None), "is not a CA's: its basic constraints do not say so"),
        (_authority("lister", _ROOT, _CRL_SIGN), "may not issue: its key usage lacks keyCertSign"),
    ],
)
def test_a_certificate_that_cannot_issue_is_refused_with_its_key_only(
    tmp_path: Path, authority: Authority, message: str
) -> None:
    refusal = _refusal(tmp_path, certificate=authority.certificate, key=authority.key_pem)
    assert refusal == f"the certificate in certificate.pem {message}"
    assert _read(tmp_path, certificate=authority.certificate)[0].certificate == authority.der


def test_a_certificate_with_key_cert_sign_can_issue(tmp_path: Path) -> None:
    signer = _authority("signer", None, _CERT_SIGN)
    assert _read(tmp_path, certificate=signer.certificate, key=signer.key_pem)[0].key is not None


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"certificate": _LAB.key_pem}, "certificate.pem contains no certificate"),
        ({"certificate": _LAB.certificate, "key": _LAB.certificate}, "key.pem contains no private key"),
        (
            {"certificate": _LAB.certificate, "key": _ROOT.key_pem},
            "the key in key.pem does not belong to the certificate in certificate.pem",
        ),
        (
            {"certificate": _LAB.certificate, "key": _LAB.key_pem.replace(b"M", b"!", 1)},
            "the key in key.pem cannot be read: ",
        ),
    ],
    ids=["no certificate", "no key", "another key", "unreadable"],
)
def test_files_that_do_not_match_are_refused(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    assert _refusal(tmp_path, **files).startswith(message)


def _of_version_1(authority: Authority) -> bytes:
    """Return the self-signed certificate of an authority without a version and extensions, in PEM."""
    tbs, algorithm, _ = der.children(authority.der)
    _version, *fields, _extensions = der.children(tbs)
    tbs = der.sequence(*fields)
    signature = authority.key.sign(tbs, ec.ECDSA(SHA256()))
    return pem.certificate(der.sequence(tbs, algorithm, der.bit_string(signature)))


def _plan(folder: Path, *, root: bytes = _ROOT.certificate, **fields: Any) -> Plan:
    (folder / "lab.crt").write_bytes(_LAB.certificate + _MIDDLE.certificate + root)
    (folder / "lab.key").write_bytes(_LAB.key_pem)
    files = {"certificate": str(folder / "lab.crt"), "key": str(folder / "lab.key")}
    return plan(
        load(
            {
                "name": "imported",
                "defaults": {"key": "ec-p256"},
                "authorities": {
                    "lab": {"from": {name: files[name] for name in fields.pop("files", files)}},
                    "sub": {"issuer": "lab"},
                },
                "certificates": {"a": {"issuer": "sub"}, "b": {"issuer": "lab", **fields}},
            }
        ),
        _NOW,
        lambda *_: 7,
    )


def test_certificates_below_an_imported_ca_have_its_name_and_end_at_it(tmp_path: Path) -> None:
    planned = _plan(tmp_path)
    lab, sub = planned.authorities
    a, b = planned.certificates()
    assert (lab.key, lab.issuers, lab.certificates) == ("ec-p256", (), ())
    assert lab.crl is not None
    assert sub.issuers == ("authorities/lab",)
    assert (a.issuers, b.issuers) == (("authorities/sub", "authorities/lab"), ("authorities/lab",))
    assert b.certificates[0].issuer == sub.certificates[0].issuer == Certificate(_LAB.der).subject


@pytest.mark.parametrize("root", [_ROOT.certificate, _of_version_1(_ROOT)], ids=["version 3", "version 1"])
def test_paths_below_an_imported_ca_are_expected_to_be_valid(tmp_path: Path, root: bytes) -> None:
    planned = _plan(tmp_path, root=root)
    imported = planned.authorities[0].imported
    assert imported is not None
    assert len(imported.chain) == 2
    expectations = PathExpectations(planned.authorities, _NOW)
    assert [expectations.defect(entity) for entity in planned.certificates()] == [None, None]


def test_a_signature_that_an_imported_key_cannot_make_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"certificates.b.signature: RSA-PSS is for RSA keys"):
        list(_plan(tmp_path, signature="pss-sha256").certificates())


def test_an_imported_ca_without_a_key_is_trusted_only(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'lab' was imported without a key and cannot issue"):
        _plan(tmp_path, files=["certificate"])
    (tmp_path / "wrong.pem").write_bytes(_LAB.key_pem)
    profile = {"name": "w", "authorities": {"lab": {"from": {"certificate": str(tmp_path / "wrong.pem")}}}}
    with pytest.raises(InputError, match=r"authorities.lab.from: .*wrong.pem contains no certificate"):
        plan(load(profile), _NOW, None)
