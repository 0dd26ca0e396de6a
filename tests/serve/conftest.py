"""A stub over a hand-made environment: what is served is not this package's business."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pkigen.serve import serve

CRL = b"\x30\x03\x02\x01\x01"
CERTIFICATE = b"\x30\x03\x02\x01\x02"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Stub:
    """The server at ``url`` over ``folder``; ``ask`` sends a path exactly as it is given."""

    folder: Path
    url: str

    @property
    def www(self) -> Path:
        return self.folder / "www"

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An environment's folder with one authority's CRL and certificate, and a key beside them."""
    return make_environment(tmp_path / "contoso", "http://127.0.0.1:8080")


def make_environment(folder: Path, base_url: str) -> Path:
    for name, data in {
        "www/crl/root.crl": CRL,
        "www/ca/root.crt": CERTIFICATE,
        "authorities/root/root.key": b"a secret",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    manifest = {"format": "pkigen-manifest", "version": 1, "environment": "contoso", "base_url": base_url}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    folder = make_environment(tmp_path_factory.mktemp("served") / "contoso", "http://127.0.0.1:8080")
    with serve(folder) as url:
        yield Stub(folder, url)


@pytest.fixture
def stub(running: Stub) -> Stub:
    """One server for all tests of a file, which reads what each of them makes anew."""
    shutil.rmtree(running.www)
    make_environment(running.folder, "http://127.0.0.1:8080")
    return running
