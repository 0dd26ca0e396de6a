"""Certificates: what is shown is what openssl says."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pkigen.inspection.description import Description
from tests import tools
from tests.inspection.description.conftest import one, values

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture(scope="module")
def leaf(made: Path) -> Description:
    return one(made / "leaf.crt")


def _openssl(made: Path, *arguments: str) -> str:
    return tools.run("openssl", "x509", "-noout", "-in", made / "leaf.crt", *arguments).strip()


def _value(made: Path, *arguments: str) -> str:
    return _openssl(made, *arguments).partition("=")[2]


def test_fingerprints_are_openssls(made: Path, leaf: Description) -> None:
    for digest in ("sha256", "sha1"):
        fingerprint = _value(made, "-fingerprint", f"-{digest}").replace(":", "").lower()
        assert values(leaf, digest) == (fingerprint,)
        assert leaf.data[digest] == fingerprint


def test_the_serial_is_openssls(made: Path, leaf: Description) -> None:
    assert leaf.data["serial"] == _value(made, "-serial").lower() == "80abcdef01"


def test_dates_are_openssls(made: Path, leaf: Description) -> None:
    for name, option in (("not_before", "-startdate"), ("not_after", "-enddate")):
        date = datetime.strptime(_value(made, option), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
        assert leaf.data[name] == f"{date:%Y-%m-%dT%H:%M:%SZ}"
        assert values(leaf, name) == (f"{date:%Y-%m-%d %H:%M:%S} UTC",)


def test_names_are_openssls(made: Path, leaf: Description) -> None:
    for name in ("subject", "issuer"):
        text = _value(made, f"-{name}", "-nameopt", "sep_comma_plus_space,utf8,sname")
        assert values(leaf, name) == (text,)


def test_the_pin_is_the_digest_of_openssls_public_key(made: Path, leaf: Description) -> None:
    text = _openssl(made, "-pubkey")
    digest = hashlib.sha256(base64.b64decode("".join(text.splitlines()[1:-1]))).digest()
    assert values(leaf, "spki_sha256") == (base64.b64encode(digest).decode(), digest.hex())


def test_every_extension_is_described(made: Path, leaf: Description) -> None:
    key_id = _openssl(made, "-ext", "subjectKeyIdentifier").split()[-1].replace(":", "").lower()
    issuer = one(made / "ca.crt")
    fields = {field.label: field.values for field in leaf.fields if "critical)" in field.label}
    (authority_key,) = values(issuer, "2.5.29.14")
    assert fields == {
        "basic constraints (not critical)": ("not a CA",),
        "key usage (critical)": ("digitalSignature, keyEncipherment",),
        "extended key usage (not critical)": ("serverAuth, clientAuth, 1.2.3.4",),
        "subject alternative name (not critical)": (
            "dns:console.test",
            "ip:10.1.0.10",
            "ip:2001:db8::1",
            "email:a@b.test",
            "uri:urn:x",
            "rid:1.2.3",
        ),
        "subject key identifier (not critical)": (key_id,),
        "authority key identifier (not critical)": (f"key {authority_key}",),
        "CRL distribution points (not critical)": ("http://crl.test/a.crl", "http://crl.test/b.crl"),
        "authority information access (not critical)": (
            "OCSP http://ocsp.test",
            "caIssuers http://ca.test/ca.crt",
        ),
        "certificate policies (not critical)": (
            "2.23.140.1.2.2 organization validated (CA/Browser Forum)",
            "1.3.5.8",
            "  practice statement http://cps.test",
            "  notice 'Only a test'",
        ),
        "policy constraints (not critical)": ("an explicit policy is required after 3 certificates",),
        "inhibit anyPolicy (not critical)": ("after 2 certificates",),
        "TLS feature (not critical)": ("status_request (OCSP must-staple)",),
        "Netscape comment (not critical)": ("made by hand",),
        "1.2.3.4.5 (not critical)": ("0c07756e6b6e6f776e",),
    }
    listed = leaf.data["extensions"]
    assert [extension["oid"] for extension in listed][-1] == "1.2.3.4.5"
    assert next(extension["values"] for extension in listed if extension["name"] == "key usage") == [
        "digitalSignature",
        "keyEncipherment",
    ]


def test_name_constraints_and_path_length_are_described(made: Path) -> None:
    authority = one(made / "ca.crt")
    assert values(authority, "2.5.29.30") == (
        "permitted dns:.test",
        "excluded ip:10.9.0.0/255.255.0.0",
    )
    assert values(authority, "2.5.29.19") == ("a CA, path length 1",)


def test_key_and_signature_algorithms_are_named(leaf: Description, made: Path) -> None:
    assert values(leaf, "public_key") == ("RSA, 2048 bits, public exponent 3",)
    assert leaf.data["public_key"]["exponent"] == 3
    assert values(leaf, "signature_algorithm") == ("ecdsa-with-SHA256",)
    assert values(one(made / "ca.crt"), "public_key") == ("EC, P-256, 256 bits",)


def test_only_a_certificate_that_its_own_key_signed_is_self_signed(made: Path, tmp_path: Path) -> None:
    assert one(made / "ca.crt").data["self_signed"] is True
    assert one(made / "leaf.crt").data["self_signed"] is False
    data = tools.run("openssl", "x509", "-in", made / "ca.crt", "-outform", "PEM").splitlines()
    octets = bytearray(base64.b64decode("".join(data[1:-1])))
    octets[-1] ^= 1
    broken = tmp_path / "broken.crt"
    broken.write_bytes(octets)
    description = one(broken)
    assert description.data["self_signed"] is False
    assert "signed with another key" in values(description, "self_signed")[0]


@pytest.mark.parametrize(
    ("offset", "state", "words"),
    [
        (timedelta(days=-3), "not_yet_valid", "begins in 3 days"),
        (timedelta(0), "valid", "ends in 90 days"),
        (timedelta(days=90), "valid", "ends in 0 seconds"),
        (timedelta(days=90, seconds=1), "expired", "ended 1 second ago"),
        (timedelta(days=92, hours=1), "expired", "ended 2 days ago"),
    ],
)
def test_validity_is_relative_to_now(made: Path, offset: timedelta, state: str, words: str) -> None:
    begin = datetime.fromisoformat(one(made / "leaf.crt").data["not_before"])
    description = one(made / "leaf.crt", at=begin + offset)
    assert description.data["validity"] == state
    assert values(description, "validity")[0].startswith(words)
    assert next(field for field in description.fields if field.id == "validity").alarm is (state != "valid")


def test_pem_and_der_have_the_same_description(made: Path, leaf: Description) -> None:
    other = one(made / "leaf.der")
    assert (leaf.data["encoding"], other.data["encoding"]) == ("PEM", "DER")
    assert leaf.fields[1:] == other.fields[1:]


def test_one_malformed_field_hides_no_other(made: Path, tmp_path: Path) -> None:
    octets = (made / "leaf.der").read_bytes()
    # A month 13 in notAfter; a key usage that is a BOOLEAN.
    end = one(made / "leaf.crt").data["not_after"]
    written = f"{datetime.fromisoformat(end):%y%m%d%H%M%S}Z".encode()
    octets = octets.replace(written, written[:2] + b"13" + written[4:])
    octets = octets.replace(b"\x03\x02\x05\xa0", b"\x01\x02\x05\xa0")
    path = tmp_path / "malformed.crt"
    path.write_bytes(octets)
    description = one(path)
    assert description.readable
    assert set(description.data["malformed"]) == {"not_after", "validity", "2.5.29.15"}
    assert values(description, "not_after")[0].startswith("malformed: ")
    assert values(description, "2.5.29.15")[0].startswith("malformed: ")
    assert description.data["not_after"] is None
    assert description.data["not_before"] == one(made / "leaf.crt").data["not_before"]
    assert values(description, "2.5.29.17")[0] == "dns:console.test"


@pytest.mark.parametrize(
    "options",
    [
        ("rsa:1024", "-sha1"),
        ("rsa:1024", "-sha512"),
        ("rsa:1024", "-sha256", "-sigopt", "rsa_padding_mode:pss"),
        ("rsa:2048", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_mgf1_md:sha384"),
        ("ed25519",),
        ("ed448",),
        ("ec", "-pkeyopt", "ec_paramgen_curve:P-521", "-sha384"),
    ],
    ids=" ".join,
)
def test_every_algorithm_that_openssl_signs_with_is_verified(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    path = tmp_path / "self.crt"
    command = ("openssl", "req", "-x509", "-noenc", "-subj", "/CN=self", "-keyout", "self.key")
    tools.run(*command, "-out", path, "-newkey", *options, cwd=tmp_path)
    assert one(path).data["self_signed"] is True
