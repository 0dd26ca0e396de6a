"""CAs in memory: OpenSSL judges their certificates, and nothing is written unless requested."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import pkigen
from tests.tools import run


@pytest.fixture(scope="module")
def ca() -> pkigen.CA:
    return pkigen.CA("Test Root CA")


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> ssl.SSLObject:
    """Do a handshake in memory and return the server's side; raises the SSLError of either side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_side = client.wrap_bio(to_client, to_server, server_hostname=host)
    server_side = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (client_side, server_side) * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return server_side


def test_three_lines_configure_a_server(ca: pkigen.CA) -> None:
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ca.issue("host.test").configure(server)
    ca.configure_trust(client)
    handshake(server, client, "host.test")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(server, client, "other.test")


def test_mutual_tls_requires_a_certificate_of_the_same_ca(ca: pkigen.CA) -> None:
    server = ca.issue("host.test").ssl_context(client_auth=True)
    client = ca.issue("sensor-01").ssl_context("client")
    presented = handshake(server, client, "host.test").getpeercert()
    assert presented is not None
    assert presented["subject"] == ((("commonName", "sensor-01"),),)
    stranger = pkigen.CA().issue("sensor-01").ssl_context("client")
    ca.configure_trust(stranger)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        handshake(server, stranger, "host.test")


@pytest.mark.needs("openssl")
def test_openssl_verifies_a_certificate_below_two_cas(ca: pkigen.CA, tmp_path: Path) -> None:
    certificate = ca.issue_ca("Issuing A").issue_ca("Issuing B").issue("host.test", "10.0.0.1", "[::1]"[1:-1])
    folder = certificate.write(tmp_path / "files")
    arguments = ("-CAfile", "trust.pem", "-untrusted", "chain.pem", "-verify_ip", "10.0.0.1", "-x509_strict")
    assert "OK" in run("openssl", "verify", *arguments, f"{certificate.name}.crt", cwd=folder)
    assert stat.S_IMODE((folder / f"{certificate.name}.key").stat().st_mode) == 0o600


def test_names_are_recognized_by_their_form(ca: pkigen.CA) -> None:
    names = ("*.host.test", "10.0.0.1", "a@host.test", "urn://host.test/x")
    certificate = x509.load_der_x509_certificate(ca.issue(*names).der)
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    kinds = [type(one).__name__ for one in extension]
    assert kinds == ["DNSName", "IPAddress", "RFC822Name", "UniformResourceIdentifier"]


def test_the_key_belongs_to_the_certificate_and_the_ca_to_its_key(ca: pkigen.CA) -> None:
    certificate = ca.issue("host.test", key="rsa-2048", valid="30d")
    for pem, key in ((certificate.certificate_pem, certificate.key_pem), (ca.certificate_pem, ca.key_pem)):
        assert (
            load_pem_private_key(key, None).public_key() == x509.load_pem_x509_certificate(pem).public_key()
        )
    assert certificate.chain_pem == ca.trust_pem


def test_a_faulty_certificate_in_memory_is_rejected(ca: pkigen.CA) -> None:
    certificate = ca.issue_ca().issue("host.test", faults=["expired-intermediate"])
    assert (certificate.fault, certificate.expected) == ("expired-intermediate", "reject")
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        handshake(certificate.server_context(), certificate.client_context(), "host.test")
    with pytest.raises(pkigen.InputError, match="no such fault: 'expiredd'"):
        ca.issue("host.test", faults=["expiredd"])


def test_a_fault_outside_the_certificate_needs_an_environment(ca: pkigen.CA) -> None:
    with pytest.raises(pkigen.InputError, match=r"build an environment with pkigen\.build"):
        ca.issue("host.test", faults=["crl-expired"])
    with pytest.raises(pkigen.InputError, match="needs a second certificate"):
        ca.issue("host.test", faults=["serial-duplicate"])


def test_a_passphrase_protects_the_key_and_is_not_needed_again(ca: pkigen.CA) -> None:
    certificate = ca.issue("host.test", passphrase="open sesame")
    assert b"ENCRYPTED" in certificate.key_pem
    handshake(certificate.server_context(), certificate.client_context(), "host.test")


def test_a_chain_that_is_not_among_the_files_is_presented(ca: pkigen.CA) -> None:
    below = ca.issue_ca("Issuing A")
    certificate = below.issue("host.test", files=["crt", "key"])
    assert set(certificate.files) == {"host-test.crt", "host-test.key"}
    assert certificate.chain_pem == below.certificate_pem + ca.certificate_pem
    handshake(certificate.server_context(), certificate.client_context(), "host.test")


def test_a_key_that_is_not_among_the_files_is_an_error(ca: pkigen.CA) -> None:
    certificate = ca.issue("host.test", files=["crt"])
    with pytest.raises(
        pkigen.InputError, match="host-test has no key: only its owner has the private key, or 'files'"
    ):
        certificate.server_context()
    with pytest.raises(pkigen.InputError, match="host-test has no key"):
        _ = certificate.key_pem


def test_a_certificate_without_a_name_is_an_error(ca: pkigen.CA) -> None:
    with pytest.raises(pkigen.InputError, match="specify a host name"):
        ca.issue()


def test_nothing_is_written_unless_requested(
    ca: pkigen.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    certificate = ca.issue("host.test", formats=["pkcs12"])
    certificate.configure(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    assert pkigen.verify(certificate, host="host.test").accepted
    with certificate.written() as folder:
        assert {path.name for path in folder.iterdir()} >= {"host-test.crt", "host-test.p12", "trust.pem"}
    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_can_read_files_with_a_private_key(ca: pkigen.CA, tmp_path: Path) -> None:
    (tmp_path / "host-test.key.der").touch(mode=0o644)
    ca.issue("host.test", formats=["key-der", "pkcs12", "zip"]).write(tmp_path)
    public = {path.name for path in tmp_path.iterdir() if stat.S_IMODE(path.stat().st_mode) != 0o600}
    assert public == {"host-test.crt", "chain.pem", "trust.pem"}
