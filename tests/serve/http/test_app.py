"""Which files the stub serves, and the HTTP headers of its responses."""

from __future__ import annotations

import errno
import os
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NoReturn

import pytest

from pkigen.errors import InputError
from pkigen.serve import serve
from pkigen.serve.http.published_files import published_directory
from tests.serve.conftest import CERTIFICATE, CRL, Stub, make_environment


@pytest.mark.parametrize(
    ("path", "media_type", "body"),
    [
        ("/crl/root.crl", "application/pkix-crl", CRL),
        ("/ca/root.crt", "application/pkix-cert", CERTIFICATE),
    ],
)
def test_a_file_is_served_whole_with_its_media_type(
    stub: Stub, path: str, media_type: str, body: bytes
) -> None:
    answer = stub.ask(path)
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, media_type, body)


def test_head_returns_the_length_without_a_body(stub: Stub) -> None:
    answer = stub.ask("/crl/root.crl", "HEAD")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, str(len(CRL)), b"")


def test_a_query_is_ignored(stub: Stub) -> None:
    assert stub.ask("/crl/root.crl?fresh=1").body == CRL


@pytest.mark.parametrize(
    "path", ["/crl/other.crl", "/crl", "/crl/", "/crl/root.crl/", "//crl/root.crl", "/CRL/root.crl"]
)
def test_a_missing_file_is_404(stub: Stub, path: str) -> None:
    assert stub.ask(path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/crl/root.crl", "/healthz"])
def test_only_get_and_head_are_allowed(stub: Stub, method: str, path: str) -> None:
    answer = stub.ask(path, method)
    assert answer.status == 405
    assert {word.strip() for word in answer.headers["allow"].split(",")} == {"GET", "HEAD"}


_KEY = "authorities/root/root.key"


@pytest.mark.parametrize(
    "path",
    [
        f"/../{_KEY}",
        f"/crl/../../{_KEY}",
        f"/crl/%2e%2e/%2E%2E/{_KEY}",
        f"/crl/.%2e/.%2e/{_KEY}",
        f"/crl/..%2f..%2f{_KEY}",
        f"/%2e%2e%2f{_KEY}",
        f"/%252e%252e/{_KEY}",
        f"/..%5c{_KEY}".replace("/root", "%5croot"),
        f"/..\\{_KEY}",
        f"/..;/{_KEY}",
        f"/%c0%ae%c0%ae/{_KEY}",
        f"/./../{_KEY}",
        "/crl/root.crl%00.txt",
        "/crl%2froot.crl",
        "/crl/./root.crl",
        "/%00",
        "/C:/windows/win.ini",
        "/%ff%fe",
        "/" + "a" * 5000,
        "/" + "a/" * 2000,
    ],
)
def test_no_spelling_of_a_path_leaves_www(stub: Stub, path: str) -> None:
    answer = stub.ask(path)
    assert answer.status == 404
    assert b"secret" not in answer.body


def test_an_absolute_path_is_404(stub: Stub) -> None:
    key = stub.folder / _KEY
    assert stub.ask(f"/{key}").status == 404
    assert stub.ask(str(key).replace("/", "%2f")).status in (400, 404)


def test_symbolic_links_are_not_followed(stub: Stub) -> None:
    (stub.www / "root.key").symlink_to(stub.folder / _KEY)
    (stub.www / "authorities").symlink_to(stub.folder / "authorities")
    (stub.www / "up").symlink_to("..")
    for path in ("/root.key", "/authorities/root/root.key", f"/up/{_KEY}"):
        assert stub.ask(path).status == 404
    assert b"root.key" not in stub.ask("/").body


def test_private_keys_that_someone_wrote_to_www_are_not_served(stub: Stub) -> None:
    key = b"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n"
    for name, status in (("root.key", 404), ("store.P12", 404), ("chain.pem", 403)):
        (stub.www / "crl" / name).write_bytes(key)
        answer = stub.ask(f"/crl/{name}")
        assert answer.status == status
        assert b"PRIVATE" not in answer.body
    assert b"root.key" not in stub.ask("/").body


def test_www_must_not_be_a_symbolic_link(folder: Path) -> None:
    (folder / "www").rename(folder / "elsewhere")
    (folder / "www").symlink_to("elsewhere")
    with pytest.raises(InputError, match="symbolic link"):
        published_directory(folder / "www")


def test_an_unfinished_write_is_not_served(stub: Stub) -> None:
    (stub.www / "crl" / ".root.crl.1234").write_bytes(b"half")
    assert stub.ask("/crl/.root.crl.1234").status == 404
    assert b".root.crl" not in stub.ask("/").body


def test_a_named_pipe_is_not_served(stub: Stub) -> None:
    os.mkfifo(stub.www / "pipe")
    assert stub.ask("/pipe").status == 404


@pytest.mark.parametrize(
    ("error", "status"),
    [(PermissionError(), 403), (FileNotFoundError(), 404), (OSError(errno.EIO, "I/O error"), 500)],
)
def test_a_disk_error_does_not_reveal_the_path(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, error: OSError, status: int
) -> None:
    def refuse(_path: Path) -> NoReturn:
        raise error

    monkeypatch.setattr("pkigen.serve.http.app.read_file", refuse)
    answer = stub.ask("/crl/root.crl")
    assert answer.status == status
    assert str(stub.folder).encode() not in answer.body


def test_a_new_crl_is_served_at_once(stub: Stub) -> None:
    before = stub.ask("/crl/root.crl")
    fresh = stub.www / "crl" / ".new"
    fresh.write_bytes(CRL * 2)
    fresh.replace(stub.www / "crl" / "root.crl")
    after = stub.ask("/crl/root.crl", If_None_Match=before.headers["etag"])
    assert (after.status, after.body) == (200, CRL * 2)
    assert after.headers["etag"] != before.headers["etag"]


def test_revalidation_returns_304(stub: Stub) -> None:
    first = stub.ask("/crl/root.crl")
    assert first.headers["cache-control"] == "no-cache"
    tag, modified = first.headers["etag"], first.headers["last-modified"]
    assert parsedate_to_datetime(modified).timestamp() == int((stub.www / "crl/root.crl").stat().st_mtime)
    for headers in (
        {"If_None_Match": tag},
        {"If_None_Match": f'"other", W/{tag}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": modified},
    ):
        again = stub.ask("/crl/root.crl", **headers)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)


def test_if_none_match_takes_precedence_over_if_modified_since(stub: Stub) -> None:
    modified = stub.ask("/crl/root.crl").headers["last-modified"]
    answer = stub.ask("/crl/root.crl", If_None_Match='"other"', If_Modified_Since=modified)
    assert answer.status == 200


def test_files_are_also_served_below_the_path_of_the_base_url(tmp_path: Path) -> None:
    folder = make_environment(tmp_path / "contoso", "http://pki.contoso.test/lab/pki")
    with serve(folder) as url:
        stub = Stub(folder, url)
        assert stub.ask("/lab/pki/crl/root.crl").body == CRL
        assert stub.ask("/crl/root.crl").body == CRL
        assert stub.ask("/lab/crl/root.crl").status == 404
        assert stub.ask(f"/lab/pki/../{_KEY}").status == 404


def test_the_path_of_the_base_url_can_be_percent_encoded(tmp_path: Path) -> None:
    folder = make_environment(tmp_path / "contoso", "http://pki.contoso.test/my%20crls")
    with serve(folder) as url:
        stub = Stub(folder, url)
        assert stub.ask("/my%20crls/crl/root.crl").body == CRL
        assert stub.ask("/my%20crls/ocsp/MA==").status == 200


@pytest.mark.parametrize("missing", ["manifest.json", "www"])
def test_a_directory_without_an_environment_is_an_input_error(folder: Path, missing: str) -> None:
    (folder / missing).rename(folder / "gone")
    with pytest.raises(InputError), serve(folder):
        pass
