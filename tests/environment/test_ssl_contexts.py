"""Cases in Python's ssl module: only clients that trust a case's anchors accept it."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from pkigen import Case, Environment, build

_PROFILE: dict[str, Any] = {
    "name": "contexts",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {}, "issuing": {"issuer": "root"}, "other": {}},
    "certificates": {
        "sensor": {"issuer": "issuing", "san": ["dns:sensor.contoso.test"]},
        "wild": {"issuer": "issuing", "san": ["dns:*.contoso.test"]},
        "vault": {"issuer": "root", "passphrase": "open sesame", "san": ["dns:vault.contoso.test"]},
        "alone": {"issuer": "self", "san": ["dns:alone.contoso.test"]},
        "plc": {"issuer": "other", "san": ["ip:10.1.0.10", "dns:plc.contoso.test"]},
        "person": {"issuer": "other", "san": ["email:a@contoso.test"]},
    },
    "negatives": [{"of": "sensor", "faults": ["expired", "key-mismatch"]}],
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(_PROFILE, tmp_path_factory.mktemp("contexts"))


def _shake(client: ssl.SSLContext, case: Case, passphrase: str = "") -> None:
    """Do a handshake in memory; raises the client's SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=case.host)
    serving = case.server_context(passphrase).wrap_bio(to_server, to_client, server_side=True)
    for side in (asking, serving) * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("name", ["sensor", "wild"])
def test_a_case_without_a_fault_is_trusted(built: Environment, name: str) -> None:
    _shake(built[name].client_context(), built[name])


def test_only_its_passphrase_decrypts_a_key(built: Environment) -> None:
    _shake(built["vault"].client_context(), built["vault"], "open sesame")
    with pytest.raises(ssl.SSLError):
        built["vault"].server_context("something else")


@pytest.mark.parametrize(
    ("name", "trusting", "words"),
    [
        ("sensor.expired", "sensor", "certificate has expired"),
        ("sensor", "person", "unable to get local issuer|self-signed certificate in certificate chain"),
        ("alone", "alone", "self-signed certificate"),
    ],
)
def test_a_case_that_must_be_rejected_is_rejected(
    built: Environment, name: str, trusting: str, words: str
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=words):
        _shake(built[trusting].client_context(), built[name])


def test_the_root_is_not_presented(built: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    presented = []

    def load(_: ssl.SSLContext, file: Path, *others: object) -> None:
        presented.append(file.read_text("ascii"))

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    sensor = built["sensor"]
    sensor.server_context()
    blocks = [text.split("-----END")[0].split() for text in presented[0].split("-----BEGIN")[1:]]
    files = [sensor.certificate, built.folder / "authorities" / "issuing" / "issuing.crt"]
    assert blocks == [
        path.read_text("ascii").split("-----BEGIN")[1].split("-----END")[0].split() for path in files
    ]


def test_a_key_mismatch_is_reported(built: Environment) -> None:
    with pytest.raises(ssl.SSLError, match="key values mismatch"):
        built["sensor.key-mismatch"].server_context()


def test_a_case_has_the_server_name_and_the_expected_verdict(built: Environment) -> None:
    hosts = [built[name].host for name in ("sensor", "wild", "plc", "person")]
    assert hosts == ["sensor.contoso.test", "any.contoso.test", "plc.contoso.test", "person"]
    expired, sound = built["sensor.expired"], built["sensor"]
    assert (expired.fault, expired.expected, expired.accepted) == ("expired", "reject", False)
    assert (sound.fault, sound.expected, sound.accepted, sound.reason) == (None, "accept", True, None)
    assert expired.reason is not None
    assert [path.name for path in sound.anchors] == ["root.crt"]
