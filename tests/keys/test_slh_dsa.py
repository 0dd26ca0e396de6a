"""SLH-DSA-SHA2-128f against a signature of NIST's ACVP server, and against the OpenSSL of cryptography."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from OpenSSL import crypto

from pkigen import build
from pkigen.asn1 import der
from pkigen.inspection.description.words import name_of_key
from pkigen.keys import load_private, public_key_info, to_pkcs8
from pkigen.keys.slh_dsa import SEED_SIZE, SlhDsaPrivateKey, SlhDsaPublicKey
from pkigen.x509 import AlgorithmIdentifier
from pkigen.x509.public_key import public_key

# SLH-DSA-sigGen-FIPS205, SHA2-128f: deterministic, external interface, pure, no context.
_KEY = SlhDsaPrivateKey(
    bytes.fromhex(
        "D5213BA4BB6470F1B9EDA88CBC94E6277A58A951EF7F2B81461DBAC41B5A6B83"
        "FA495FB834DEFEA7CC96A81309479135A67029E90668C5A58B96E60111491F3D"
    )
)
_MESSAGE = b"\x3f"
_FIRST = "BD40E6D66893F38D5C5FAD99E4885329925BB207D49E62BCB9B1C4685154A8B32E58B70C7AED0E28"
_LAST = "8628FF7CA45CED0EF8004B41E6461E1EA61C2B3F20DA8E33272E8DBBE09A7374427301CF432B77B6"
_SIZE = 17_088

current_openssl = pytest.mark.skipif(
    backend.openssl_version_number() < 0x30500000, reason="OpenSSL has SLH-DSA since 3.5"
)


def test_key_and_signature_are_those_of_nist() -> None:
    assert SlhDsaPrivateKey.from_seed_bytes(_KEY.raw[:SEED_SIZE]) == _KEY
    signature = _KEY.sign(_MESSAGE)
    assert len(signature) == _SIZE
    assert signature.startswith(bytes.fromhex(_FIRST))
    assert signature.endswith(bytes.fromhex(_LAST))
    _KEY.public_key().verify(signature, _MESSAGE)


@pytest.mark.parametrize("position", [0, 16, 3000, 3712, 4271, 4272, _SIZE - 1])
def test_a_signature_with_a_changed_byte_is_invalid(position: int) -> None:
    signature = bytearray(_KEY.sign(_MESSAGE))
    signature[position] ^= 1
    with pytest.raises(InvalidSignature):
        _KEY.public_key().verify(bytes(signature), _MESSAGE)


@pytest.mark.parametrize("signature", [b"", bytes(_SIZE - 1), bytes(_SIZE + 16)])
def test_a_signature_of_another_length_is_invalid(signature: bytes) -> None:
    with pytest.raises(InvalidSignature):
        _KEY.public_key().verify(signature, _MESSAGE)


@current_openssl
def test_openssl_reads_the_key_and_finds_the_same_public_key() -> None:
    loaded = crypto.load_privatekey(crypto.FILETYPE_ASN1, to_pkcs8(_KEY))
    assert crypto.dump_publickey(crypto.FILETYPE_ASN1, loaded) == public_key_info(_KEY)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    profile = {
        "name": "slhdsa",
        "authorities": {"root": {"key": "ec-p256"}, "issuing": {"issuer": "root", "key": "ec-p256"}},
        "certificates": {"sensor": {"issuer": "issuing", "key": "ec-p256"}},
        "negatives": [{"of": "sensor", "faults": ["sig-slhdsa"]}],
    }
    return build(profile, tmp_path_factory.mktemp("slhdsa")).folder


@current_openssl
def test_openssl_verifies_a_certificate_that_the_key_signed(folder: Path) -> None:
    (leaf,) = folder.glob("certificates/sensor.*/*.crt")
    (issuing,) = folder.glob("authorities/issuing.*/*.crt")
    root, above, own = map(_certificate, (folder / "trust.pem", issuing, leaf))
    _verify(own, above, root)
    encoded = crypto.dump_certificate(crypto.FILETYPE_ASN1, own)
    changed = crypto.load_certificate(crypto.FILETYPE_ASN1, encoded[:-1] + bytes((encoded[-1] ^ 1,)))
    with pytest.raises(crypto.X509StoreContextError, match="signature failure"):
        _verify(changed, above, root)


@current_openssl
def test_an_imported_authority_signs_with_such_a_key(folder: Path, tmp_path: Path) -> None:
    (issuing,) = folder.glob("authorities/issuing.*/*.crt")
    files = {"certificate": str(issuing), "key": str(issuing.with_suffix(".key"))}
    authority = {"from": {**files, "chain": str(folder / "trust.pem")}}
    certificates = {"leaf": {"issuer": "imported", "key": "ec-p256"}}
    profile = {"name": "imported", "authorities": {"imported": authority}, "certificates": certificates}
    built = build(profile, tmp_path)
    own = _certificate(built["leaf"].certificate)
    _verify(own, _certificate(issuing), _certificate(folder / "trust.pem"))


def _verify(own: crypto.X509, above: crypto.X509, root: crypto.X509) -> None:
    store = crypto.X509Store()
    store.add_cert(root)
    crypto.X509StoreContext(store, own, [above]).verify_certificate()


def _certificate(path: Path) -> crypto.X509:
    return crypto.load_certificate(crypto.FILETYPE_PEM, path.read_bytes())


def test_keys_are_read_as_they_are_written() -> None:
    public = _KEY.public_key()
    assert load_private(to_pkcs8(_KEY)) == _KEY
    assert SlhDsaPublicKey.from_info(public_key_info(_KEY)) == public
    algorithm = der.sequence(der.oid("2.16.840.1.101.3.4.3.21"), der.null())
    assert SlhDsaPublicKey.from_info(der.sequence(algorithm, der.bit_string(public.raw))) is None
    assert SlhDsaPrivateKey.from_pkcs8(to_pkcs8(_KEY)[:-1]) is None


def test_other_formats_of_keys_are_rejected() -> None:
    with pytest.raises(ValueError, match="only this format"):
        _KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    with pytest.raises(ValueError, match="only this format"):
        _KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    with pytest.raises(ValueError, match="only this format"):
        _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("arc", "name"), [(20, "SLH-DSA-SHA2-128s"), (21, "SLH-DSA-SHA2-128f"), (31, "SLH-DSA-SHAKE-256f")]
)
def test_a_key_has_the_name_of_its_signature_algorithm(arc: int, name: str) -> None:
    oid = f"2.16.840.1.101.3.4.3.{arc}"
    key = public_key(der.sequence(der.sequence(der.oid(oid)), der.bit_string(bytes(32))))
    assert name_of_key(key) == AlgorithmIdentifier(oid, None).name == name
