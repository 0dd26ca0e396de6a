"""The OpenSSL of the package cryptography as a column: a TLS client that needs no key of the server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pkigen import build
from pkigen.matrix import MatrixCase, cases_of
from pkigen.matrix.validators.openssl_current import OPENSSL_CURRENT

Cases = dict[str, MatrixCase]


def _parts(case: MatrixCase) -> tuple[bool | None, bool | None, bool | None]:
    answer = OPENSSL_CURRENT.judge([case])[case.name]
    return answer.parts["path"], answer.parts["crl"], answer.parts["key"]


def test_its_version_is_newer_than_that_of_the_system() -> None:
    version = OPENSSL_CURRENT.version()
    assert version is not None
    assert tuple(map(int, version.removeprefix("OpenSSL ").split("."))) >= (3, 5)


def test_a_path_without_a_crl_for_each_certificate_is_rejected(cases: Cases) -> None:
    sound = cases["sound"]
    assert _parts(sound) == (True, True, True)
    assert _parts(replace(sound, crls=())) == (True, False, True)
    assert _parts(replace(sound, crls=sound.crls[:1], key=None)) == (True, False, None)


def test_certificates_in_several_tls_records_are_validated(cases: Cases, tmp_path: Path) -> None:
    sound = cases["sound"]
    assert sound.chain is not None
    chain = tmp_path / "chain.pem"
    chain.write_bytes(sound.chain.read_bytes() * 40)
    assert _parts(replace(sound, chain=chain)) == (True, True, True)
    assert _parts(replace(sound, chain=chain, host="elsewhere.test"))[0] is True
    assert _parts(replace(cases["sound.expired"], chain=chain))[0] is False


def test_a_path_may_end_at_an_intermediate_anchor_only_if_the_case_states_it(cases: Cases) -> None:
    sound = cases["sound"]
    assert sound.issuer is not None
    anchored = replace(sound, anchors=(sound.issuer,), crls=())
    assert _parts(anchored)[0] is False
    assert _parts(replace(anchored, partial_chain=True))[0] is True


def test_a_chain_file_may_begin_with_a_key_that_tls_cannot_use(tmp_path: Path) -> None:
    profile = {
        "name": "slhdsa",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": {"sensor": {"issuer": "issuing"}},
        "negatives": [{"of": "sensor", "faults": ["sig-slhdsa"]}],
    }
    cases = {case.name: case for case in cases_of(build(profile, tmp_path))}
    assert _parts(cases["sensor.sig-slhdsa"]) == (True, True, True)
