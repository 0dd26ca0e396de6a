"""Work that a file asks for: counted before it is done, in whatever way it is written."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs12,
)

from pkigen.asn1 import der
from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.formats.kdf_budget import MAX_ITERATIONS, KdfBudget
from pkigen.formats.passphrase_encryption import (
    FOR_MAC,
    WrongPassphrase,
    decrypt,
    mac_is_valid,
    pkcs12_derived,
)
from pkigen.formats.read import read_private_key
from pkigen.inspection.artifacts import Encoding, Kind, Source, read
from pkigen.inspection.artifacts.pkcs12 import read_pkcs12
from tests.tools import ROOT

SECRET = b"seed-passphrase"
SALT = der.octet_string(b"salt" * 2)
AES_256 = der.sequence(der.oid("2.16.840.1.101.3.4.1.42"), der.octet_string(bytes(16)))
RC2_40 = der.sequence(
    der.oid("1.2.840.113549.3.2"), der.sequence(der.integer(160), der.octet_string(bytes(8)))
)
HMAC_SHA256 = der.sequence(der.oid("1.2.840.113549.2.9"), der.null())
SHA1 = der.sequence(der.oid("1.3.14.3.2.26"), der.null())
DATA = "1.2.840.113549.1.7.1"
MANY = 2**31


@pytest.fixture
def no_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every key derivation fail the test."""

    def fail(*_arguments: object, **_options: object) -> bytes:
        raise AssertionError("a key derivation started")

    for name in ("pbkdf2_hmac", "scrypt", "sha1", "md5"):
        monkeypatch.setattr(hashlib, name, fail)


def key() -> Ed25519PrivateKey:
    data = next(pem.scan((ROOT / "fuzz/seeds/ed.key").read_bytes())).data
    loaded = load_der_private_key(data, None)
    assert isinstance(loaded, Ed25519PrivateKey)
    return loaded


def pbkdf2(*parameters: bytes) -> bytes:
    return der.sequence(der.oid("1.2.840.113549.1.5.12"), der.sequence(SALT, *parameters))


def scrypt(*numbers: int) -> bytes:
    parameters = der.sequence(SALT, *map(der.integer, numbers))
    return der.sequence(der.oid("1.3.6.1.4.1.11591.4.11"), parameters)


def pbes2(derivation: bytes, cipher: bytes = AES_256) -> bytes:
    return der.sequence(der.oid("1.2.840.113549.1.5.13"), der.sequence(derivation, cipher))


def pbe(oid: str, iterations: int) -> bytes:
    return der.sequence(der.oid(oid), der.sequence(SALT, der.integer(iterations)))


def iterations_of(derive: Callable[[KdfBudget], object]) -> int:
    budget = KdfBudget()
    with suppress(WrongPassphrase):
        derive(budget)
    return MAX_ITERATIONS - budget.left


def test_a_derivation_without_a_number_of_iterations_is_malformed() -> None:
    with pytest.raises(ValueError, match="without a number of iterations"):
        decrypt(pbes2(pbkdf2()), bytes(16), b"secret", KdfBudget())


def test_a_mac_without_a_salt_is_malformed() -> None:
    digest = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.null())
    mac = der.sequence(der.sequence(digest, der.octet_string(bytes(32))))
    with pytest.raises(ValueError, match="without a salt"):
        mac_is_valid(mac, b"content", b"secret", KdfBudget())


@pytest.mark.parametrize(
    ("algorithm", "iterations"),
    [
        (pbes2(pbkdf2(der.integer(1000), HMAC_SHA256)), 1000),
        (pbes2(pbkdf2(der.integer(1000))), 2000),  # 32 bytes are two blocks of HMAC-SHA-1
        (pbes2(scrypt(64, 8, 3)), 2 * 64 * 8 * 3),
        (pbe("1.2.840.113549.1.5.10", 1000), 1000),  # PBES1
        (pbe("1.2.840.113549.1.12.1.3", 1000), 3000),  # PKCS#12: a key of two blocks, a vector of one
        (pbes2(pbkdf2(der.integer(1000)), RC2_40), 1000 + 2 * 100),
    ],
)
def test_the_budget_counts_the_work_of_each_scheme(algorithm: bytes, iterations: int) -> None:
    assert iterations_of(lambda budget: decrypt(algorithm, bytes(16), SECRET, budget)) == iterations


@pytest.mark.parametrize(
    "algorithm",
    [
        pbes2(pbkdf2(der.integer(MANY))),
        pbes2(pbkdf2(der.integer(2**800_000))),
        pbes2(scrypt(2**20, 8, 1)),
        pbes2(scrypt(2, 1, MANY)),
        pbes2(scrypt(*[2**800_000] * 3)),
        pbe("1.2.840.113549.1.5.3", MANY),
        pbe("1.2.840.113549.1.12.1.1", MANY),
        pbe("1.2.840.113549.1.12.1.6", MANY),
    ],
)
@pytest.mark.usefixtures("no_derivation")
def test_no_scheme_starts_work_beyond_the_limit(algorithm: bytes) -> None:
    with pytest.raises(InputError, match="iterations of key derivation; the limit is 2,000,000"):
        decrypt(algorithm, bytes(16), SECRET, KdfBudget())
    sealed = der.sequence(algorithm, der.octet_string(bytes(16)))
    (key_file,) = read(pem.encode("ENCRYPTED PRIVATE KEY", sealed), "x.key", [SECRET])
    assert "the limit is 2,000,000" in key_file.problem
    with pytest.raises(InputError, match="the limit is 2,000,000"):  # the key of an imported authority
        read_private_key(sealed, SECRET)


def mac_data(algorithm: bytes, *parameters: bytes) -> bytes:
    return der.sequence(der.sequence(algorithm, der.octet_string(bytes(20))), SALT, *parameters)


PBMAC1 = "1.2.840.113549.1.5.14"
MACS = [
    (mac_data(SHA1), 1),
    (mac_data(SHA1, der.integer(1000)), 1000),
    (
        mac_data(der.sequence(der.oid(PBMAC1), der.sequence(pbkdf2(der.integer(1000)), HMAC_SHA256))),
        2000,
    ),
]
EXPENSIVE_MACS = [
    mac_data(SHA1, der.integer(MANY)),
    mac_data(der.sequence(der.oid(PBMAC1), der.sequence(pbkdf2(der.integer(MANY)), HMAC_SHA256))),
]


@pytest.mark.parametrize(("mac", "iterations"), MACS)
def test_the_budget_counts_the_work_of_each_mac(mac: bytes, iterations: int) -> None:
    assert iterations_of(lambda budget: mac_is_valid(mac, b"", SECRET, budget)) == iterations


@pytest.mark.parametrize("mac", EXPENSIVE_MACS)
@pytest.mark.usefixtures("no_derivation")
def test_no_mac_starts_work_beyond_the_limit(mac: bytes) -> None:
    with pytest.raises(InputError, match=r"2,147,483,648|4,294,967,296"):
        mac_is_valid(mac, b"", SECRET, KdfBudget())


def pfx(safe: bytes, *mac: bytes) -> bytes:
    content = der.sequence(der.oid(DATA), der.explicit(0, safe))
    return der.sequence(der.integer(3), content, *mac)


def encrypted_safe(algorithm: bytes) -> bytes:
    """Return an AuthenticatedSafe with one EncryptedData."""
    content = der.sequence(der.oid(DATA), algorithm, der.tlv(0x80, bytes(16)))
    encrypted = der.explicit(0, der.sequence(der.integer(0), content))
    return der.sequence(der.sequence(der.oid("1.2.840.113549.1.7.6"), encrypted))


@pytest.mark.parametrize("indefinite", [False, True])
@pytest.mark.usefixtures("no_derivation")
def test_no_split_of_a_string_hides_the_iterations(*, indefinite: bool) -> None:
    # BER can divide an OCTET STRING anywhere: here inside of every OID and number of the AuthenticatedSafe.
    safe = encrypted_safe(pbes2(pbkdf2(der.integer(MANY))))
    pieces = b"".join(der.octet_string(safe[at : at + 3]) for at in range(0, len(safe), 3))
    divided = b"\x24\x80" + pieces + b"\0\0" if indefinite else der.tlv(0x24, pieces)
    (container,) = read(pfx(divided), "divided.p12", [SECRET])
    assert container.kind is Kind.PKCS12
    assert (
        container.problem == "it requires 4,294,967,296 iterations of key derivation; the limit is 2,000,000"
    )


@pytest.mark.usefixtures("no_derivation")
def test_no_encoding_of_a_length_hides_the_iterations_of_the_mac() -> None:
    safe = der.octet_string(der.sequence())
    long_length = b"\x02\x84\0\0\0\x05\0\x80\0\0\0"
    for mac in (mac_data(SHA1, der.integer(MANY)), mac_data(SHA1, long_length)):
        (container,) = read(pfx(safe, mac), "mac.p12", [SECRET])
        assert "2,147,483,648 iterations" in container.problem


def test_many_small_derivations_are_limited_together(monkeypatch: pytest.MonkeyPatch) -> None:
    safe = der.sequence(*der.children(encrypted_safe(pbes2(pbkdf2(der.integer(1), HMAC_SHA256)))) * 500)
    derive, iterations = hashlib.pbkdf2_hmac, list[int]()

    def counted(name: str, password: bytes, salt: bytes, count: int, size: int) -> bytes:
        iterations.append(count)
        return derive(name, password, salt, count, size)

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", counted)
    budget = KdfBudget()
    budget.left = 100
    mac = der.sequence(der.sequence(SHA1, der.octet_string(pkcs12_mac(safe))), SALT)
    container = pfx(der.octet_string(safe), mac)
    artifacts = list(read_pkcs12(container, Source("many.p12", Encoding.PKCS12), [SECRET], budget))
    assert [one.kind for one in artifacts] == [Kind.PKCS12]
    assert "the file requires more than" in artifacts[0].problem
    assert sum(iterations) == 99  # and one for the MAC


def pkcs12_mac(content: bytes) -> bytes:
    secret = pkcs12_derived(SECRET, der.contents(SALT), FOR_MAC, "sha1", 1, 20)
    return hmac.digest(secret, content, "sha1")


def test_containers_of_common_tools_are_within_the_limit() -> None:
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(3_000)
    data = pkcs12.serialize_key_and_certificates(b"x", key(), None, None, builder.build(SECRET))
    assert [one.kind for one in read(data, "x", [SECRET])] == [Kind.KEY]


def test_a_file_with_many_keys_has_the_limit_of_one_key() -> None:
    data = (ROOT / "fuzz/regressions/many-encrypted-keys.pem").read_bytes()
    artifacts = read(data, "keys.pem", [b"wrong", SECRET])
    assert len(artifacts) == 20
    assert all(f"more than {MAX_ITERATIONS:,} iterations" in one.problem for one in artifacts[1:])


def test_dozens_of_keys_of_pkigen_can_be_decrypted() -> None:
    sealed = key().private_bytes(
        serialization.Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET)
    )
    artifacts = read(sealed * 24, "keys.pem", [SECRET])
    assert [one.problem for one in artifacts] == [""] * 24


def test_a_file_with_only_parameters_is_one_unknown_artifact() -> None:
    (one,) = read((ROOT / "fuzz/regressions/only-ec-parameters.pem").read_bytes(), "p.pem")
    assert (one.kind, one.problem) == (Kind.UNKNOWN, "it contains the parameters of an EC key, but no key")


def test_no_passphrase_is_written_by_native_code_that_panics(capfd: pytest.CaptureFixture[str]) -> None:
    container = (ROOT / "fuzz/seeds/small.p12").read_bytes()
    artifacts = list(read(container, "small.p12", [b"se\0cret"]))
    artifacts += read((ROOT / "fuzz/regressions/pbes2-long-iv.pem").read_bytes(), "long.pem", [SECRET])
    assert all(one.problem for one in artifacts)
    assert capfd.readouterr() == ("", "")


def test_a_container_in_ber_is_read_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    container = (ROOT / "fuzz/seeds/small.p12").read_bytes()
    assert [one.problem for one in read(container + b"\0", "x.p12", [SECRET]) if one.problem] == []
    assert list(recwarn) == []
