"""What planning accepts, building builds: imported CAs with every kind of key that OpenSSL generates."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.errors import InputError
from pkigen.plan import plan
from pkigen.profile import load
from tests.environment.profiles import manifest

pytestmark = pytest.mark.needs("openssl")

_CURVES = (
    *(
        "secp112r1",
        "secp160k1",
        "prime192v1",
        "secp224r1",
        "secp224k1",
        "prime239v1",
        "prime256v1",
        "secp256k1",
    ),
    *("secp384r1", "secp521r1", "brainpoolP160r1", "brainpoolP256r1", "brainpoolP256t1", "brainpoolP384r1"),
    *("brainpoolP512r1", "sect163k1", "sect233r1", "sect571r1", "SM2"),
)
_RSA = ("genpkey", "-algorithm", "RSA", "-pkeyopt")
_KEYS: dict[str, tuple[str, ...]] = {
    "rsa-512": (*_RSA, "rsa_keygen_bits:512"),
    "rsa-1023": (*_RSA, "rsa_keygen_bits:1023"),
    "rsa-e3": (*_RSA, "rsa_keygen_bits:1024", "-pkeyopt", "rsa_keygen_pubexp:3"),
    "rsa-3-primes": ("genrsa", "-primes", "3", "1024"),
    "rsa-pss": ("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024"),
    "dsa": ("dsaparam", "-genkey", "-noout", "1024"),
    "ed25519": ("genpkey", "-algorithm", "ED25519"),
    "ed448": ("genpkey", "-algorithm", "ED448"),
    "ec-explicit": ("ecparam", "-genkey", "-noout", "-name", "prime256v1", "-param_enc", "explicit"),
    **{f"ec-{curve}": ("ecparam", "-genkey", "-noout", "-name", curve) for curve in _CURVES},
}
_SIGN = {"rsa-512", "rsa-1023", "rsa-e3", "ed25519", "ed448"} | {
    f"ec-{curve}"
    for curve in (
        *("prime192v1", "secp224r1", "prime256v1", "secp256k1", "secp384r1", "secp521r1"),
        *("brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"),
    )
}
"""The keys that sign; ``rsa-3-primes`` depends on the reader of keys."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key and the certificate of a CA for each kind."""
    folder = tmp_path_factory.mktemp("imported")
    for name, command in _KEYS.items():
        _openssl(*command[:1], "-out", f"{folder / name}.key", *command[1:])
        request = ("req", "-x509", "-days", "900", "-subj", f"/CN={name}", "-out", f"{folder / name}.crt")
        _openssl(*request, "-new", "-key", f"{folder / name}.key")
    return folder


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def _profile(names: set[str], *, with_key: bool = True) -> dict[str, Any]:
    authorities = {
        name: {"from": {"certificate": f"{name}.crt", **({"key": f"{name}.key"} if with_key else {})}}
        for name in names
    }
    issuers = names if with_key else set()
    return {
        "name": "kinds",
        "defaults": {"key": "ec-p256"},
        "authorities": authorities | ({} if with_key else {"own": {}}),
        "certificates": {f"of-{name}": {"issuer": name} for name in issuers},
        "requirements": ["rfc5280"] if not with_key else [],
    }


def _plan_accepts(profile: dict[str, Any], files: Path) -> bool:
    try:
        list(plan(load(profile, folder=files), datetime.now(UTC), lambda *_: 1).certificates())
    except InputError:
        return False
    return True


def test_planning_accepts_the_keys_that_sign(files: Path) -> None:
    accepted = {name for name in _KEYS if _plan_accepts(_profile({name}), files)}
    assert accepted - {"rsa-3-primes"} == _SIGN


def test_every_accepted_ca_issues_a_certificate_that_openssl_verifies(files: Path, tmp_path: Path) -> None:
    result = build(load(_profile(_SIGN), folder=files), tmp_path, BuildOptions())
    for case in manifest(result.folder)["cases"]:
        assert case["verdict"]["expected"] == "accept", case["name"]
        trust, certificate = (result.folder / path for path in (*case["trust"], case["files"]["certificate"]))
        crl = result.folder / "authorities" / case["issuer"] / f"{case['issuer']}.crl"
        command = ["verify", "-crl_check", "-CRLfile", str(crl), "-CAfile", str(trust), str(certificate)]
        # OpenSSL refuses RSA keys of 512 bits at higher security levels.
        _openssl(command[0], "-auth_level", "0", *command[1:])


def test_a_ca_of_every_key_kind_can_be_imported_without_its_key(files: Path, tmp_path: Path) -> None:
    profile = _profile(set(_KEYS), with_key=False)
    assert _plan_accepts(profile, files)
    result = build(load(profile, folder=files), tmp_path, BuildOptions())
    assert len(manifest(result.folder)["authorities"]) == len(_KEYS) + 1


@pytest.mark.parametrize(("name", "signature"), [("rsa-512", "sha512"), ("ec-prime256v1", "pss-sha256")])
def test_a_signature_that_an_imported_key_cannot_create_is_reported_with_its_place(
    files: Path, name: str, signature: str
) -> None:
    profile = _profile({name})
    profile["certificates"][f"of-{name}"]["signature"] = signature
    with pytest.raises(InputError) as error:
        list(plan(load(profile, folder=files), datetime.now(UTC), lambda *_: 1).certificates())
    assert error.value.problems[0].where == f"certificates.of-{name}.signature"
