"""What is kept in memory is never served once the disk has something else."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pkigen import build
from pkigen.environment.environment import open_environment
from pkigen.serve import serve
from pkigen.serve.http import file_cache, metadata, published_files
from pkigen.serve.http.app import application
from pkigen.serve.http.file_cache import FileCache
from pkigen.serve.http.server import background, listen
from pkigen.x509 import CertificateList
from tests.serve.conftest import CERTIFICATE, CRL, Stub


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def crl(folder: Path) -> Path:
    return folder / "www/crl/root.crl"


@pytest.fixture
def keeper(folder: Path, clock: _Clock) -> FileCache:
    return FileCache(folder / "www", clock)


def _trusted(keeper: FileCache, path: Path, clock: _Clock) -> None:
    """Read a file so often, and so late, that it is believed to be the same."""
    keeper.read(path)
    clock.now += 2
    keeper.read(path)
    assert keeper.standing(str(path)) is not None


def test_a_file_is_read_anew_until_its_look_is_older_than_any_clock_ticks(
    keeper: FileCache, crl: Path, clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A disk whose times tell nothing: written twice between two ticks of its clock, by the same size.
    monkeypatch.setattr(file_cache, "_look", lambda _places: "the same")
    assert keeper.read(crl).document.data == CRL
    crl.write_bytes(CERTIFICATE)
    clock.now += 1.9
    assert keeper.read(crl).document.data == CERTIFICATE
    assert keeper.standing(str(crl)) is None
    clock.now += 0.1
    assert keeper.read(crl).trusted


def test_a_trusted_file_is_not_read_again(
    keeper: FileCache, crl: Path, clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _trusted(keeper, crl, clock)
    monkeypatch.setattr(file_cache, "read_file", lambda _path: pytest.fail("it is read again"))
    assert keeper.read(crl).document.data == CRL


def test_a_file_that_was_replaced_is_another(keeper: FileCache, crl: Path, clock: _Clock) -> None:
    _trusted(keeper, crl, clock)
    fresh = crl.with_name(".fresh")
    fresh.write_bytes(CERTIFICATE)
    fresh.replace(crl)
    assert keeper.standing(str(crl)) is None
    assert keeper.read(crl).document.data == CERTIFICATE


def test_a_file_written_in_place_with_its_old_time_is_another(
    keeper: FileCache, crl: Path, clock: _Clock
) -> None:
    _trusted(keeper, crl, clock)
    times = crl.stat().st_atime_ns, crl.stat().st_mtime_ns
    crl.write_bytes(CERTIFICATE)
    os.utime(crl, ns=times)
    assert keeper.read(crl).document.data == CERTIFICATE


def test_a_folder_that_became_a_link_is_no_way_any_more(keeper: FileCache, crl: Path, clock: _Clock) -> None:
    _trusted(keeper, crl, clock)
    crl.parent.rename(crl.parent.with_name("elsewhere"))
    crl.parent.symlink_to("elsewhere")
    assert keeper.standing(str(crl)) is None
    with pytest.raises(FileNotFoundError):
        keeper.read(crl)


def test_a_change_beside_a_file_leaves_it_trusted(keeper: FileCache, crl: Path, clock: _Clock) -> None:
    _trusted(keeper, crl, clock)
    crl.with_name("other.crl").write_bytes(CRL)
    assert keeper.standing(str(crl)) is not None


def test_memory_is_bounded_and_the_longest_unasked_goes_first(
    keeper: FileCache, crl: Path, clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [crl.with_name(f"{number}.crl") for number in range(2)]
    for path in (crl, *others):
        path.write_bytes(bytes(10_000))
    monkeypatch.setattr(file_cache, "_MOST_OCTETS", 25_000)
    _trusted(keeper, crl, clock)
    _trusted(keeper, others[0], clock)
    assert keeper.standing(str(crl)) is not None
    keeper.read(others[1])
    assert keeper.standing(str(crl)) is not None
    assert keeper.standing(str(others[0])) is None


def test_a_file_too_large_to_be_kept_is_sent_in_pieces(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_files, "LARGEST_WHOLE", 1000)
    data = os.urandom(1_000_000)
    (stub.www / "crl/large.crl").write_bytes(data)
    answer = stub.ask("/crl/large.crl")
    assert (answer.body, answer.headers["content-length"]) == (data, "1000000")
    assert answer.headers["etag"].startswith("W/")
    assert stub.ask("/crl/large.crl", If_None_Match=answer.headers["etag"]).status == 304
    assert stub.ask("/crl/large.crl", "HEAD").body == b""


def test_what_is_served_from_memory_is_replaced_by_the_next_request(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_cache, "_GRANULARITY_SECONDS", 0)
    path = stub.www / "crl/root.crl"
    for number in range(50):
        data = CRL + bytes([number])
        path.with_name(".fresh").write_bytes(data)
        path.with_name(".fresh").replace(path)
        assert [stub.ask("/crl/root.crl").body for _ in range(4)] == [data] * 4
    path.unlink()
    assert stub.ask("/crl/root.crl").status == 404


def test_no_spelling_of_a_file_in_memory_leads_to_another(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_cache, "_GRANULARITY_SECONDS", 0)
    for _ in range(3):
        assert stub.ask("/crl/root.crl").body == stub.ask("/crl/ro%6ft.crl").body == CRL
        for path in (
            "/crl//root.crl",
            "/crl/./root.crl",
            "/crl%2froot.crl",
            "/CRL/root.crl",
            "/crl/root.crl/",
        ):
            assert stub.ask(path).status == 404
        assert stub.ask("/crl/root.crl", "POST").status == 405


PROFILE = {
    "name": "kept",
    "base_url": "http://pki.test",
    "authorities": {"root": {"key": "ec-p256"}},
    "certificates": {"sensor": {"issuer": "root", "key": "ec-p256", "subject": {"CN": "sensor.test"}}},
}


def test_a_cache_may_keep_a_crl_until_its_next_update_and_a_certificate_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_cache, "_GRANULARITY_SECONDS", 0)
    folder = build(PROFILE, tmp_path).folder
    ends = CertificateList((folder / "www/crl/root.crl").read_bytes()).next_update
    assert ends is not None
    told = [ends - timedelta(seconds=90)]
    app = application(open_environment(folder), clock=lambda: told[0])
    with listen("127.0.0.1", 0) as listener, background(app, listener):
        stub = Stub(folder, listener.url)
        for now, seconds in (
            (ends - timedelta(seconds=90), 90),
            (ends - timedelta(seconds=9.5), 9),
            (ends, 0),
        ):
            told[0] = now
            for _ in range(3):
                said = stub.ask("/crl/root.crl").headers["cache-control"]
                assert said == f"public, max-age={seconds}, no-transform, must-revalidate"
        told[0] = ends + timedelta(days=1)
        assert "max-age=0," in stub.ask("/crl/root.crl").headers["cache-control"]
        assert "max-age=3600" in stub.ask("/ca/root.crt").headers["cache-control"]
        not_modified = stub.ask("/crl/root.crl", If_None_Match=stub.ask("/crl/root.crl").headers["etag"])
        assert (not_modified.status, not_modified.body) == (304, b"")
        assert "max-age=0," in not_modified.headers["cache-control"]


def test_without_a_clock_it_is_now(tmp_path: Path) -> None:
    with serve(build(PROFILE, tmp_path).folder) as url:
        said = Stub(tmp_path, url).ask("/crl/root.crl").headers["cache-control"]
    assert 0 < int(said.partition("max-age=")[2].partition(",")[0]) <= 7 * 86400


@pytest.mark.parametrize("suffix", [".crl", ".crt", ".txt"])
def test_octets_that_are_not_what_their_name_says_are_asked_for_each_time(suffix: str) -> None:
    found = metadata.read_metadata(suffix, b"<html>Please sign in.</html>")
    assert found is None
    assert metadata.cache_control(found, datetime.now(UTC)) == "no-cache"
