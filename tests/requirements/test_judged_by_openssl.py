"""Negative cases before the openssl command line: who is right about which path, and what files hold."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.requirements.environments import SETS, Built, Environments
from tests.tools import run

pytestmark = pytest.mark.needs("openssl")

DIVERGENCES: dict[str, dict[str, str]] = {}
"""Set -> fault -> why openssl answers otherwise than the manifest. A stale entry is a failure."""

BY_RELEASE = {
    "rfc5280": {
        "crl-algorithms-agree-algorithms-agree": "OpenSSL 3.0.19 does not compare a CRL's algorithms",
    }
}
"""The same, where some releases of openssl answer as the manifest does."""


def _run(*command: str | Path) -> tuple[int, str]:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def _pem(path: Path, scratch: Path) -> Path:
    """The certificate of a file in PEM: one case's file is PKCS#7."""
    if b"BEGIN PKCS7" not in path.read_bytes():
        return path
    (scratch / "taken-out.crt").write_text(run("openssl", "pkcs7", "-print_certs", "-in", path))
    return scratch / "taken-out.crt"


def _crl_url(certificate: Path) -> str | None:
    text = run("openssl", "x509", "-noout", "-ext", "crlDistributionPoints", "-in", certificate)
    return next((line.split("URI:")[1] for line in text.splitlines() if "URI:" in line), None)


def _verdict(built: Built, case: dict[str, Any], chain: Path, scratch: Path) -> str:
    """What openssl says of a case at the build's clock with a chain; "" when it accepts it.

    Revocation is looked at where the certificate says that there is a CRL.
    """
    certificate = _pem(built.folder / case["files"]["certificate"], scratch)
    at = str(int(built.clock.timestamp()))
    command: list[str | Path] = ["openssl", "verify", "-auth_level", "1", "-policy_check", "-attime", at]
    command += ["-CAfile", built.folder / "trust.pem", "-untrusted", chain]
    command += (
        ["-purpose", "sslserver"] if case.get("fault", {}).get("id", "").endswith("no-serverauth") else []
    )
    command += ["-verify_hostname", case["hosts"][0]] if case["verdict"]["stage"] == "name" else []
    url = _crl_url(certificate)
    if url is not None:
        command.append("-crl_check")
        crl = built.folder / "www" / urlsplit(url).path.lstrip("/")
        command += ["-CRLfile", crl] if crl.is_file() else []
    code, words = _run(*command, certificate)
    return "" if code == 0 else words


def _path(built: Built, case: dict[str, Any], scratch: Path) -> Path:
    """The authorities that the manifest names, in one file: chains are sometimes the fault."""
    files = {one["name"]: one["files"]["certificate"] for one in built.manifest["authorities"]}
    path = scratch / "path.pem"
    path.write_bytes(b"".join((built.folder / files[name]).read_bytes() for name in case["path"]))
    return path


@pytest.mark.parametrize("name", SETS)
def test_openssl_rejects_the_paths_that_the_manifest_expects(
    name: str, environments: Environments, tmp_path: Path
) -> None:
    built = environments.of(name)
    differing = {}
    for fault, case in built.cases.items():
        expected, stage = case["verdict"]["expected"], case["verdict"]["stage"]
        in_chain = case["fault"].get("file") == "chain" and stage == "path"
        chain = built.file(fault, "chain") if in_chain else _path(built, case, tmp_path)
        words = _verdict(built, case, chain, tmp_path)
        # The path of a case whose fault is in the encoding of a file is sound.
        if expected != "varies" and (words == "") != (expected == "accept" or stage == "file"):
            differing[fault] = words or "accepted"
    known = DIVERGENCES.get(name, {})
    some = BY_RELEASE.get(name, {})
    assert {fault: words for fault, words in differing.items() if fault not in {**known, **some}} == {}
    assert known.keys() - differing.keys() == set()


@pytest.mark.parametrize("hierarchy", ["root", "issuing", "policy"])
def test_openssl_accepts_certificates_without_a_fault_with_their_chains(
    hierarchy: str, environments: Environments, tmp_path: Path
) -> None:
    built = environments.of("defender-iot", hierarchy)
    for case in built.manifest["cases"]:
        if "fault" not in case:
            chain = built.folder / case["files"]["chain"]
            assert _verdict(built, case, chain, tmp_path) == ""


@pytest.mark.parametrize("fault", ["chain-issuer-other-ca", "chain-issuer-without-issuer"])
def test_openssl_finds_no_issuer_in_a_chain_that_lacks_it(
    fault: str, environments: Environments, tmp_path: Path
) -> None:
    built = environments.of("defender-iot")
    words = _verdict(built, built.cases[fault], built.file(fault, "chain"), tmp_path)
    assert "unable to get local issuer certificate" in words


WORDS = {
    "not-before-past-not-yet-valid": "certificate is not yet valid",
    "not-after-future-expired": "certificate has expired",
    "not-after-future-by-a-second": "certificate has expired",
    "crl-reachable-unpublished": "unable to get certificate CRL",
    "crl-reachable-stale": "CRL has expired",
    "not-revoked-revoked": "certificate revoked",
    "not-revoked-on-hold": "certificate revoked",
    "chain-of-trust-expired-authority": "error 10 at 1 depth lookup: certificate has expired",
    "chain-of-trust-no-certsign": "invalid CA certificate",
}
ALSO = {
    "chain-of-trust-no-certsign": [
        "error 32 at 1 depth lookup: key usage does not include certificate signing"
    ]
}
"""What openssl adds in other words."""


@pytest.mark.parametrize("fault", WORDS)
def test_openssl_rejects_a_case_only_for_its_fault(
    fault: str, environments: Environments, tmp_path: Path
) -> None:
    built = environments.of("defender-iot")
    words = _verdict(built, built.cases[fault], built.file(fault, "chain"), tmp_path)
    assert WORDS[fault] in words
    others = [line for line in words.splitlines() if "lookup:" in line and WORDS[fault] not in line]
    assert others == ALSO.get(fault, [])


def _text(path: Path) -> str:
    """A certificate in words; versions of openssl differ in the spaces around the sign of equality."""
    return run("openssl", "x509", "-noout", "-text", "-in", path).replace(" = ", "=")


TEXTS = {
    "signature-hash-sha256-sha1": "Signature Algorithm: sha1WithRSAEncryption",
    "signature-hash-sha256-sha384": "Signature Algorithm: sha384WithRSAEncryption",
    "signature-sha256-rsa-pss": "Signature Algorithm: rsassaPss",
    "public-key-2048-rsa-1024": "Public-Key: (1024 bit)",
    "public-key-2048-rsa-2040": "Public-Key: (2040 bit)",
    "public-key-size-rsa-3072": "Public-Key: (3072 bit)",
    "public-key-4096-slow-rsa-4096": "Public-Key: (4096 bit)",
    "public-key-rsa-ec-p256": "NIST CURVE: P-256",
    "public-key-rsa-ed25519": "ED25519 Public-Key:",
    "crl-url-http-https": "URI:https://127.0.0.1:8080/crl/issuing.crl",
    "crl-url-http-ldap": "URI:ldap://127.0.0.1:8080/crl/issuing.crl",
    "subject-cn-no-wildcard-wildcard": "CN=*.",
    "subject-cn-unique-shared": "CN=sensor-01.example.test\n",
}


@pytest.mark.parametrize("fault", TEXTS)
def test_openssl_shows_the_fault_in_the_certificate(fault: str, environments: Environments) -> None:
    path = environments.of("defender-iot").file(fault, "certificate")
    assert TEXTS[fault] in _text(path)


@pytest.mark.parametrize(
    ("fault", "absent"),
    [
        ("crl-distribution-point-missing", "CRL Distribution Points"),
        ("subject-c-missing", "Subject: C="),
        ("subject-ou-missing", "OU=Bench, CN=subject-ou"),
        ("subject-cn-missing", "CN=subject-cn"),
    ],
)
def test_openssl_shows_that_the_element_is_missing(
    fault: str, absent: str, environments: Environments
) -> None:
    built = environments.of("defender-iot")
    assert absent not in _text(built.file(fault, "certificate"))
    assert absent in _text(built.folder / "certificates" / "sensor-01" / "sensor-01.crt").replace(
        "CN=sensor-01", f"CN={fault.rpartition('-')[0]}"
    )


def test_openssl_reads_the_files_as_the_faults_describe(environments: Environments) -> None:
    built = environments.of("defender-iot")
    pkcs7 = built.file("certificate-encoding-pkcs7", "certificate")
    assert "subject=" in run("openssl", "pkcs7", "-print_certs", "-in", pkcs7)
    chain = built.file("chain-encoding-pkcs7", "chain")
    assert run("openssl", "pkcs7", "-print_certs", "-in", chain).count("subject=") == 2
    der = built.file("key-encoding-der", "key")
    assert run("openssl", "pkey", "-inform", "DER", "-in", der, "-noout") == ""
    assert built.file("certificate-suffix-cer", "certificate").suffix == ".cer"
    assert built.file("key-suffix-txt", "key").suffix == ".txt"
    assert built.file("chain-suffix-txt", "chain").suffix == ".txt"


def test_openssl_cannot_decrypt_keys_without_the_right_passphrase(environments: Environments) -> None:
    built = environments.of("defender-iot")
    for fault in ("key-opens-wrong", "key-opens-none"):
        key = built.file(fault, "key")
        assert key.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        given = built.cases[fault]["files"].get("passphrase")
        secret = f"file:{built.folder / given}" if given else "pass:"
        assert _run("openssl", "pkey", "-in", key, "-passin", secret, "-noout")[0] != 0
    assert "passphrase" not in built.cases["key-opens-none"]["files"]


def test_openssl_detects_an_invalid_key_and_a_mismatched_key(environments: Environments) -> None:
    built = environments.of("defender-iot")
    code, words = _run("openssl", "pkey", "-check", "-noout", "-in", built.file("key-sound-unsound", "key"))
    assert code != 0 or "invalid" in words
    other = run("openssl", "pkey", "-pubout", "-in", built.file("key-matches-other", "key"))
    crt = built.file("key-matches-other", "certificate")
    assert other != run("openssl", "x509", "-noout", "-pubkey", "-in", crt)


def test_openssl_opens_the_key_whose_passphrase_has_forbidden_characters(environments: Environments) -> None:
    built = environments.of("defender-iot-current")
    files = built.cases["passphrase-characters-characters"]["files"]
    secret = f"file:{built.folder / files['passphrase']}"
    run("openssl", "pkey", "-in", built.folder / files["key"], "-passin", secret, "-noout")
