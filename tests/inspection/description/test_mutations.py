"""Whatever is in a file, it is described, and what is described can be printed."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs7,
    pkcs12,
)
from cryptography.x509 import (
    CertificateSigningRequestBuilder,
    DNSName,
    Name,
    SubjectAlternativeName,
    load_pem_x509_certificate,
    load_pem_x509_crl,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pkigen.cli import main
from pkigen.inspection.artifacts import read
from pkigen.inspection.description import describe
from tests.environment.profiles import build_it, small

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SECRET = b"geheim"
KINDS = (
    "certificate",
    "authority",
    "crl",
    "request",
    "pkcs8",
    "pkcs1",
    "sealed",
    "public",
    "p12",
    "p7",
    "pem",
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A sound file of every kind; ``folder`` is where a test may write one."""
    document = small()
    document["defaults"]["key"] = "rsa-1024"
    document["authorities"]["issuing"]["name_constraints"] = {"permitted": ["dns:.test", "ip:10.0.0.0/8"]}
    document["certificates"]["console"] |= {
        "san": ["dns:console.test", "ip:10.1.0.10", "uri:urn:x", "upn:a@b.test", {"dirname": {"CN": "x"}}],
        "must_staple": True,
        "policies": ["1.2.3.4"],
        "revoked": {"reason": "keyCompromise", "at": "-2d"},
    }
    folder = build_it(document, tmp_path_factory.mktemp("sound"), at=NOW).folder
    console, issuing = folder / "certificates/console", folder / "authorities/issuing"
    certificate = load_pem_x509_certificate((console / "console.crt").read_bytes())
    authority = load_pem_x509_certificate((issuing / "issuing.crt").read_bytes())
    key = load_pem_private_key((console / "console.key").read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    request = CertificateSigningRequestBuilder(Name([])).add_extension(
        SubjectAlternativeName([DNSName("x.test")]), critical=False
    )
    quick = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1).build(SECRET)
    traditional = PrivateFormat.TraditionalOpenSSL
    return {
        "certificate": certificate.public_bytes(Encoding.DER),
        "authority": authority.public_bytes(Encoding.DER),
        "crl": load_pem_x509_crl((issuing / "issuing.crl").read_bytes()).public_bytes(Encoding.DER),
        "request": request.sign(key, SHA256()).public_bytes(Encoding.DER),
        "pkcs8": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "pkcs1": key.private_bytes(Encoding.DER, traditional, NoEncryption()),
        "sealed": key.private_bytes(Encoding.PEM, traditional, BestAvailableEncryption(SECRET)),
        "public": key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "p12": pkcs12.serialize_key_and_certificates(b"name", key, certificate, [authority], quick),
        "p7": pkcs7.serialize_certificates([certificate, authority], Encoding.DER),
        "pem": (console / "console.crt").read_bytes() + (console / "console.key").read_bytes(),
        "folder": str(folder).encode(),
    }


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, list[tuple[int, bytes, bool]]]:
    """Draw a kind of file, and changes: the position, the bytes, and whether they replace or are inserted."""
    inserted = st.binary(max_size=3) | st.sampled_from(
        [b"\x1b[2J", b"\x00", b"\x80", b"\xff", b"\x30", b"\x05"]
    )
    change = st.tuples(st.integers(0, 4_000), inserted, st.booleans())
    return draw(st.sampled_from(KINDS)), draw(st.lists(change, max_size=4))


def _changed(data: bytes, what: list[tuple[int, bytes, bool]]) -> bytes:
    for position, inserted, instead in what:
        position %= len(data) + 1
        data = data[:position] + inserted + data[position + (len(inserted) if instead else 0) :]
    return data


@pytest.mark.filterwarnings("ignore:PKCS#7 certificates could not be parsed as DER")
@settings(max_examples=300)
@given(case=changes())
def test_changed_bytes_are_described(
    sound: dict[str, bytes], case: tuple[str, list[tuple[int, bytes, bool]]]
) -> None:
    kind, what = case
    artifacts = [
        *read(_changed(sound[kind], what), "changed", [SECRET]),
        *read(sound["authority"], "authority"),
    ]
    overview = describe(artifacts, NOW)
    assert len(overview.descriptions) == len(artifacts)
    for description in overview.descriptions:
        json.dumps(description.data)
        assert all(field.values for field in description.fields)


@pytest.mark.filterwarnings("ignore:PKCS#7 certificates could not be parsed as DER")
@settings(max_examples=100)
@given(case=changes(), as_json=st.booleans())
def test_changed_files_cause_no_exception_and_no_terminal_escapes(
    sound: dict[str, bytes], case: tuple[str, list[tuple[int, bytes, bool]]], as_json: bool
) -> None:
    kind, what = case
    folder = Path(sound["folder"].decode())
    (folder / "changed").write_bytes(_changed(sound[kind], what))
    (folder / "secret").write_bytes(SECRET)
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        arguments = ["show", str(folder / "changed"), "--passphrase-file", str(folder / "secret")]
        code = main([*arguments, *(["--json"] if as_json else [])])
    assert (code in (0, 1), err.getvalue()) == (True, "")
    assert all(line.isprintable() for line in out.getvalue().split("\n"))
    if as_json:
        assert out.getvalue().isascii()
        json.loads(out.getvalue())
