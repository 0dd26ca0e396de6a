"""The delta, partitioned and indirect CRLs that a build publishes decide in ``verify``."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen import build
from pkigen.clock import utc_now
from pkigen.environment.revoke import revoke
from pkigen.inspection.path.crl_retrieval import CrlRetriever, validate_online
from pkigen.inspection.path.http_fetch import FetchError
from pkigen.inspection.path.verify import Verification, verify
from tests.inspection.path.certificates import certificates

BASE = "http://crl.contoso.test"
_PROFILE = {
    "name": "published",
    "base_url": BASE,
    "defaults": {"key": "ec-p256"},
    "authorities": {
        "root": {"subject": {"CN": "Root"}},
        "lister": {"issuer": "root", "subject": {"CN": "Lister"}},
        "listed": {"issuer": "root", "subject": {"CN": "Listed"}, "crl": {"issuer": "lister"}},
        "delta": {"issuer": "root", "subject": {"CN": "Delta"}, "crl": {"delta": "1d"}},
        "parts": {"issuer": "root", "subject": {"CN": "Parts"}, "crl": {"partitions": 2}},
        "reasons": {"issuer": "root", "subject": {"CN": "Reasons"}, "crl": {"reasons": ["keyCompromise"]}},
    },
    "certificates": {
        f"{authority}-{state}": {"issuer": authority, "subject": {"CN": f"{authority}-{state}.test"}}
        for authority in ("listed", "delta", "parts", "reasons")
        for state in ("good", "revoked")
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build(_PROFILE, tmp_path_factory.mktemp("published")).folder
    names = [name for name in _PROFILE["certificates"] if name.endswith("revoked")]
    revoke(folder, names, reason="keyCompromise")
    return folder


def _authority(folder: Path, name: str) -> Path:
    return folder / "authorities" / name / f"{name}.crt"


@pytest.mark.parametrize("authority", ["listed", "delta", "parts", "reasons"])
@pytest.mark.parametrize("state", ["good", "revoked"])
def test_published_crls_decide_whether_given_or_downloaded(authority: str, state: str, folder: Path) -> None:
    leaf = folder / "certificates" / f"{authority}-{state}" / f"{authority}-{state}.crt"
    cas = tuple(_authority(folder, name) for name in (authority, "lister"))
    requests = list[str]()

    def get(url: str) -> bytes:
        requests.append(url)
        path = folder / "www" / url.removeprefix(f"{BASE}/")
        if not path.is_file():
            raise FetchError(f"{url}: HTTP 404")
        return path.read_bytes()

    expected = [] if state == "good" else [("revoked", 0)]
    retriever = CrlRetriever(get=get)
    online = validate_online(
        certificates(leaf)[0], certificates(*cas), certificates(folder / "trust.pem"), retriever, at=utc_now()
    )
    assert [(problem.rule, problem.depth) for problem in online.problems] == expected
    assert retriever.notes == []
    assert any(url.endswith("delta.crl") for url in requests) is (authority == "delta")
    crls = tuple(sorted((folder / "www").rglob("*.crl")))
    result = verify(Verification(leaf, utc_now(), chain=cas, trust=(folder / "trust.pem",), crls=crls)).result
    assert [(problem.rule, problem.depth) for problem in result.problems] == expected


def test_every_unused_crl_is_listed_with_the_reason(folder: Path) -> None:
    name = "delta-good"
    crls = tuple(sorted((folder / "www").rglob("*.crl")))
    verified = verify(
        Verification(
            folder / "certificates" / name / f"{name}.crt",
            utc_now(),
            chain=(_authority(folder, "delta"), _authority(folder, "lister")),
            trust=(folder / "trust.pem",),
            crls=crls,
        )
    )
    assert verified.result.ok
    unused = {Path(one.source).name: one.reason for one in verified.unused}
    assert unused["lister.crt"] == "it is not on the path"
    assert unused["parts.crl"] == "no certificate of the path is from its issuer"
    assert "root.crl" not in unused
    assert unused["base.crl"] == "a newer CRL of the issuer decides"
