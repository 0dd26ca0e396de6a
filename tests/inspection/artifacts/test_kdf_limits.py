"""Work that a file asks for: counted before it is done, in whatever way it is written."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_der_private_key,
    pkcs12,
)

from pkigen.asn1 import der
from pkigen.formats import pem
from pkigen.inspection.artifacts import Kind, read
from pkigen.inspection.artifacts.kdf_limits import MAX_ITERATIONS, kdf_iterations
from tests.tools import ROOT

SECRET = b"seed-passphrase"
PBKDF2 = der.oid("1.2.840.113549.1.5.12")
SCRYPT = der.oid("1.3.6.1.4.1.11591.4.11")
MAC_ROUNDS = 2048
SALT = der.octet_string(b"salt" * 2)
MAC_DATA = der.sequence(der.sequence(), SALT, der.integer(0x7F00))


def key() -> Ed25519PrivateKey:
    data = next(pem.scan((ROOT / "fuzz/seeds/ed.key").read_bytes())).data
    loaded = load_der_private_key(data, None)
    assert isinstance(loaded, Ed25519PrivateKey)
    return loaded


@pytest.mark.parametrize(
    ("asked", "rounds"),
    [
        (PBKDF2 + der.sequence(SALT, der.integer(2048)), 2048),
        (PBKDF2 + b"\x30\x80" + SALT + der.integer(2**31) + b"\x00\x00", 2**31),
        (PBKDF2 + b"\x30\x82\x00\x0e" + SALT + der.integer(70_000), 70_000),
        (b"\x06\x81\x09" + PBKDF2[2:] + der.sequence(SALT, der.integer(70_000)), 70_000),
        (PBKDF2 + der.sequence(SALT, b"\x02\x81\x03\x01\x11\x70"), 70_000),
        (PBKDF2 + der.sequence(der.octet_string(b"x" * 3000), der.integer(70_000)), 70_000),
        (PBKDF2 + der.sequence(SALT, der.integer(2**200)), 2**63),
        (PBKDF2 + b"\x30\x80\x24\x80" + SALT + b"\x00\x00" + der.integer(2**31) + b"\x00\x00", 2**63),
        (SCRYPT + der.sequence(SALT, *map(der.integer, (1024, 8, 3))), 2 * 1024 * 8 * 3),
        (PBKDF2, 0),
        (PBKDF2 + der.sequence(SALT), 0),
        (SCRYPT + der.sequence(SALT, der.integer(1024)), 0),
        (der.sequence(der.integer(3), der.sequence(), der.sequence(der.sequence(), SALT)), 1),
        (der.sequence(der.integer(3), der.sequence(), MAC_DATA), 0x7F00),
        (b"\x30\x80\x02\x01\x03\x30\x80\x00\x00" + MAC_DATA + b"\x00\x00", 0x7F00),
        (b"\x30\x80" * 5000, 0),
    ],
)
def test_rounds_are_counted_however_they_are_encoded(asked: bytes, rounds: int) -> None:
    assert kdf_iterations(asked) == rounds


def test_a_container_as_tools_write_it_counts_its_mac_and_its_key() -> None:
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(3_000)
    data = pkcs12.serialize_key_and_certificates(b"x", key(), None, None, builder.build(SECRET))
    assert kdf_iterations(data) == 3_000 + MAC_ROUNDS
    assert [one.kind for one in read(data, "x", [SECRET])] == [Kind.KEY]


def test_a_file_of_many_keys_asks_for_no_more_work_than_one_may() -> None:
    data = (ROOT / "fuzz/regressions/many-encrypted-keys.pem").read_bytes()
    found = read(data, "keys.pem", [b"wrong", SECRET])
    assert len(found) == 20
    assert all(f"more than {MAX_ITERATIONS:,} iterations" in one.problem for one in found[1:])


def test_keys_as_we_write_them_open_by_the_dozen() -> None:
    sealed = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET))
    found = read(sealed * 24, "keys.pem", [SECRET])
    assert [one.problem for one in found] == [""] * 24


def test_a_file_of_nothing_but_parameters_is_one_unknown_artefact() -> None:
    (one,) = read((ROOT / "fuzz/regressions/only-ec-parameters.pem").read_bytes(), "p.pem")
    assert (one.kind, one.problem) == (Kind.UNKNOWN, "it contains the parameters of an EC key, but no key")


def test_no_passphrase_is_written_by_native_code_that_panics(capfd: pytest.CaptureFixture[str]) -> None:
    container = (ROOT / "fuzz/seeds/small.p12").read_bytes()
    found = list(read(container, "small.p12", [b"se\0cret"]))
    found += read((ROOT / "fuzz/regressions/pbes2-long-iv.pem").read_bytes(), "long.pem", [SECRET])
    assert all(one.problem for one in found)
    assert capfd.readouterr() == ("", "")


def test_a_container_in_ber_is_read_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    container = (ROOT / "fuzz/seeds/small.p12").read_bytes()
    assert [one.problem for one in read(container + b"\0", "x.p12", [SECRET]) if one.problem] == []
    assert list(recwarn) == []
