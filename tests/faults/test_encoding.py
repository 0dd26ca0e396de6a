"""Encodings of certificates: what openssl reads in the bytes, and that the signature covers them."""

from __future__ import annotations

import re
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_pem_x509_certificate

from pkigen import build
from pkigen.asn1 import der
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS
from pkigen.formats import pem
from tests.faults.conftest import PROFILE
from tests.faults.judging import authority_file, case_of, certtool_accepts, openssl_says
from tests.tools import run

FAMILY = [one for one in FAULTS.values() if one.family == "encoding"]
PEM = [one for one in FAMILY if one.id.startswith(("pem-", "file-"))]
OCTETS = [one.id for one in FAMILY if not one.id.startswith(("pem-", "file-"))]

# In what openssl's asn1parse prints of the certificate, before it stops.
SEEN = {
    "der-trailing-data": r"prim: EOC",
    "ber-indefinite-outer": r"^ +0:d=0 +hl=2 l=inf +cons: SEQUENCE",
    "ber-nonminimal-length": r"d=2 +hl=3 l= +30 cons: SEQUENCE +\n.*UTCTIME",
    "ber-nonminimal-integer": r"prim: INTEGER +:BAD INTEGER:\[00",
    "ber-boolean-nonff": r"BOOLEAN +:1\n",
    "der-explicit-default-false": r"BOOLEAN +:0\n",
    "der-constructed-octet-string": r"d=5 .*cons: OCTET STRING +\n.*d=6 .*prim: OCTET STRING",
    "der-set-unsorted": r"cons: SET +\n.*\n.*commonName\n.*\n.*d=4 .*cons: SEQUENCE +\n.*:serialNumber",
    "der-extra-field-cert": r"d=1 .*BIT STRING +\n.*d=1 .*prim: NULL",
    "der-extra-field-tbs": r"d=2 .*prim: NULL +\n.*d=1 .*cons: SEQUENCE",
    "der-wrong-tag-tbs": r"d=1 +hl=4 l= *\d+ cons: SET",
}


def _pem(environment: Environment, fault: str) -> bytes:
    path = str(case_of(environment, fault)["files"]["certificate"])
    return (environment.folder / path).read_bytes()


def _octets(environment: Environment, fault: str) -> bytes:
    (block,) = pem.blocks(_pem(environment, fault))
    return block.data


def _parsed(data: bytes) -> str:
    """What asn1parse prints before it stops."""
    command = ["openssl", "asn1parse", "-inform", "DER"]
    return subprocess.run(command, input=data, capture_output=True, check=False).stdout.decode()


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", SEEN)
def test_the_bytes_are_those_of_the_fault(catalogue: Environment, fault: str) -> None:
    assert re.search(SEEN[fault], _parsed(_octets(catalogue, fault)), re.MULTILINE)


@pytest.mark.needs("openssl")
def test_a_certificate_without_a_fault_has_no_such_encoding(catalogue: Environment) -> None:
    sound = _parsed(next(pem.blocks(catalogue["sensor"].certificate.read_bytes())).data)
    assert [fault for fault, seen in SEEN.items() if re.search(seen, sound, re.MULTILINE)] == []


def test_bytes_are_missing_or_added_where_the_fault_declares_it(catalogue: Environment) -> None:
    trailing, cut = (_octets(catalogue, one) for one in ("der-trailing-data", "der-truncated"))
    assert len(trailing) - der.read(trailing)[2] == 2
    assert int.from_bytes(cut[2:4], "big") + 4 - len(cut) == 40
    assert len(der.children(_octets(catalogue, "der-missing-signature"))) == 2
    signature = der.children(_octets(catalogue, "der-sig-unused-bits"))[2]
    assert der.contents(signature)[0] == 3
    assert der.contents(signature)[-1] & 0b111, "zeros would be DER, and some would take it"
    serial = der.contents(der.children(_tbs(_octets(catalogue, "ber-nonminimal-integer")))[1])
    assert serial[0] == 0
    assert serial[1] < 0x80
    assert serial[1:].hex().lstrip("0") == case_of(catalogue, "ber-nonminimal-integer")["serial"]


def _tbs(data: bytes) -> bytes:
    """Return the TBSCertificate; the length of the certificate itself may be wrong."""
    start = 2 if data[1] == 0x80 else der.read(data)[1]
    return data[start : der.read(data, start)[2]]


def _signature(data: bytes) -> bytes:
    start = 2 if data[1] == 0x80 else der.read(data)[1]
    for _ in range(2):
        start = der.read(data, start)[2]
    return der.contents(data[start:])[1:]


UNSIGNED = ("der-truncated", "der-missing-signature", "der-sig-unused-bits")
STRUCTURES = {
    "ext-oid-huge",
    "oid-leading-80",
    "asn1-nested",
    "asn1-nested-100000",
    "der-empty-sequence",
    "der-explicit-default-v1",
    "der-constructed-bitstring-sig",
}


@pytest.mark.parametrize(
    "fault",
    [one for one in OCTETS if one not in (*UNSIGNED, "der-empty-sequence", "der-constructed-bitstring-sig")],
)
def test_the_signature_covers_the_encoded_bytes(catalogue: Environment, fault: str) -> None:
    data = _octets(catalogue, fault)
    issuer = load_pem_x509_certificate(authority_file(catalogue, "issuing").read_bytes()).public_key()
    assert isinstance(issuer, ec.EllipticCurvePublicKey)
    issuer.verify(_signature(data), _tbs(data), ec.ECDSA(hashes.SHA256()))


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    "fault", ["ber-nonminimal-length", "ber-boolean-nonff", "der-constructed-octet-string"]
)
def test_openssl_accepts_ber(catalogue: Environment, fault: str) -> None:
    assert openssl_says(catalogue, fault) == ""


# The content of the file, in full or as a pattern.
FILES = {
    "pem-crlf": rb"(?:[^\r\n]+\r\n)+",
    "pem-cr-only": rb"(?:[^\r\n]+\r)+",
    "pem-utf8-bom": rb"\xef\xbb\xbf-----BEGIN CERTIFICATE-----\n.*",
    "pem-utf16": rb"\xff\xfe-\0-\0.*",
    "pem-bag-attributes": rb"Bag Attributes\n    friendlyName: sensor\.pem-bag-attributes\n-----BEGIN .*",
    "pem-indented": rb"(?:    [^\n]+\n)+",
    "pem-single-line-base64": rb"-----BEGIN CERTIFICATE-----\n[^\n]{300,}\n-----END CERTIFICATE-----\n",
    "pem-header-lines": rb"-----BEGIN CERTIFICATE-----\nComment: [^\n]+\n\nMII.*",
    "pem-x509-certificate-label": rb"-----BEGIN X509 CERTIFICATE-----\n.*-----END X509 CERTIFICATE-----\n",
    "pem-trusted-label": rb"-----BEGIN TRUSTED CERTIFICATE-----\n.*-----END TRUSTED CERTIFICATE-----\n",
    "pem-wrong-label": rb"-----BEGIN PUBLIC KEY-----\n.*-----END PUBLIC KEY-----\n",
    "pem-mismatched-begin-end": rb"-----BEGIN CERTIFICATE-----\n.*-----END PUBLIC KEY-----\n",
    "pem-missing-end": rb"-----BEGIN CERTIFICATE-----\n[^-]+",
    "pem-bad-base64": rb"-----BEGIN CERTIFICATE-----\n[^!-]+![^!-]+-----END CERTIFICATE-----\n",
    "pem-nul-bytes": rb"-----BEGIN CERTIFICATE-----\n[^\0-]+\0[^\0-]+-----END CERTIFICATE-----\n",
    "pem-truncated-base64": rb"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/\n]+\n-----END CERTIFICATE-----\n",
    "pem-trailing-spaces": rb"(?:[^\n]+  \n)+",
    "pem-no-trailing-newline": rb"-----BEGIN .*-----END CERTIFICATE-----",
    "pem-html-body": rb"<!DOCTYPE html>.*",
    "pem-empty-file": rb"",
    "file-der-in-pem-name": rb"\x30\x82.*",
    "file-pkcs7-instead": rb"-----BEGIN PKCS7-----\n.*",
    "file-csr-instead": rb"-----BEGIN CERTIFICATE REQUEST-----\n.*",
}


@pytest.mark.parametrize("fault", FILES)
def test_the_file_has_the_defect_of_the_fault(catalogue: Environment, fault: str) -> None:
    assert re.fullmatch(FILES[fault], _pem(catalogue, fault), re.DOTALL)


def test_every_fault_of_files_has_a_test() -> None:
    of_chains = {"pem-comment-between", "pem-concat-no-newline"}
    assert {one.id for one in PEM} == FILES.keys() | of_chains
    counted = {"der-truncated", "der-missing-signature", "der-sig-unused-bits", *STRUCTURES}
    assert set(OCTETS) == SEEN.keys() | counted


@pytest.mark.needs("openssl", "certtool")
@pytest.mark.parametrize("fault", [one.id for one in PEM if one.verdict == "A"])
def test_openssl_and_certtool_accept_the_controls(catalogue: Environment, fault: str) -> None:
    assert openssl_says(catalogue, fault) == ""
    assert certtool_accepts(catalogue, fault)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    "fault", ["pem-crlf", "pem-bag-attributes", "pem-single-line-base64", "pem-utf8-bom", "pem-trusted-label"]
)
def test_the_certificate_in_the_file_has_no_fault(catalogue: Environment, fault: str, tmp_path: Path) -> None:
    case = case_of(catalogue, fault)
    path = tmp_path / "read.der"
    written = catalogue.folder / case["files"]["certificate"]
    run("openssl", "x509", "-in", written, "-outform", "DER", "-out", path)
    assert sha256(path.read_bytes()).hexdigest() == case["sha256"]


@pytest.mark.needs("openssl")
def test_the_request_is_for_the_same_key_and_name(catalogue: Environment) -> None:
    case = case_of(catalogue, "file-csr-instead")
    request = catalogue.folder / case["files"]["certificate"]
    run("openssl", "req", "-verify", "-noout", "-in", request)
    subject = run("openssl", "req", "-noout", "-subject", "-nameopt", "sep_comma_plus_space", "-in", request)
    assert subject.strip() == f"subject={case['subject']}"
    public = run("openssl", "req", "-noout", "-pubkey", "-in", request)
    assert public == run("openssl", "pkey", "-pubout", "-in", catalogue.folder / case["files"]["key"])


@pytest.mark.needs("openssl")
def test_the_bag_contains_only_the_certificate(catalogue: Environment, tmp_path: Path) -> None:
    case = case_of(catalogue, "file-pkcs7-instead")
    output = run("openssl", "pkcs7", "-print_certs", "-in", catalogue.folder / case["files"]["certificate"])
    (block,) = pem.blocks(output.encode())
    assert sha256(block.data).hexdigest() == case["sha256"]


@pytest.mark.parametrize("fault", ["pem-comment-between", "pem-concat-no-newline"])
def test_text_between_blocks_is_in_the_chain_file(catalogue: Environment, fault: str) -> None:
    case = case_of(catalogue, fault)
    chain = (catalogue.folder / case["files"]["chain"]).read_bytes()
    sound = catalogue["sensor"].chain.read_bytes()
    assert [block.data for block in pem.blocks(chain)] == [block.data for block in pem.blocks(sound)]
    assert chain != sound
    assert _pem(catalogue, fault).startswith(b"-----BEGIN CERTIFICATE-----\n")


def test_an_unreadable_case_is_reissued_when_its_formats_change(tmp_path: Path) -> None:
    negatives = [{"of": "sensor", "faults": ["encoding/*"]}]
    first = build({**PROFILE, "negatives": negatives}, tmp_path)
    sensor = {**PROFILE["certificates"]["sensor"], "formats": ["der", "pkcs12"]}
    profile = {**PROFILE, "certificates": {"sensor": sensor}, "negatives": negatives}
    second = build(profile, tmp_path)
    assert second.folder == first.folder
    for one in FAMILY:
        case = case_of(second, one.id)
        assert (second.folder / case["files"]["der"]).is_file(), one.id
        if one.id in SEEN:
            assert re.search(SEEN[one.id], _parsed(_octets(second, one.id)), re.MULTILINE), one.id
