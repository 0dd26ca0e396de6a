"""A request always gets the bytes that are on the disk, with the metadata of these bytes."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from pkigen import build
from pkigen.environment.environment import open_environment
from pkigen.serve import serve
from pkigen.serve.http import metadata, published_files
from pkigen.serve.http.app import application
from pkigen.serve.http.cache_control import cache_control
from pkigen.serve.http.published_files import read_file
from pkigen.serve.http.server import background, listen
from pkigen.x509 import CertificateList
from tests.serve.conftest import CERTIFICATE, CRL, Stub


@pytest.fixture
def crl(folder: Path) -> Path:
    return folder / "www/crl/root.crl"


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Count the calls of the parser, beginning with an empty memory of metadata."""
    counter = Mock(wraps=metadata.read_metadata)
    monkeypatch.setattr(published_files, "read_metadata", counter)
    monkeypatch.setattr(published_files, "_metadata", {})
    return counter


def _read(path: Path) -> bytes:
    with read_file(path).file as file:
        return file.read()


def test_a_file_whose_times_and_size_did_not_change_is_read_again(stub: Stub) -> None:
    # A disk with coarse times: written twice between two ticks of its clock, with the same size.
    path = stub.www / "crl/root.crl"
    for data in (CRL, CERTIFICATE):
        path.write_bytes(data)
        os.utime(path, ns=(0, 0))
        assert stub.ask("/crl/root.crl").body == data


def test_the_same_bytes_are_parsed_once(crl: Path, parse: Mock) -> None:
    assert _read(crl) == _read(crl) == CRL
    parse.assert_called_once_with(".crl", CRL)


def test_a_replaced_file_is_read_and_parsed_again(crl: Path, parse: Mock) -> None:
    assert _read(crl) == CRL
    replacement = crl.with_name(".new")
    replacement.write_bytes(CERTIFICATE)
    replacement.replace(crl)
    assert _read(crl) == CERTIFICATE
    assert [call.args[1] for call in parse.call_args_list] == [CRL, CERTIFICATE]


def test_a_file_written_in_place_with_its_old_time_is_read_and_parsed_again(crl: Path, parse: Mock) -> None:
    assert _read(crl) == CRL
    times = crl.stat().st_atime_ns, crl.stat().st_mtime_ns
    crl.write_bytes(CERTIFICATE)
    os.utime(crl, ns=times)
    assert _read(crl) == CERTIFICATE
    assert [call.args[1] for call in parse.call_args_list] == [CRL, CERTIFICATE]


def test_a_directory_that_became_a_link_is_not_entered(stub: Stub) -> None:
    assert stub.ask("/crl/root.crl").body == CRL
    (stub.www / "crl").rename(stub.www / "other")
    (stub.www / "crl").symlink_to("other")
    assert stub.ask("/crl/root.crl").status == 404
    (stub.www / "crl").unlink()


def test_a_change_next_to_a_file_does_not_parse_it_again(crl: Path, parse: Mock) -> None:
    before = read_file(crl)
    before.file.close()
    crl.with_name("other.crl").write_bytes(CERTIFICATE)
    after = read_file(crl)
    after.file.close()
    assert after.headers == before.headers
    parse.assert_called_once_with(".crl", CRL)


def test_the_cache_of_metadata_is_limited(crl: Path, parse: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_files, "_MOST_REMEMBERED", 2)
    for number in range(5):
        crl.write_bytes(bytes([number]))
        _read(crl)
        assert len(published_files._metadata) == min(number + 1, 2)
    assert parse.call_count == 5


def test_a_file_too_large_to_be_read_whole_is_sent_in_pieces(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_files, "MAX_WHOLE_BYTES", 1000)
    data = os.urandom(1_000_000)
    (stub.www / "crl/large.crl").write_bytes(data)
    answer = stub.ask("/crl/large.crl")
    assert (answer.body, answer.headers["content-length"]) == (data, "1000000")
    assert answer.headers["etag"].startswith("W/")
    assert stub.ask("/crl/large.crl", If_None_Match=answer.headers["etag"]).status == 304
    assert stub.ask("/crl/large.crl", "HEAD").body == b""


def test_a_replaced_file_is_served_by_the_next_request(stub: Stub) -> None:
    path = stub.www / "crl/root.crl"
    for number in range(50):
        data = CRL + bytes([number])
        path.with_name(".fresh").write_bytes(data)
        path.with_name(".fresh").replace(path)
        assert [stub.ask("/crl/root.crl").body for _ in range(4)] == [data] * 4
    path.unlink()
    assert stub.ask("/crl/root.crl").status == 404


def test_other_spellings_of_a_url_find_no_file(stub: Stub) -> None:
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
    "name": "cached",
    "base_url": "http://pki.test",
    "authorities": {"root": {"key": "ec-p256"}},
    "certificates": {"sensor": {"issuer": "root", "key": "ec-p256", "subject": {"CN": "sensor.test"}}},
}


def test_a_crl_may_be_cached_until_its_next_update_and_a_certificate_for_an_hour(tmp_path: Path) -> None:
    folder = build(PROFILE, tmp_path).folder
    ends = CertificateList((folder / "www/crl/root.crl").read_bytes()).next_update
    assert ends is not None
    times = [ends - timedelta(seconds=90)]
    app = application(open_environment(folder), clock=lambda: times[0])
    with listen("127.0.0.1", 0) as listener, background(app, listener):
        stub = Stub(folder, listener.url)
        for now, seconds in (
            (ends - timedelta(seconds=90), 90),
            (ends - timedelta(seconds=9.5), 9),
            (ends, 0),
        ):
            times[0] = now
            for _ in range(3):
                header = stub.ask("/crl/root.crl").headers["cache-control"]
                assert header == f"public, max-age={seconds}, no-transform, must-revalidate"
        times[0] = ends + timedelta(days=1)
        assert "max-age=0," in stub.ask("/crl/root.crl").headers["cache-control"]
        assert "max-age=3600" in stub.ask("/ca/root.crt").headers["cache-control"]
        not_modified = stub.ask("/crl/root.crl", If_None_Match=stub.ask("/crl/root.crl").headers["etag"])
        assert (not_modified.status, not_modified.body) == (304, b"")
        assert "max-age=0," in not_modified.headers["cache-control"]


def test_the_default_clock_is_the_current_time(tmp_path: Path) -> None:
    with serve(build(PROFILE, tmp_path).folder) as url:
        header = Stub(tmp_path, url).ask("/crl/root.crl").headers["cache-control"]
    assert 0 < int(header.partition("max-age=")[2].partition(",")[0]) <= 7 * 86400


@pytest.mark.parametrize("suffix", [".crl", ".crt", ".txt"])
def test_a_file_whose_contents_do_not_match_its_suffix_must_be_revalidated(suffix: str) -> None:
    assert metadata.read_metadata(suffix, b"<html>Please sign in.</html>") is None
    assert cache_control(None, datetime.now(UTC)) == "no-cache"
