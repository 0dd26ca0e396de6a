"""Key files: openssl reads every format, with and without a passphrase."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from pkigen.errors import InputError
from pkigen.formats.private_keys import has_traditional, openssh, pkcs8, traditional
from pkigen.formats.read import read_private_key
from pkigen.keys import public_key_info, to_pkcs8
from pkigen.keys.entropy import SeededEntropy, SystemEntropy
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import SeededKeys

_KINDS = ["rsa-1024", "ec-p256", "ec-p521", "ed25519", "ed448"]


def _openssl_public(path: Path, passphrase: str) -> bytes:
    command = ["openssl", "pkey", "-in", str(path), "-passin", f"pass:{passphrase}"]
    return subprocess.run([*command, "-pubout", "-outform", "DER"], capture_output=True, check=True).stdout


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("passphrase", [None, b"geheim ! ~"])
@pytest.mark.parametrize("name", _KINDS)
def test_openssl_reads_every_key_format(tmp_path: Path, name: str, passphrase: bytes | None) -> None:
    private = SeededKeys("x").generate(parse_kind(name), "owner")
    key, public = to_pkcs8(private), public_key_info(private)
    writers = [pkcs8, traditional] if has_traditional(parse_kind(name).family) else [pkcs8]
    for write in writers:
        path = tmp_path / write.__name__
        path.write_bytes(write(key, passphrase, SystemEntropy()))
        assert _openssl_public(path, (passphrase or b"").decode()) == public
        assert read_private_key(path.read_bytes(), passphrase) == key


def test_encryption_of_a_key_is_reproducible_only_with_a_seed() -> None:
    key = to_pkcs8(SeededKeys("x").generate(parse_kind("ec-p256"), "owner"))
    for write in (pkcs8, traditional):
        assert write(key, b"p", SeededEntropy("x")) == write(key, b"p", SeededEntropy("x"))
        assert write(key, b"p", SystemEntropy()) != write(key, b"p", SystemEntropy())


@pytest.mark.parametrize("name", ["rsa-1024", "ec-p256", "ec-p521", "ed25519"])
def test_the_openssh_format_is_reproducible_with_a_seed(name: str) -> None:
    private = SeededKeys("x").generate(parse_kind(name), "owner")
    encoded = openssh(to_pkcs8(private), SeededEntropy("x"))
    assert encoded == openssh(to_pkcs8(private), SeededEntropy("x"))
    read = load_ssh_private_key(encoded, None).public_key()
    assert read.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == public_key_info(private)


def test_openssh_has_no_format_for_some_keys() -> None:
    with pytest.raises(ValueError, match="Unsupported key type"):
        openssh(to_pkcs8(SeededKeys("x").generate(parse_kind("ed448"), "owner")), SystemEntropy())


@pytest.mark.parametrize("write", [pkcs8, traditional])
def test_a_wrong_or_missing_passphrase_is_reported(write: object) -> None:
    assert callable(write)
    key = to_pkcs8(SeededKeys("x").generate(parse_kind("ec-p256"), "owner"))
    data = write(key, b"right", SystemEntropy())
    with pytest.raises(InputError, match="passphrase is wrong"):
        read_private_key(data, b"wrong")
    with pytest.raises(InputError, match="no passphrase was given"):
        read_private_key(data, None)


@pytest.mark.parametrize(
    "junk", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_junk_is_not_a_private_key(junk: bytes) -> None:
    with pytest.raises(InputError, match="not a private key"):
        read_private_key(junk, None)
