"""One budget for all downloads of a run: of check, of verify, and of an upload to an appliance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pkigen import build
from pkigen.clock import utc_now
from pkigen.inspection.check import CheckOptions, check_files
from pkigen.inspection.path.downloader import Downloader
from pkigen.inspection.path.http_fetch import FetchError
from pkigen.inspection.path.verify import Verification, verify
from pkigen.lab.appliance.samples import case_upload
from pkigen.lab.appliance.upload import check_upload
from pkigen.lab.state import Passphrases
from pkigen.requirements import load_set
from tests.inspection.path.http_site import Site, running


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running() as started:
        started.files["/ten"] = b"0123456789"
        yield started


@pytest.fixture(autouse=True)
def _nothing_requested(site: Site) -> None:
    site.requests.clear()


def test_no_more_urls_are_requested_than_the_budget_has(site: Site) -> None:
    downloader = Downloader(max_urls=2)
    assert downloader.get(f"{site.url}/ten") == b"0123456789"
    with pytest.raises(FetchError, match="HTTP 404"):
        downloader.get(f"{site.url}/none")
    with pytest.raises(FetchError, match=r"/ten: not downloaded, because this run may use 2 URLs at most"):
        downloader.get(f"{site.url}/ten")
    assert len(site.requests) == 2


def test_a_slow_server_uses_up_the_time_of_all_others(site: Site) -> None:
    downloader = Downloader(seconds=0.05)
    with pytest.raises(FetchError, match="does not answer in time"):
        downloader.get(f"{site.url}/silent")
    with pytest.raises(FetchError, match="seconds at most"):
        downloader.get(f"{site.url}/ten")
    assert site.requests == ["/silent"]


def test_the_bytes_of_all_downloads_count_together(site: Site) -> None:
    downloader = Downloader(max_bytes=15)
    downloader.get(f"{site.url}/ten")
    with pytest.raises(FetchError, match="more than 5 bytes"):
        downloader.get(f"{site.url}/ten")
    exact = Downloader(max_bytes=10)
    exact.get(f"{site.url}/ten")
    with pytest.raises(FetchError, match="10 bytes at most"):
        exact.get(f"{site.url}/ten")


@pytest.fixture(scope="module")
def folder(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty certificates, each with fifty URLs of its own."""
    points = [f"{site.url}/{{{{ name }}}}/{number}.crl" for number in range(50)]
    profile = {
        "name": "many",
        "authorities": {"root": {"key": "ec-p256"}, "issuing": {"issuer": "root", "key": "ec-p256"}},
        "certificates": {
            "leaf-{01..30}": {"issuer": "issuing", "key": "ec-p256", "crl_distribution_points": points}
        },
    }
    return build(profile, tmp_path_factory.mktemp("many")).folder


def _paths(folder: Path, name: str) -> tuple[Path, ...]:
    own = folder / "certificates" / name
    return own / f"{name}.crt", own / f"{name}.key", own / "chain.pem"


def test_check_requests_eight_urls_of_a_certificate(folder: Path, site: Site) -> None:
    (result, *_) = check_files(
        _paths(folder, "leaf-01"), [load_set("defender-iot")], CheckOptions(online=True)
    )
    assert len(site.requests) == 8
    reasons = " ".join(finding.outcome.actual for finding in result.findings)
    assert "42 more URLs were not tried" in reasons


def test_check_of_many_certificates_has_one_budget(folder: Path, site: Site) -> None:
    leaves = sorted(folder.glob("certificates/*/*.crt"))
    options = CheckOptions(online=True)
    results = check_files([*leaves, _paths(folder, "leaf-01")[2]], [load_set("defender-iot")], options)
    assert len(results) == 30
    assert len(site.requests) == 100


def test_an_upload_requests_eight_urls(folder: Path, site: Site) -> None:
    from pkigen.environment.environment import open_environment

    upload = case_upload(open_environment(folder), "leaf-02", Passphrases({}, ()))
    assert not check_upload(upload, [load_set("defender-iot")], utc_now()).accepted
    assert len(site.requests) == 8


def test_verify_requests_eight_urls_of_a_certificate(folder: Path, site: Site) -> None:
    certificate, _, chain = _paths(folder, "leaf-03")
    verified = verify(Verification(certificate, utc_now(), chain=(chain,), fetch_crls=True))
    assert any("42 more URLs were not tried" in problem.message for problem in verified.problems)
    assert len([path for path in site.requests if "leaf-03" in path]) == 8
