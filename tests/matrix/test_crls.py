"""CRLs that do not clear a certificate: the checks of the Go program and of other validators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ObjectIdentifier

from pkigen.environment.environment import Environment
from pkigen.matrix import VALIDATORS, MatrixCase

Builder = x509.CertificateRevocationListBuilder
_UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.55738.99.2"), b"\x05\x00")
_COLUMNS = {"openssl", "gnutls", "go"}
# GnuTLS passes over extensions of CRLs, critical ones and scopes included.
_BUT_GNUTLS = {"openssl", "go"}


@dataclass
class Issuing:
    """The issuing CA of a case, which signs what a test asks for."""

    case: MatrixCase
    folder: Path
    certificate: x509.Certificate
    key: RSAPrivateKey

    def builder(self, age: timedelta = timedelta(hours=1)) -> Builder:
        """A CRL for a week that was issued so long ago."""
        begins = self.case.at - age
        builder = Builder().issuer_name(self.certificate.subject).last_update(begins)
        return builder.next_update(begins + timedelta(days=7))

    def refusing(self, builder: Builder, encoding: Encoding = Encoding.DER) -> set[str]:
        """The columns that refuse the case for its CRLs when this is that of its issuer."""
        path = self.folder / "issuing.crl"
        path.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(encoding))
        return self.refusing_files(path, self.case.crls[1])

    def refusing_files(self, *paths: Path) -> set[str]:
        """The columns that refuse the case for its CRLs when these are published."""
        case = replace(self.case, crls=paths)
        columns = (one for one in VALIDATORS if one.name in _COLUMNS)
        parts = {one.name: one.judge([case])[case.name].parts for one in columns}
        assert all(verdicts["path"] for verdicts in parts.values())
        return {name for name, verdicts in parts.items() if verdicts["crl"] is False}


@pytest.fixture
def issuing(environment: Environment, cases: dict[str, MatrixCase], tmp_path: Path) -> Issuing:
    own = environment.folder / "authorities" / "issuing"
    key = load_pem_private_key((own / "issuing.key").read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    certificate = x509.load_pem_x509_certificate((own / "issuing.crt").read_bytes())
    return Issuing(cases["sound"], tmp_path, certificate, key)


def _entry(issuing: Issuing, serial: int) -> x509.RevokedCertificateBuilder:
    builder = x509.RevokedCertificateBuilder().serial_number(serial)
    return builder.revocation_date(issuing.case.at - timedelta(days=1))


def _of_unknown_entry(issuing: Issuing) -> Builder:
    entry = _entry(issuing, 1).add_extension(_UNKNOWN, critical=True).build()
    return issuing.builder().add_revoked_certificate(entry)


def _revoking(issuing: Issuing) -> Builder:
    leaf = x509.load_pem_x509_certificate(issuing.case.certificate.read_bytes())
    return issuing.builder().add_revoked_certificate(_entry(issuing, leaf.serial_number).build())


def _scope(
    *,
    url: str | None = None,
    user: bool = False,
    ca: bool = False,
    indirect: bool = False,
    reasons: frozenset[x509.ReasonFlags] | None = None,
) -> Callable[[Issuing], Builder]:
    name = [x509.UniformResourceIdentifier(url)] if url else None
    scope = x509.IssuingDistributionPoint(name, None, user, ca, reasons, indirect, False)
    return lambda issuing: issuing.builder().add_extension(scope, critical=True)


URL = "http://127.0.0.1:8080/crl/issuing.crl"
# The CRL, and the columns that refuse it.
CRLS: dict[str, tuple[Callable[[Issuing], Builder], set[str]]] = {
    "sound": (Issuing.builder, set()),
    "of its distribution point": (_scope(url=URL), set()),
    "of end entities": (_scope(user=True), set()),
    "revoking": (_revoking, _COLUMNS),
    "stale": (lambda issuing: issuing.builder(timedelta(days=8)), _COLUMNS),
    "of the future": (lambda issuing: issuing.builder(timedelta(days=-1)), _COLUMNS),
    "of another distribution point": (_scope(url=f"{URL}.other"), _BUT_GNUTLS),
    "of authorities": (_scope(ca=True), _BUT_GNUTLS),
    "of one reason": (_scope(reasons=frozenset([x509.ReasonFlags.superseded])), _BUT_GNUTLS),
    "indirect": (_scope(indirect=True), _BUT_GNUTLS),
    "with a critical extension": (
        lambda issuing: issuing.builder().add_extension(_UNKNOWN, critical=True),
        _BUT_GNUTLS,
    ),
    "with a critical extension of an entry": (_of_unknown_entry, _BUT_GNUTLS),
}


@pytest.mark.needs("openssl", "certtool", "faketime", "go")
@pytest.mark.parametrize("kind", CRLS)
def test_a_crl_decides_about_a_certificate(issuing: Issuing, kind: str) -> None:
    build, refusing = CRLS[kind]
    assert issuing.refusing(build(issuing)) == refusing


@pytest.mark.needs("openssl", "certtool", "faketime", "go")
def test_go_reads_only_der(issuing: Issuing) -> None:
    assert issuing.refusing(issuing.builder(), Encoding.PEM) == {"go"}


@pytest.mark.needs("openssl", "certtool", "faketime", "go")
def test_a_crl_must_be_signed_by_its_issuer(issuing: Issuing) -> None:
    issuing.key = generate_private_key(65537, 2048)
    assert issuing.refusing(issuing.builder()) == _COLUMNS
    assert issuing.refusing(_revoking(issuing)) == _COLUMNS


@pytest.mark.needs("openssl", "certtool", "faketime", "go")
def test_validators_without_a_crl_reject_except_gnutls(issuing: Issuing) -> None:
    assert issuing.refusing_files() == _BUT_GNUTLS
    assert issuing.refusing_files(issuing.case.crls[1]) == _BUT_GNUTLS
