"""What an appliance says to an upload: its documented messages, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import given
from hypothesis import strategies as st

from pkigen.lab.appliance.upload import (
    File,
    Upload,
    UploadResult,
    base_name,
)
from pkigen.lab.connections.connection import ConnectionState
from tests.lab.conftest import Plant, built, document, presented, up
from tests.tools import run

EXPIRED = "This SSL certificate has expired and isn't considered valid."
REVOKED = "This certificate has been revoked by the CRL and can't be trusted for a secure connection"
UNREACHABLE = (
    "The CRL (Certificate Revocation List) location is not reachable. "
    "Verify the URL can be accessed from this appliance"
)
CHAIN = "Cannot validate chain of trust. The provided Certificate and Root CA don't match."
PASSPHRASE = "Passphrase does not match to the key"
OTHERWISE = "Certificate validation failed"
FIELDS = ("certificate", "key", "chain")


def _messages(result: UploadResult) -> list[str]:
    return [message.text for message in result.messages]


@contextmanager
def _crl_server_stopped(plant: Plant) -> Iterator[None]:
    plant.lab.stop_crl_server()
    try:
        yield
    finally:
        plant.lab.start_crl_server()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("not-after-future-expired", EXPIRED),
        ("not-revoked-revoked", REVOKED),
        ("crl-reachable-unpublished", UNREACHABLE),
        ("crl-reachable-stale", UNREACHABLE),
        ("chain-issuer-other-ca", CHAIN),
        ("key-opens-wrong", PASSPHRASE),
        ("not-before-past-not-yet-valid", OTHERWISE),
        ("key-matches-other", OTHERWISE),
    ],
)
def test_each_documented_message_shows_for_its_upload(fault: str, message: str, plant: Plant) -> None:
    before = presented(plant.lab.appliance("sensor-03").url)
    result = plant.lab.upload_case("sensor-03", f"sensor-03.{fault}")
    assert _messages(result) == [message]
    assert result.messages[0].advice
    assert result.messages[0].details
    assert presented(plant.lab.appliance("sensor-03").url) == before


@pytest.mark.parametrize("fault", ["not-revoked-revoked", "crl-reachable-unpublished", "crl-reachable-stale"])
def test_without_the_option_no_crl_is_checked(fault: str, plant: Plant) -> None:
    with _crl_server_stopped(plant):
        result = plant.lab.upload_case("sensor-03", f"sensor-03.{fault}", crl_check=False)
    assert _messages(result) == []


def test_an_unreachable_crl_server_rejects_a_certificate_without_a_fault(plant: Plant) -> None:
    with _crl_server_stopped(plant):
        assert _messages(plant.lab.upload_case("sensor-01", "sensor-01")) == [UNREACHABLE]
    assert _messages(plant.lab.upload_case("sensor-01", "sensor-01")) == []


def test_two_problems_have_two_messages(plant: Plant) -> None:
    upload = _upload(
        plant, "sensor-03.not-after-future-expired", key=plant.files("sensor-03.key-opens-wrong")["key"][1]
    )
    assert set(_messages(plant.lab.upload("sensor-03", upload))) >= {EXPIRED, PASSPHRASE}


def _upload(plant: Plant, case: str, **files: bytes) -> Upload:
    """Return the upload of a certificate, with other bytes in some fields."""
    named = plant.files(case)
    named |= {kind: (named[kind][0], data) for kind, data in files.items()}
    fields = {kind: File(*named[kind]) for kind in FIELDS if kind in named}
    return Upload("test", fields["certificate"], fields["key"], fields.get("chain"))


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
@pytest.mark.parametrize(
    ("typed", "messages"), [(b"open sesame", []), (b"closed", [PASSPHRASE]), (None, [PASSPHRASE])]
)
def test_encrypted_keys_of_both_formats_are_decrypted(
    form: PrivateFormat, typed: bytes | None, messages: list[str], plant: Plant
) -> None:
    key = load_pem_private_key(plant.files("sensor-01")["key"][1], None)
    sealed = key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"open sesame"))
    made = _upload(plant, "sensor-01")
    upload = Upload("test", made.certificate, File("sealed.key", sealed), made.chain, typed)
    assert _messages(plant.lab.upload("sensor-01", upload)) == messages


def test_a_passphrase_for_an_unencrypted_key_is_ignored(plant: Plant) -> None:
    made = _upload(plant, "sensor-01")
    upload = Upload("test", made.certificate, made.key, made.chain, b"what for")
    assert _messages(plant.lab.upload("sensor-01", upload)) == []


def test_an_upload_without_the_issuing_ca_has_a_warning(plant: Plant) -> None:
    made = _upload(plant, "sensor-01")
    assert plant.lab.upload("sensor-01", made).notes == ()
    without = plant.lab.upload("sensor-01", Upload("test", made.certificate, made.key))
    assert without.accepted
    assert "does not contain the issuing CA" in without.notes[0]
    plant.lab.upload("sensor-01", made)


def test_a_certificate_in_der_is_accepted(plant: Plant) -> None:
    made = _upload(plant, "sensor-01")
    der = load_pem_x509_certificate(made.certificate.data).public_bytes(Encoding.DER)
    upload = Upload("test", File("sensor-01.crt", der), made.key, made.chain)
    assert _messages(plant.lab.upload("sensor-01", upload)) == []
    assert presented(plant.lab.appliance("sensor-01").url) == plant.sha256("sensor-01")


@pytest.mark.needs("openssl")
def test_bag_attributes_in_a_chain_are_accepted(plant: Plant, tmp_path: Path) -> None:
    folder = tmp_path
    case = plant.case("sensor-01")
    bundle = folder / "all.p12"
    names = ("-in", case.certificate, "-inkey", case.key, "-certfile", case.chain, "-name", "sensor")
    run("openssl", "pkcs12", "-export", *names, "-passout", "pass:", "-out", bundle)
    chain = run("openssl", "pkcs12", "-in", bundle, "-passin", "pass:", "-nokeys", "-cacerts")
    chain = "Bag Attributes\n    friendlyName: the CAs\n" + chain
    result = plant.lab.upload("sensor-01", _upload(plant, "sensor-01", chain=chain.encode()))
    assert _messages(result) == []


@pytest.mark.parametrize(
    ("field", "data", "words"),
    [
        ("certificate", b"", "the file is empty"),
        ("certificate", b"garbage \x00\xff" * 100, "cannot be read"),
        ("certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"),
        ("key", b"", "no private key"),
        ("key", b"garbage \x00\xff" * 100, ""),
        ("key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", ""),
    ],
)
def test_garbage_is_rejected_with_a_reason(field: str, data: bytes, words: str, plant: Plant) -> None:
    before = presented(plant.lab.appliance("sensor-02").url)
    result = plant.lab.upload("sensor-02", _upload(plant, "sensor-02", **{field: data}))
    assert _messages(result)
    assert words in " ".join(detail for message in result.messages for detail in message.details)
    assert presented(plant.lab.appliance("sensor-02").url) == before


@given(data=st.binary(max_size=200))
def test_no_bytes_of_an_upload_raise_an_exception(data: bytes) -> None:
    from pkigen.clock import utc_now
    from pkigen.lab.appliance.upload import check_upload
    from pkigen.requirements import load_set

    upload = Upload("any", File("a.crt", data), File("a.key", data), File("a.pem", data), data, False)
    assert not check_upload(upload, [load_set("defender-iot")], utc_now()).accepted


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\new.crt", "new.crt"),
        ("a\x00b\nc.crt", "a\\x00b\\nc.crt"),
        ("", "unnamed file"),
        ("/", "unnamed file"),
        ("<script>.crt", "<script>.crt"),
    ],
)
def test_only_the_last_part_of_a_file_name_is_shown(path: str, name: str) -> None:
    assert base_name(path) == name


def test_another_root_is_accepted_with_its_chain(own_plant: Plant) -> None:
    """A plant may change its CA: what was trusted before does not hold that up."""
    assert _messages(own_plant.lab.upload_case("sensor-01", "foreign")) == []


def test_through_a_proxy_the_crl_server_answers_under_any_name(tmp_path: Path) -> None:
    """Nobody resolves crl.invalid: the proxy knows where the CRL server is."""
    profile = document(proxy=True)
    profile["base_url"] = profile["base_url"].replace("127.0.0.1", "crl.invalid")
    with up(built(profile, tmp_path), profile) as plant:
        assert plant.lab.upload_case("sensor-03", "sensor-03").accepted
        assert plant.check("sensor-03:console").state is ConnectionState.CONNECTED
        plant.lab.stop_crl_server()
        result = plant.lab.upload_case("sensor-03", "sensor-03")
        assert _messages(result) == [UNREACHABLE]
        assert plant.check("sensor-03:console").state is ConnectionState.HALTED
