"""Cached credentials: used without a thread and with little effort, as long as no file has changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pkigen.api.build import build
from pkigen.environment.environment import Environment
from pkigen.serve.tls.case_selection import CaseSelector
from pkigen.serve.tls.session import Session
from tests.effort import calls
from tests.serve.tls.test_tls_session import Client, converse
from tests.serve.tls_clients import careless

_HOST = "sensor.contoso.test"
_ADDRESS = "127.0.0.1"


@pytest.fixture
def folder(presented: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment whose files count as older than the resolution of the clock."""
    monkeypatch.setattr("pkigen.files._COARSE_NANOSECONDS", 0)
    return Path(shutil.copytree(presented.folder, tmp_path / "environment"))


def _session(selector: CaseSelector) -> Session:
    return Session(
        lambda name: selector.present(_ADDRESS, name), lambda name: selector.cached(_ADDRESS, name)
    )


def test_only_the_first_handshake_of_a_case_needs_a_thread(folder: Path) -> None:
    selector = CaseSelector(folder)
    for is_deferred in (True, False):
        session, client = _session(selector), Client(careless(), _HOST)
        output = session.receive(client.step(b""), may_defer=True)
        assert (session.is_deferred, output == b"") == (is_deferred, is_deferred)
        if is_deferred:
            output = session.receive(b"")
        converse(session, client, first=output)
        assert b"sensor" in client.page


@pytest.mark.parametrize("kind", ["key", "certificate", "chain"])
def test_a_changed_file_is_presented_at_once(folder: Path, kind: str) -> None:
    selector = CaseSelector(folder)
    first = selector.present(_ADDRESS, _HOST)
    assert selector.cached(_ADDRESS, _HOST) is first
    path = folder / first.case.data["files"][kind]
    status = path.stat()
    path.write_bytes(path.read_bytes().swapcase())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert selector.cached(_ADDRESS, _HOST) is None
    assert selector.present(_ADDRESS, _HOST) != first


def test_a_changed_manifest_is_used_at_once(folder: Path) -> None:
    selector = CaseSelector(folder)
    selector.present(_ADDRESS, _HOST)
    (folder / "manifest.json").touch()
    assert selector.cached(_ADDRESS, _HOST) is None


def test_a_file_that_may_change_within_the_same_tick_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkigen.files._COARSE_NANOSECONDS", 10**18)
    selector = CaseSelector(folder)
    selector.present(_ADDRESS, _HOST)
    assert selector.cached(_ADDRESS, _HOST) is None


def test_long_keys_and_stapled_responses_are_left_to_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkigen.files._COARSE_NANOSECONDS", 0)
    profile = tmp_path / "profile.yaml"
    profile.write_text(
        """\
name: kinds
authorities:
  root: {subject: {CN: Root}, key: ec-p256, ocsp: {}}
  silent: {subject: {CN: Silent}, key: ec-p256}
certificates:
  short: {issuer: silent, key: rsa-2048, san: ["dns:short.test"]}
  long: {issuer: silent, key: rsa-4096, san: ["dns:long.test"]}
  stapled: {issuer: root, key: ec-p256, san: ["dns:stapled.test"], must_staple: true}
""",
        encoding="utf-8",
    )
    selector = CaseSelector(build(profile, tmp_path).folder)
    for name in ("short", "long", "stapled"):
        selector.present(_ADDRESS, f"{name}.test")
    cached = [selector.cached(_ADDRESS, f"{name}.test") is not None for name in ("short", "long", "stapled")]
    assert cached == [True, False, False]


def test_a_handshake_with_a_cached_credential_needs_less_than_1_050_calls(folder: Path) -> None:
    selector = CaseSelector(folder)
    selector.present(_ADDRESS, _HOST)
    hello = Client(careless(), _HOST).step(b"")
    assert calls(lambda: _session(selector).receive(hello)) < 1_050
