"""verify(): the verdict about files, CRLs from a running server, and invalid input."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.inspection.path.verify import Verification, VerifiedCertificate, verify
from pkigen.serve import serve
from pkigen.x509 import Malformed
from tests.environment.profiles import build_it, small
from tests.inspection.path.certificates import (
    CA,
    NOW,
    SERVER,
    Authority,
    certificates,
    root,
)
from tests.inspection.path.conftest import Made
from tests.inspection.path.http_site import Site, running


def rules(verified: VerifiedCertificate) -> list[tuple[str, int]]:
    return [(problem.rule, problem.depth) for problem in verified.result.problems]


@dataclass(frozen=True)
class Built:
    """An environment that is served, at the URLs that its certificates state."""

    folder: Path
    url: str

    def ask(self, **changed: Any) -> Verification:
        authorities = self.folder / "authorities"
        options = Verification(
            self.folder / "certificates" / "console" / "console.crt",
            datetime.now(UTC),
            chain=(authorities / "issuing" / "issuing.crt",),
            trust=(self.folder / "trust.pem",),
        )
        return replace(options, **changed)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    # The URLs are known when the port is: a first server finds a free one.
    folder = tmp_path_factory.mktemp("served")
    first = build_it(small(), folder / "first").folder
    with serve(first) as url:
        port = int(url.rpartition(":")[2])
    document = {**small(), "base_url": url}
    second = build_it(document, folder / "second").folder
    with serve(second, port=port) as again:
        yield Built(second, again)


def test_crls_of_a_running_stub_are_fetched_for_the_whole_path(built: Built) -> None:
    verification = verify(built.ask(fetch_crls=True, host="console.test", purpose="server"))
    assert (rules(verification), verification.notes) == ([], ())
    assert len(verification.result.path) == 3


def test_a_missing_crl_is_reported_for_the_right_certificate(built: Built) -> None:
    crl = next(built.folder.glob("www/**/root.crl"))
    content = crl.read_bytes()
    crl.unlink()
    try:
        verification = verify(built.ask(fetch_crls=True))
    finally:
        crl.write_bytes(content)
    assert rules(verification) == [("crl-missing", 1)]
    assert "HTTP 404" in verification.result.problems[0].message


def test_the_chain_file_of_a_build_suffices_without_trust_option(built: Built) -> None:
    options = built.ask()
    whole = built.folder.parent / "whole.pem"
    parts = (options.certificate, *options.chain, *options.trust)
    whole.write_text("".join(path.read_text() for path in parts))
    verification = verify(replace(options, certificate=whole, chain=(), trust=()))
    assert verification.result.ok
    assert "No --trust was given" in verification.notes[0]


@pytest.mark.parametrize("end", [1, 2, 3])
def test_an_anchor_at_any_level_ends_the_path(end: int, built: Built) -> None:
    options = built.ask()
    anchors = {1: (options.certificate,), 2: options.chain, 3: options.trust}[end]
    verification = verify(replace(options, chain=options.chain if end > 1 else (), trust=anchors))
    assert (verification.result.ok, len(verification.result.path)) == (True, end)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("https://console.test/", "is a URL"),
        ("console.test:443", "contains a port"),
        ("", "the host is empty"),
    ],
)
def test_an_invalid_host_is_an_input_error_before_files_are_read(host: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        verify(Verification(Path("nowhere"), NOW, host=host))


def test_a_proxy_without_a_download_is_an_input_error() -> None:
    with pytest.raises(InputError, match="--proxy applies only to --fetch-crl"):
        verify(Verification(Path("nowhere"), NOW, proxy="http://127.0.0.1:1"))


@dataclass(frozen=True)
class Twins:
    """Two authorities of one name; the CRL of the second's issuer alone can be had."""

    root: Authority
    first: Authority
    second: Authority
    site: Site


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[Twins]:
    with running() as site:
        top = root(tmp_path, "root")
        stating = "crlDistributionPoints=URI:{}/{}.crl\n"
        first = top.subordinate("first", CA + stating.format(site.url, "gone"), common_name="Twin")
        second = top.subordinate("second", CA + stating.format(site.url, "root"), common_name="Twin")
        second.issue("leaf", SERVER + stating.format(site.url, "second"))
        site.files["/root.crl"] = top.crl().read_bytes()
        site.files["/second.crl"] = second.crl().read_bytes()
        yield Twins(top, first, second, site)


@pytest.mark.needs("openssl")
def test_crls_are_those_of_openssls_path_and_not_of_another_ca_with_the_name(twins: Twins) -> None:
    verification = verify(
        Verification(
            twins.second.folder / "leaf.crt",
            NOW,
            chain=(twins.first.certificate, twins.second.certificate),
            trust=(twins.root.certificate,),
            fetch_crls=True,
        )
    )
    assert rules(verification) == []
    assert twins.site.requests == ["/second.crl", "/root.crl"]


@pytest.mark.needs("openssl")
def test_an_endless_chain_is_rejected_in_time(tmp_path: Path, made: Made) -> None:
    (block,) = pem.scan(made.issuing.certificate.read_bytes())
    names = [f"a{number:06}" for number in range(3001)]
    links = bytearray()
    for below, above in pairwise(names):
        # Root and issuing are named in four and seven letters; lengths are kept by names of seven.
        data = block.data.replace(b"issuing", below.encode())
        links += pem.encode("CERTIFICATE", _issuer(data, above.encode()))
    chain = tmp_path / "chain.pem"
    chain.write_bytes(bytes(links))
    first = next(iter(pem.scan(chain.read_bytes())))
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(pem.encode("CERTIFICATE", first.data))
    verification = verify(Verification(leaf, NOW, chain=(chain,), trust=made.trust))
    assert not verification.result.ok
    assert len(verification.result.path) == 101


def _issuer(data: bytes, name: bytes) -> bytes:
    """Return the certificate with the issuer CN=root renamed, which adds three bytes to each outer length."""
    old = bytes.fromhex("300f310d300b06035504030c04") + b"root"
    new = bytes.fromhex("30123110300e06035504030c07") + name
    at = data.index(old)
    grown = bytearray(data[:at] + new + data[at + len(old) :])
    for start in (2, 6):  # the lengths of the certificate and of the TBSCertificate, two bytes each
        length = int.from_bytes(grown[start : start + 2], "big") + 3
        grown[start : start + 2] = length.to_bytes(2, "big")
    return bytes(grown)


_SPOILING = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=0, max_size=3), st.integers(0, 3)),
    min_size=1,
    max_size=4,
)


@pytest.mark.needs("openssl")
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 4), spoiling=_SPOILING, armoured=st.booleans())
def test_corrupted_files_cause_a_verdict_or_an_input_error(
    made: Made, tmp_path: Path, which: int, spoiling: list[tuple[float, bytes, int]], armoured: bool
) -> None:
    sources = (made.leaf, *made.chain, *made.trust, *made.crls)
    files = []
    for number, source in enumerate(sources):
        path = tmp_path / f"{number}{source.suffix}"
        shutil.copy(source, path)
        if number == which:
            path.write_bytes(_spoiled(source.read_bytes(), spoiling, armoured=armoured))
        files.append(path)
    leaf, issuing, top, *crls = files
    options = Verification(leaf, NOW, (issuing,), (top,), tuple(crls), host="leaf.test", purpose="server")
    try:
        verification = verify(options)
    except InputError:
        return
    assert all(problem.message and problem.advice for problem in verification.result.problems)
    if verification.result.ok:
        # Below the anchor all that is signed must be what was signed.
        assert [one.tbs for one in verification.result.path[:2]] == [_tbs(path) for path in sources[:2]]


def _spoiled(data: bytes, spoiling: list[tuple[float, bytes, int]], *, armoured: bool) -> bytes:
    """Replace some bytes of the file, or of the content of its PEM block."""
    if armoured:
        (block,) = pem.scan(data)
        return pem.encode(block.label, _spoiled(block.data, spoiling, armoured=False))
    for where, inserted, skipped in spoiling:
        at = int(where * len(data))
        data = data[:at] + inserted + data[at + skipped :]
    return data


def _tbs(path: Path) -> bytes:
    try:
        return certificates(path)[0].tbs
    except (IndexError, Malformed):
        return b""
