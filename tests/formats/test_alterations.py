"""Altered files, as openssl and cryptography read them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from pkigen.formats import pem
from pkigen.formats.render import render
from pkigen.keys import public_key_info, to_pkcs8
from pkigen.keys.entropy import SystemEntropy
from pkigen.model import Alteration, Entity, File, Issued, Output, Role
from tests.tools import run


def _certificate(name: str) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """Return a certificate of which only the name matters."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    times = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(called, called, key.public_key(), x509.random_serial_number(), *times)
    return key, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


KEY, LEAF = _certificate("leaf")
ISSUING, MIDDLE, ROOT, STRANGER = (
    _certificate(name)[1] for name in ("issuing", "middle", "root", "stranger")
)
CRL = b"a CRL of a stranger"
OUTPUT = Output(pkcs12_passphrase=b"changeit", alias="leaf")


@dataclass
class _Strangers:
    def key(self, kind: str) -> bytes:
        assert kind == "ec-p256"
        return to_pkcs8(ec.generate_private_key(ec.SECP256R1()))

    def authority(self, issued: Issued) -> bytes:
        assert issued.certificates == (LEAF,)
        return STRANGER

    def crl(self, issued: Issued) -> bytes:
        assert issued.certificates == (LEAF,)
        return CRL


def _files(*alterations: Alteration, output: Output = OUTPUT) -> dict[str, File]:
    """Return the files of the end entity by name."""
    output = replace(output, alterations=alterations)
    entity = Entity(Role.CERTIFICATE, "leaf", "ec-p256", (), (), output)
    issued = Issued(entity, to_pkcs8(KEY), public_key_info(KEY), (LEAF,), (ISSUING, MIDDLE, ROOT))
    return {file.path: file for file in render(issued, SystemEntropy(), _Strangers())}


def _public(data: bytes, passphrase: bytes | None) -> bytes:
    """Return the public key of the private key in a file."""
    key = load_pem_private_key(data, passphrase).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _names(data: bytes) -> list[str]:
    certificates = x509.load_pem_x509_certificates(data)
    return [str(next(iter(one.subject)).value) for one in certificates]


CHAINS = [
    ("duplicate", ["issuing", "issuing", "middle", "root"]),
    ("unrelated", ["issuing", "middle", "root", "stranger"]),
    ("leaf-twice", ["issuing", "middle", "root", "leaf"]),
    ("with-leaf", ["leaf", "issuing", "middle", "root"]),
    ("only-root", ["root"]),
    ("root-first", ["root", "issuing", "middle"]),
    ("reversed", ["root", "middle", "issuing"]),
    ("without-issuer", ["middle", "root"]),
    ("without-root", ["issuing", "middle"]),
    ("other-ca", ["stranger"]),
    ("with-key", ["issuing", "middle", "root"]),
    ("comment", ["issuing", "middle", "root"]),
]


@pytest.mark.parametrize(("how", "names"), CHAINS)
def test_a_chain_file_contains_the_selected_certificates(how: str, names: list[str]) -> None:
    files = _files(Alteration("chain", how))
    assert _names(files["chain.pem"].data) == names
    assert _names(files["leaf.crt"].data) == ["leaf"]


def test_a_chain_file_with_the_key_has_the_mode_of_a_key_file() -> None:
    chain = _files(Alteration("chain", "with-key"))["chain.pem"]
    assert chain.secret
    assert _public(chain.data, None) == public_key_info(KEY)
    others = [_files(Alteration("chain", how))["chain.pem"] for how, _ in CHAINS if how != "with-key"]
    assert not any(other.secret or b"PRIVATE" in other.data for other in others)


def test_the_key_in_a_chain_file_is_encrypted_with_its_passphrase() -> None:
    files = _files(Alteration("chain", "with-key"), output=replace(OUTPUT, passphrase=b"geheim"))
    assert _public(files["chain.pem"].data, b"geheim") == public_key_info(KEY)


def test_only_the_second_block_is_corrupt() -> None:
    blocks = list(pem.scan(_files(Alteration("chain", "second-corrupt"))["chain.pem"].data))
    assert [bool(block.problem) for block in blocks] == [False, True, False]
    assert [block.data for block in blocks] == [ISSUING, b"", ROOT]


def test_the_chain_file_can_contain_blocks_that_are_no_certificates_of_the_path() -> None:
    files = {
        how: _files(Alteration("chain", how))["chain.pem"].data for how in ("crl-inside", "second-garbage")
    }
    blocks = {how: [(one.label, one.data) for one in pem.scan(data)] for how, data in files.items()}
    first, *others = (("CERTIFICATE", one) for one in (ISSUING, MIDDLE, ROOT))
    assert blocks["crl-inside"] == [first, ("X509 CRL", CRL), *others]
    assert [label for label, _ in blocks["second-garbage"]] == ["CERTIFICATE"] * 4
    garbage = blocks["second-garbage"].pop(1)
    assert blocks["second-garbage"] == [first, *others]
    assert garbage[1][0] != 0x30


def test_the_certificate_file_can_begin_with_the_issuing_ca() -> None:
    assert _names(_files(Alteration("certificate", "leaf-last"))["leaf.crt"].data) == ["issuing", "leaf"]


def test_a_missing_file_is_not_altered() -> None:
    removed = _files(Alteration("chain", "remove"), Alteration("chain", "crlf"), Alteration("pkcs12", "rc2"))
    assert removed.keys() == {"leaf.crt", "leaf.key"}


TEXTS = [
    ("crlf", "", rb"-----BEGIN CERTIFICATE-----\r\n(?:[A-Za-z0-9+/=]+\r\n)+-----END CERTIFICATE-----\r\n"),
    ("cr", "", rb"[^\n]+\r-----END CERTIFICATE-----\r"),
    ("byte-order-mark", "", rb"\xef\xbb\xbf-----BEGIN.*\n"),
    ("utf-16", "", rb"\xff\xfe-\0-\0-\0-\0-\0B\0E\0.*-\0\n\0"),
    ("bag-attributes", "me", rb"Bag Attributes\n    friendlyName: me\n-----BEGIN CERTIFICATE.*"),
    ("indented", "", rb"(    [^\n]+\n)+"),
    ("one-line", "", rb"-----BEGIN CERTIFICATE-----\n[^\n]+\n-----END CERTIFICATE-----\n"),
    ("header", "A: b", rb"-----BEGIN CERTIFICATE-----\nA: b\n\nM.*"),
    ("label", "X509 CRL", rb"-----BEGIN X509 CRL-----\n.*\n-----END X509 CRL-----\n"),
    ("end-label", "X509 CRL", rb"-----BEGIN CERTIFICATE-----\n.*\n-----END X509 CRL-----\n"),
    ("no-end", "", rb"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+\n"),
    ("bad-base64", "", rb"-----BEGIN CERTIFICATE-----\n[^!]+![^!]+\n-----END CERTIFICATE-----\n"),
    ("nul", "", rb"-----BEGIN CERTIFICATE-----\n[^\0]+\0[^\0]+\n-----END CERTIFICATE-----\n"),
    ("cut", "", rb"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+"),
    ("html", "", rb"<!DOCTYPE html>.*</html>\n"),
    ("empty", "", rb""),
]


@pytest.mark.parametrize(("how", "argument", "shape"), TEXTS)
def test_each_text_alteration_changes_the_text(how: str, argument: str, shape: bytes) -> None:
    data = _files(Alteration("certificate", how, argument))["leaf.crt"].data
    assert re.fullmatch(shape, data, re.DOTALL), data
    if how in ("bad-base64", "nul"):
        assert len(data) == len(pem.certificate(LEAF))


def test_text_alterations_apply_to_every_pem_file() -> None:
    for role, name in (("certificate", "leaf.crt"), ("chain", "chain.pem"), ("key", "leaf.key")):
        data = _files(Alteration(role, "crlf"))[name].data
        sound = b"".join(pem.encode(block.label, block.data) for block in pem.blocks(data))
        assert data == sound.replace(b"\n", b"\r\n"), role


def test_blocks_share_a_line_where_one_ends_and_the_next_begins() -> None:
    data = _files(Alteration("chain", "blocks-joined"))["chain.pem"].data
    assert data.count(b"-----END CERTIFICATE----------BEGIN CERTIFICATE-----\n") == 2
    assert [block.data for block in pem.blocks(data)] == [ISSUING, MIDDLE, ROOT]


@pytest.mark.needs("openssl")
def test_openssl_reads_a_pkcs12_file_with_only_the_key_replaced(tmp_path: Path) -> None:
    output = replace(OUTPUT, formats=("pkcs12",))
    texts = {}
    for how in ("", "other-key", "rc2"):
        alterations = (Alteration("pkcs12", how),) if how else ()
        path = tmp_path / f"{how}.p12"
        path.write_bytes(_files(*alterations, output=output)["leaf.p12"].data)
        legacy = ("-legacy",) if how == "rc2" else ()
        texts[how] = run("openssl", "pkcs12", "-in", path, "-nodes", "-passin", "pass:changeit", *legacy)
    key = re.compile(r"-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----\n", re.DOTALL)
    assert texts["rc2"] == texts[""]
    assert key.sub("", texts["other-key"]) == key.sub("", texts[""])
    assert texts["other-key"] != texts[""]


def test_the_passphrase_file_is_secret() -> None:
    files = _files(Alteration("key", "passphrase", "open"))
    assert files["leaf.passphrase"].data == b"open\n"
    assert files["leaf.passphrase"].secret
    assert _public(files["leaf.key"].data, b"open") == public_key_info(KEY)


def test_every_altered_key_file_is_secret() -> None:
    for how in ("other-key", "der", "public", "certificate", "openssh", "cut", "empty", "ec-parameters"):
        assert _files(Alteration("key", how))["leaf.key"].secret, how
