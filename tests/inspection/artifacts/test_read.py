"""Files as other programs write them; openssl and keytool create the originals."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from pkigen.asn1 import der
from pkigen.formats import pem
from pkigen.formats.pkcs7 import pkcs7_file
from pkigen.formats.pkcs12 import Protection, pkcs12_file
from pkigen.inspection.artifacts import Artifact, Encoding, Kind, read, read_path

SECRET = b"changeit"
openssl_only = pytest.mark.needs("openssl")


def openssl(*arguments: str, cwd: Path, data: bytes = b"") -> bytes:
    command = ["openssl", *arguments]
    return subprocess.run(command, cwd=cwd, input=data, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a certificate, its key, and a second key with a certificate."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("one", "two"):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.sec1", cwd=folder)
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", f"{name}.sec1", "-out", f"{name}.key", cwd=folder)
        openssl(
            *("req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.crt"),
            cwd=folder,
        )
    openssl("crl2pkcs7", "-nocrl", "-certfile", "one.crt", "-out", "one.p7b", cwd=folder)
    return folder


def block(folder: Path, name: str) -> bytes:
    return next(pem.blocks((folder / name).read_bytes())).data


def kinds(artifacts: tuple[Artifact, ...]) -> list[Kind]:
    assert [one.problem for one in artifacts if one.problem] == []
    return [one.kind for one in artifacts]


@openssl_only
@pytest.mark.parametrize(
    ("before", "between", "after"),
    [
        ("", "\n", "\n"),
        ("> ", "\n> ", ""),
        ('"', '\\n"\n"', ""),
        ("", "\\n", ""),
        ("", "\\r\\n", ""),
        ("", "%0A", ""),
        ("", "&#10;", ""),
        ('  + "', '" +\n  + "', '"'),
        ("\ufeff", "\r", "\r"),
    ],
)
def test_quoted_and_escaped_pem_is_read(made: Path, before: str, between: str, after: str) -> None:
    lines = (made / "one.crt").read_text().splitlines()
    text = before + between.join(lines) + after
    if between == "%0A":
        text = text.replace(" ", "%20")
    (artifact,) = read(text.encode(), "x")
    assert artifact.der == block(made, "one.crt")
    assert bool(artifact.note) is (between not in ("\n", "\r"))


@openssl_only
@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read(made: Path, codec: str) -> None:
    (artifact,) = read((made / "one.crt").read_text().encode(codec), "x")
    assert artifact.certificate


@openssl_only
@pytest.mark.parametrize("template", ["{}", "<X509Certificate>\n{}</X509Certificate>", '{{"crt": "{}"}}'])
def test_base64_without_labels_is_read_in_any_text(made: Path, template: str) -> None:
    text = template.format(base64.encodebytes(block(made, "one.crt")).decode())
    (artifact,) = read(text.encode(), "x")
    assert (artifact.kind, artifact.source.encoding) == (Kind.CERTIFICATE, Encoding.BASE64)


@openssl_only
def test_der_objects_that_follow_each_other_are_all_read(made: Path) -> None:
    data = block(made, "one.crt") + block(made, "two.crt") + block(made, "one.key")
    artifacts = read(data + b"\r\n", "x")
    assert kinds(artifacts) == [Kind.CERTIFICATE, Kind.CERTIFICATE, Kind.KEY]
    assert not any(one.note for one in artifacts)


@openssl_only
def test_bytes_after_the_last_der_object_are_noted(made: Path) -> None:
    (artifact,) = read(block(made, "one.crt") + b"\0\0\x01", "x")
    assert (bool(artifact.certificate), artifact.note) == (True, "3 bytes after it were ignored")


@openssl_only
@pytest.mark.parametrize("label", ["CERTIFICATE", "PKCS7", "CMS", "PKCS #7 SIGNED DATA"])
def test_pkcs7_is_read_under_every_label(made: Path, label: str) -> None:
    assert kinds(read(pem.encode(label, block(made, "one.p7b")), "x")) == [Kind.CERTIFICATE]


@openssl_only
@pytest.mark.parametrize("label", ["X509 CRL", "CERTIFICATE REQUEST", "PKCS12", "certificate", "CERT CHAIN"])
def test_the_contents_of_a_block_determine_its_type(made: Path, label: str) -> None:
    assert kinds(read(pem.encode(label, block(made, "one.p7b")), "x")) == [Kind.CERTIFICATE]
    assert kinds(read(pem.encode("SECRET", block(made, "one.key")), "x")) == [Kind.KEY]


def test_a_block_that_is_unknown_by_label_and_contents_is_named_by_its_label() -> None:
    for data in (b"", b"junk", der.sequence(), der.sequence(der.integer(1), der.integer(2))):
        (artifact,) = read(pem.encode("DH PARAMETERS", data), "x")
        assert artifact.problem == "a PEM block with the label 'DH PARAMETERS', which is not supported"


@pytest.mark.parametrize("filler", [b"\\", b" ", b'"', b"'+ ", b"&#", b"<a ", b">", b"-----BEGIN A-----"])
def test_long_runs_of_quote_marks_take_linear_time(filler: bytes) -> None:
    text = b"-----BEGIN CERTIFICATE-----\n!" + filler * 100_000 + b"!\n-----END CERTIFICATE-----\n"
    limited = (
        "import resource, sys; from pkigen.inspection.artifacts import read\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "read(sys.stdin.buffer.read(), 'x')"
    )
    subprocess.run([sys.executable, "-c", limited], input=text, check=True)


@openssl_only
def test_every_key_and_certificate_of_a_key_store_is_listed(made: Path) -> None:
    store = pkcs12_file(block(made, "one.key"), [block(made, "one.crt")], "one", SECRET)
    (made / "one.p12").write_bytes(store)
    text = openssl("pkcs12", "-in", "one.p12", "-passin", "pass:changeit", "-nodes", cwd=made)
    assert text.count(b"BEGIN") == 2
    assert [one.friendly_name for one in read(store, "x", [SECRET])] == ["one", "one"]
    (closed,) = read(store, "x", [b"wrong"])
    assert closed.problem == "the passphrase is wrong, or the file is damaged"


@openssl_only
@pytest.mark.parametrize("protection", list(Protection))
def test_openssl_reads_every_protection(made: Path, protection: Protection) -> None:
    store = pkcs12_file(block(made, "one.key"), [block(made, "one.crt")], "ä", SECRET, protection=protection)
    (made / "any.p12").write_bytes(store)
    text = openssl("pkcs12", "-legacy", "-in", "any.p12", "-passin", "pass:changeit", "-nodes", cwd=made)
    assert text.count(b"BEGIN") == 2
    assert kinds(read(store, "x", [SECRET])) == [Kind.KEY, Kind.CERTIFICATE]


@openssl_only
@pytest.mark.parametrize(
    "options",
    [
        ("-keypbe", "PBE-SHA1-RC4-128", "-certpbe", "PBE-SHA1-RC2-40"),
        ("-keypbe", "PBE-SHA1-2DES", "-certpbe", "PBE-SHA1-RC2-128"),
        ("-keypbe", "AES-128-CBC", "-certpbe", "DES-EDE3-CBC", "-macalg", "sha512"),
        ("-keypbe", "NONE", "-certpbe", "NONE", "-nomac"),
        ("-iter", "1", "-macalg", "sha384"),
    ],
)
def test_key_stores_of_openssl_are_read(made: Path, options: tuple[str, ...]) -> None:
    store = openssl(
        *("pkcs12", "-export", "-legacy", "-in", "one.crt", "-inkey", "one.key"),
        *("-passout", "pass:changeit", *options),
        cwd=made,
    )
    key, certificate = read(store, "x", [SECRET])
    assert (key.der, certificate.der) == (block(made, "one.key"), block(made, "one.crt"))


@openssl_only
def test_an_unsupported_cipher_is_not_reported_as_a_wrong_passphrase(made: Path) -> None:
    options = ("-keypbe", "CAMELLIA-256-CBC", "-certpbe", "CAMELLIA-256-CBC", "-passout", "pass:changeit")
    store = openssl("pkcs12", "-export", "-in", "one.crt", "-inkey", "one.key", *options, cwd=made)
    problems = [one.problem for one in read(store, "x", [SECRET])]
    assert all("Camellia-256-CBC" in problem and "wrong" not in problem for problem in problems)


@openssl_only
@pytest.mark.parametrize(
    "options", [("-v1", "PBE-MD5-DES"), ("-v1", "PBE-SHA1-3DES"), ("-v2", "des3"), ("-scrypt",)]
)
def test_encrypted_pkcs8_keys_of_openssl_are_read(made: Path, options: tuple[str, ...]) -> None:
    data = openssl(
        *("pkcs8", "-topk8", "-in", "one.key", "-passout", "pass:changeit", *options),
        *(("-provider", "legacy", "-provider", "default") if "-v1" in options else ()),
        cwd=made,
    )
    (artifact,) = read(data, "x", [SECRET])
    assert artifact.key is not None
    assert artifact.key.pkcs8 == block(made, "one.key")


@openssl_only
@pytest.mark.parametrize(
    "curve", ["brainpoolP256r1", "brainpoolP320t1", "secp224r1", "secp160r1", "sect283k1", "SM2"]
)
def test_keys_on_every_curve_are_read_with_their_size(made: Path, curve: str) -> None:
    openssl("ecparam", "-name", curve, "-genkey", "-noout", "-out", "curve.key", cwd=made)
    public = openssl("pkey", "-in", "curve.key", "-pubout", "-outform", "DER", cwd=made)
    (artifact,) = read_path(made / "curve.key")
    assert artifact.key is not None
    assert artifact.key.public is not None
    assert artifact.key.public.der == public
    assert artifact.key.public.size == int("".join(filter(str.isdigit, curve[:-2])) or 256)


@openssl_only
def test_a_key_with_three_primes_is_read_without_a_problem(made: Path) -> None:
    data = openssl("genrsa", "-primes", "3", "1024", cwd=made)
    (artifact,) = read(data, "x")
    assert artifact.key is not None
    assert artifact.key.public is not None
    assert (artifact.key.public.size, artifact.key.unsound) == (1024, "")


@openssl_only
def test_an_rsa_pss_key_keeps_its_algorithm(made: Path) -> None:
    data = openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024", cwd=made)
    public = openssl("pkey", "-pubout", "-outform", "DER", cwd=made, data=data)
    (artifact,) = read(data, "x")
    assert artifact.key is not None
    assert artifact.key.public is not None
    assert (artifact.key.pkcs8, artifact.key.public.der) == (next(pem.blocks(data)).data, public)


@openssl_only
def test_pkcs8_version_2_and_short_scalars_are_read(made: Path) -> None:
    _, algorithm, wrapped = der.children(block(made, "one.key"))
    version, scalar, *_ = der.children(der.contents(wrapped))
    public = read(pem.encode("PRIVATE KEY", block(made, "one.key")), "x")[0].key
    for octets in (der.contents(scalar), b"\0\0" + der.contents(scalar)):
        inner = der.octet_string(der.sequence(version, der.octet_string(octets)))
        info = der.sequence(der.integer(1), algorithm, inner, der.tlv(0x81, b"\0public"))
        key = read(pem.encode("PRIVATE KEY", info), "x")[0].key
        assert key is not None
        assert public is not None
        assert key.public == public.public


@openssl_only
@pytest.mark.needs("keytool")
def test_java_key_stores_are_read_without_java(made: Path) -> None:
    store = pkcs12_file(block(made, "one.key"), [block(made, "one.crt")], "alias", SECRET)
    from pkigen.formats.keytool import java_key_store

    jks = java_key_store(store, SECRET)
    key, certificate = read(jks, "x.jks", [SECRET])
    assert (key.der, certificate.der) == (block(made, "one.key"), block(made, "one.crt"))
    closed = read(jks, "x.jks")
    assert [bool(one.problem) for one in closed] == [True, False]


def test_other_java_key_stores_are_named_with_the_command_that_converts_them() -> None:
    (artifact,) = read(b"\xce\xce\xce\xce\0\0\0\x02", "x.jceks")
    assert "keytool -importkeystore -srckeystore x.jceks -srcstoretype JCEKS" in artifact.problem


@openssl_only
def test_a_crl_in_a_container_is_listed(made: Path) -> None:
    crl = der.sequence(
        der.sequence(
            der.sequence(der.oid("1.2.840.10045.4.3.2")), der.sequence(), der.tlv(0x17, b"260101000000Z")
        ),
        der.sequence(der.oid("1.2.840.10045.4.3.2")),
        der.bit_string(b""),
    )
    assert kinds(read(pkcs7_file([block(made, "one.crt")], [crl]), "x")) == [Kind.CERTIFICATE, Kind.CRL]


def test_messages_of_python_are_not_part_of_a_problem() -> None:
    broken = der.sequence(der.sequence(b"\x30\x00"), b"\x30\x00")
    for label in ("CERTIFICATE", "X509 CRL", "CERTIFICATE REQUEST", "PKCS7", "PKCS12", "EC PRIVATE KEY"):
        (artifact,) = read(pem.encode(label, broken), "x")
        assert artifact.problem
        assert not any(word in artifact.problem for word in ("unpack", "range", "index", "codec"))
