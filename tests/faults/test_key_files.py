"""Key files and PKCS#12: what openssl and cryptography find in them, and who may read them."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
    pkcs12,
)

from pkigen import build
from pkigen.cli import main
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS
from tests.faults.conftest import PROFILE
from tests.faults.judging import case_of, openssl_says
from tests.tools import run

FAMILY = [one for one in FAULTS.values() if one.family == "key-files"]
PKCS12 = [one.id for one in FAMILY if one.id.startswith("p12-")]
KEYS = [one.id for one in FAMILY if not one.id.startswith("p12-")]

_NO_KEY = "Could not (read key|find private key)"
"""The messages of OpenSSL 3.0, and of 3.5."""
# What openssl pkey says of a key file, with the passphrase that is given.
REFUSED = {
    "key-encrypted": _NO_KEY,
    "key-encrypted-traditional": "bad decrypt",
    "key-passphrase-wrong": _NO_KEY,
    "key-openssh-format": _NO_KEY,
    "key-truncated": _NO_KEY,
    "key-public-only": _NO_KEY,
    "key-empty": _NO_KEY,
    "key-is-certificate": _NO_KEY,
}
BY_RELEASE = {"key-pkcs1-labelled-pkcs8"}
ANOTHER = {"key-mismatch", "key-type-mismatch", "key-two-first-wrong"}
THE_CERTIFICATES = set(KEYS) - REFUSED.keys() - ANOTHER
CHECKED = {"key-rsa-bad-d": "d e not congruent to 1", "key-rsa-bad-crt": "iqmp not inverse of q"}


def _file(environment: Environment, fault: str, kind: str) -> Path:
    return environment.folder / str(case_of(environment, fault)["files"][kind])


def _given(environment: Environment, fault: str) -> str:
    """The option for the passphrase that an uploader is given."""
    files = case_of(environment, fault)["files"]
    return f"file:{environment.folder / files['passphrase']}" if "passphrase" in files else "pass:"


def _pkey(environment: Environment, fault: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["openssl", "pkey", "-in", str(_file(environment, fault, "key")), *options]
    command += ["-passin", _given(environment, fault)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _is_unread_by_this_release(fault: str, done: subprocess.CompletedProcess[str]) -> bool:
    """Whether this is a file that OpenSSL 3.0 reads and OpenSSL 3.5 does not."""
    return fault in BY_RELEASE and done.returncode != 0 and re.search(_NO_KEY, done.stderr) is not None


def _certified(environment: Environment, fault: str) -> str:
    """The public key in the certificate."""
    return run("openssl", "x509", "-noout", "-pubkey", "-in", _file(environment, fault, "certificate"))


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", REFUSED)
def test_openssl_reads_no_key_from_the_file(catalogue: Environment, fault: str) -> None:
    result = _pkey(catalogue, fault, "-noout")
    assert result.returncode != 0
    assert re.search(REFUSED[fault], result.stderr)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", sorted(ANOTHER))
def test_the_key_is_not_the_certificates(catalogue: Environment, fault: str) -> None:
    result = _pkey(catalogue, fault, "-pubout")
    assert result.returncode == 0
    assert result.stdout != _certified(catalogue, fault)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", sorted(THE_CERTIFICATES))
def test_the_faulty_key_belongs_to_the_certificate(catalogue: Environment, fault: str) -> None:
    result = _pkey(catalogue, fault, "-pubout")
    if not _is_unread_by_this_release(fault, result):
        assert result.stdout == _certified(catalogue, fault)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", sorted(THE_CERTIFICATES))
def test_the_numbers_are_consistent_except_for_the_fault(catalogue: Environment, fault: str) -> None:
    result = _pkey(catalogue, fault, "-noout", "-check")
    if _is_unread_by_this_release(fault, result):
        return
    assert (result.returncode == 0) is (fault not in CHECKED)
    assert CHECKED.get(fault, "Key is valid") in result.stdout + result.stderr


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", [one.id for one in FAMILY])
def test_the_certificate_itself_has_no_fault(catalogue: Environment, fault: str) -> None:
    assert openssl_says(catalogue, fault) == ""


@pytest.mark.parametrize("fault", [one.id for one in FAMILY])
def test_only_the_owner_can_read_secret_files(catalogue: Environment, fault: str) -> None:
    files = case_of(catalogue, fault)["files"]
    assert "passphrase" in files or fault in KEYS
    for kind in ("key", "passphrase", "p12"):
        if kind in files:
            assert stat.S_IMODE((catalogue.folder / files[kind]).stat().st_mode) == 0o600, kind


@pytest.mark.parametrize("fault", KEYS)
def test_no_part_of_a_key_is_in_the_output_of_commands(
    catalogue: Environment, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _file(catalogue, fault, "key")
    for command in (["show"], ["check", "--against", "rfc5280"], ["convert", "--out", str(tmp_path)]):
        main([command[0], str(path), *command[1:]])
    output = "".join(capsys.readouterr())
    if fault != "key-is-certificate":
        lines = [line.strip() for line in path.read_bytes().decode("latin-1").splitlines() if len(line) > 40]
        assert not [line for line in lines if "-----" not in line and line in output]


def test_the_second_of_two_keys_belongs_to_the_certificate(catalogue: Environment) -> None:
    data = _file(catalogue, "key-two-first-wrong", "key").read_bytes()
    texts = [b"-----BEGIN" + text for text in data.split(b"-----BEGIN")[1:]]
    public = [
        load_pem_private_key(text, None)
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for text in texts
    ]
    certified = _certified(catalogue, "key-two-first-wrong").encode()
    assert [one == certified for one in public] == [False, True]


def test_the_curve_parameters_precede_the_key(catalogue: Environment) -> None:
    text = _file(catalogue, "key-ec-parameters-first", "key").read_text()
    begins = [line for line in text.splitlines() if line.startswith("-----BEGIN")]
    assert begins == ["-----BEGIN EC PARAMETERS-----", "-----BEGIN EC PRIVATE KEY-----"]
    assert text.splitlines()[1] == "BggqhkjOPQMBBw=="


def test_openssh_reads_its_own_format(catalogue: Environment) -> None:
    key = load_ssh_private_key(_file(catalogue, "key-openssh-format", "key").read_bytes(), None)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert public.decode() == _certified(catalogue, "key-openssh-format")


@pytest.mark.parametrize(
    ("fault", "label", "first"),
    [
        ("key-pkcs8-labelled-rsa", "RSA PRIVATE KEY", "MIIE"),
        ("key-pkcs1-labelled-pkcs8", "PRIVATE KEY", "MIIE"),
    ],
)
def test_labels_and_formats_are_mixed_up(catalogue: Environment, fault: str, label: str, first: str) -> None:
    text = _file(catalogue, fault, "key").read_text()
    assert text.startswith(f"-----BEGIN {label}-----\n{first}")
    with pytest.raises(ValueError, match="deserialize"):
        load_pem_private_key(text.encode(), None)
    other = {"RSA PRIVATE KEY": "PRIVATE KEY", "PRIVATE KEY": "RSA PRIVATE KEY"}[label]
    right = text.replace(label, other)
    assert load_pem_private_key(right.encode(), None).public_key() is not None


def _pkcs12(environment: Environment, fault: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["openssl", "pkcs12", "-in", str(_file(environment, fault, "p12")), "-nodes", *options]
    command += ["-passin", _given(environment, fault)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.needs("openssl")
def test_no_given_passphrase_opens_the_pkcs12_file(catalogue: Environment) -> None:
    for options in ((), ("-nomacver",)):
        assert _pkcs12(catalogue, "p12-wrong-password", *options).returncode != 0
    assert "Mac verify error" in _pkcs12(catalogue, "p12-wrong-password").stderr


@pytest.mark.needs("openssl")
def test_only_the_mac_is_wrong(catalogue: Environment) -> None:
    assert "Mac verify error" in _pkcs12(catalogue, "p12-bad-mac").stderr
    opened = _pkcs12(catalogue, "p12-bad-mac", "-nomacver")
    assert opened.returncode == 0
    assert opened.stdout.count("BEGIN CERTIFICATE") == 3
    assert opened.stdout.count("BEGIN PRIVATE KEY") == 1


@pytest.mark.needs("openssl")
def test_the_pkcs12_file_has_another_key_with_the_same_identifier(catalogue: Environment) -> None:
    opened = _pkcs12(catalogue, "p12-mismatched-key").stdout
    identifiers = [line.strip() for line in opened.splitlines() if "localKeyID" in line]
    assert len(identifiers) == 2
    assert len(set(identifiers)) == 1
    key = opened[opened.index("-----BEGIN PRIVATE KEY") :].encode()
    public = load_pem_private_key(key, None).public_key()
    text = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert text != _certified(catalogue, "p12-mismatched-key")


@pytest.mark.needs("openssl")
def test_a_pkcs12_file_without_a_certificate_has_the_key(catalogue: Environment) -> None:
    opened = _pkcs12(catalogue, "p12-no-certificate")
    assert opened.returncode == 0
    assert "CERTIFICATE" not in opened.stdout
    assert opened.stdout.count("BEGIN PRIVATE KEY") == 1


@pytest.mark.needs("openssl")
def test_openssl_needs_its_legacy_provider_for_rc2(catalogue: Environment) -> None:
    assert "RC2-40-CBC" in _pkcs12(catalogue, "p12-legacy-rc2").stderr
    opened = _pkcs12(catalogue, "p12-legacy-rc2", "-legacy", "-info")
    assert opened.returncode == 0
    assert "pbeWithSHA1And40BitRC2-CBC" in opened.stderr
    assert "pbeWithSHA1And3-KeyTripleDES-CBC" in opened.stderr
    assert opened.stdout.count("BEGIN CERTIFICATE") == 3


def test_the_library_reads_rc2(catalogue: Environment) -> None:
    passphrase = _file(catalogue, "p12-legacy-rc2", "passphrase").read_bytes().strip()
    store = pkcs12.load_pkcs12(_file(catalogue, "p12-legacy-rc2", "p12").read_bytes(), passphrase)
    assert store.key is not None
    assert store.cert is not None
    assert store.cert.certificate.public_key() == store.key.public_key()
    assert store.cert.friendly_name == b"sensor.p12-legacy-rc2"
    assert len(store.additional_certs) == 2


def _built(tmp_path: Path, **sensor: Any) -> Environment:
    certificate = {**PROFILE["certificates"]["sensor"], **sensor}
    negatives = [{"of": "sensor", "faults": ["key-files/*"]}]
    return build({**PROFILE, "certificates": {"sensor": certificate}, "negatives": negatives}, tmp_path)


@pytest.mark.needs("openssl")
def test_an_encrypted_key_stays_encrypted(tmp_path: Path) -> None:
    environment = _built(tmp_path, key="rsa-2048", passphrase="geheim", pkcs12={"passphrase": "other one"})
    for fault in ("key-mismatch", "key-rsa-bad-d", "key-rsa-bad-crt", "key-type-mismatch", "key-truncated"):
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in _file(environment, fault, "key").read_bytes(), fault
    for fault in ("p12-bad-mac", "p12-legacy-rc2"):
        assert _file(environment, fault, "passphrase").read_bytes() == b"geheim\n"
        assert _pkcs12(environment, fault, "-nomacver", "-legacy").returncode == 0, fault
        assert _pkey(environment, fault, "-pubout").stdout == _certified(environment, fault), fault


@pytest.mark.parametrize(("kind", "passed_over"), [("ed448", ()), ("ml-dsa-44", PKCS12)])
def test_keys_of_every_kind_have_their_applicable_faults(
    kind: str, passed_over: list[str], tmp_path: Path
) -> None:
    environment = _built(tmp_path, key=kind)
    made = {case.data["fault"]["id"] for case in environment.cases() if "fault" in case.data}
    assert made == {one.id for one in FAMILY} - set(passed_over)
