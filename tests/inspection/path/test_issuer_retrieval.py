"""CA certificates that are missing in a path are downloaded from the caIssuers URLs, within limits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509

from pkigen import build
from pkigen.asn1.oids import AUTHORITY_INFORMATION_ACCESS
from pkigen.inspection.artifacts import read_path
from pkigen.inspection.path.http_fetch import FetchError
from pkigen.inspection.path.issuer_retrieval import MAX_ISSUERS, missing_issuers
from pkigen.x509 import Certificate
from tests.inspection.path.hierarchies import issue

_BASE = "http://pki.test"
_DEPTH = MAX_ISSUERS + 2
_CAS = ["root", *(f"ca-{number}" for number in range(_DEPTH))]

Get = Callable[[str], bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with a certificate below two CAs, and one below many."""
    authorities: dict[str, dict[str, str]] = {"root": {}}
    authorities |= {ca: {"issuer": above} for above, ca in pairwise(_CAS)}
    profile = {
        "name": "aia",
        "base_url": _BASE,
        "defaults": {"key": "ec-p256", "aia": "auto"},
        "authorities": authorities,
        "certificates": {"short": {"issuer": "ca-1"}, "long": {"issuer": _CAS[-1]}},
    }
    return build(profile, tmp_path_factory.mktemp("aia")).folder


def _certificate(folder: Path, entity: str) -> Certificate:
    certificate = read_path(folder / entity / f"{Path(entity).name}.crt")[0].certificate
    assert certificate is not None
    return certificate


def _from_files(folder: Path) -> Get:
    return lambda url: (folder / "www" / url.removeprefix(f"{_BASE}/")).read_bytes()


def test_the_missing_issuers_of_a_path_are_downloaded(folder: Path) -> None:
    leaf, root = _certificate(folder, "certificates/short"), _certificate(folder, "authorities/root")
    downloaded, notes = missing_issuers(leaf, [root], get=_from_files(folder))
    expected = [_certificate(folder, f"authorities/{ca}") for ca in ("ca-1", "ca-0")]
    assert [one.der for one in downloaded] == [one.der for one in expected]
    assert [f"/{ca}.crt" in note for ca, note in zip(("ca-1", "ca-0"), notes, strict=True)] == [True, True]


def test_nothing_is_downloaded_if_the_path_is_complete(folder: Path) -> None:
    def fail(url: str) -> bytes:
        raise AssertionError(url)

    known = [_certificate(folder, f"authorities/{ca}") for ca in ("root", "ca-0", "ca-1")]
    assert missing_issuers(_certificate(folder, "certificates/short"), known, get=fail) == ([], [])


def test_a_long_path_ends_at_the_limit_of_downloads(folder: Path) -> None:
    downloaded, _ = missing_issuers(_certificate(folder, "certificates/long"), [], get=_from_files(folder))
    assert len(downloaded) == MAX_ISSUERS


def test_a_failed_download_is_a_note_with_the_reason(folder: Path) -> None:
    def refuse(url: str) -> bytes:
        raise FetchError(f"{url}: Connection refused")

    downloaded, notes = missing_issuers(_certificate(folder, "certificates/short"), [], get=refuse)
    assert downloaded == []
    assert notes == [
        "The issuer's certificate could not be downloaded: http://pki.test/ca/ca-1.crt: Connection refused."
    ]


@pytest.mark.parametrize("data", [b"", b"<html>"])
def test_a_response_without_the_issuer_is_a_note(folder: Path, data: bytes) -> None:
    _, notes = missing_issuers(_certificate(folder, "certificates/short"), [], get=lambda _: data)
    assert notes == ["The response of http://pki.test/ca/ca-1.crt does not contain the issuer's certificate."]


def test_a_certificate_whose_urls_cannot_be_read_has_no_downloads() -> None:
    access = x509.UnrecognizedExtension(x509.ObjectIdentifier(AUTHORITY_INFORMATION_ACCESS), b"\x30\x01")
    leaf = issue("leaf", issue("root", ca=True), access).parsed
    assert missing_issuers(leaf, [], get=lambda url: url.encode()) == ([], [])


def test_another_ca_at_the_url_does_not_become_part_of_the_path(folder: Path) -> None:
    other = (folder / "www/ca/ca-3.crt").read_bytes()
    downloaded, _ = missing_issuers(_certificate(folder, "certificates/short"), [], get=lambda _: other)
    assert downloaded == []
