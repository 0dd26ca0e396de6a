"""A path validated with the CRLs that its certificates name: each without one is a problem, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from pkigen import build
from pkigen.clock import utc_now
from pkigen.environment.revoke import revoke
from pkigen.inspection.artifacts import read_path
from pkigen.inspection.path import PathResult
from pkigen.inspection.path.crl_retrieval import CrlRetriever, validate_online
from pkigen.inspection.path.http_fetch import FetchError
from pkigen.x509 import Certificate

BASE = "http://crl.contoso.test"
_PROFILE = {
    "name": "online",
    "base_url": BASE,
    "defaults": {"key": "ec-p256"},
    "authorities": {
        "root": {"subject": {"CN": "Root"}},
        "issuing": {"issuer": "root", "subject": {"CN": "Issuing"}},
        "other": {"subject": {"CN": "Other Root"}},
    },
    "certificates": {
        "leaf": {"issuer": "issuing", "subject": {"CN": "leaf.contoso.test"}},
        "revoked": {"issuer": "issuing", "subject": {"CN": "revoked.contoso.test"}},
        "brief": {"issuer": "issuing", "subject": {"CN": "brief.contoso.test"}, "no_rev_avail": "true"},
    },
}
Get = Callable[[str], bytes]


@dataclass
class World:
    """The published files, and the requested URLs."""

    folder: Path
    requests: list[str]

    def get(self, url: str) -> bytes:
        self.requests.append(url)
        path = self.folder / "www" / url.removeprefix(f"{BASE}/")
        if not path.is_file():
            raise FetchError(f"{url}: HTTP 404")
        return path.read_bytes()

    def certificate(self, path: str) -> Certificate:
        (artifact,) = read_path(self.folder / path)
        assert artifact.certificate is not None
        return artifact.certificate

    def validate(
        self, name: str = "leaf", *, get: Get | None = None, root: str = "root", days: int = 0, host: str = ""
    ) -> PathResult:
        return validate_online(
            self.certificate(f"certificates/{name}/{name}.crt"),
            [self.certificate("authorities/issuing/issuing.crt")],
            [self.certificate(f"authorities/{root}/{root}.crt")],
            CrlRetriever(get=get or self.get),
            at=utc_now() + timedelta(days=days),
            host=host or None,
        )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build(_PROFILE, tmp_path_factory.mktemp("online")).folder
    revoke(folder, ["revoked"])
    return folder


@pytest.fixture
def world(built: Path) -> World:
    return World(built, [])


def _rules(result: PathResult) -> list[tuple[str, int]]:
    return [(problem.rule, problem.depth) for problem in result.problems]


def test_a_valid_path_requests_each_crl_once(world: World) -> None:
    result = world.validate(host="leaf.contoso.test")
    assert result.problems == ()
    assert world.requests == [f"{BASE}/crl/issuing.crl", f"{BASE}/crl/root.crl"]
    assert len(result.path) == 3


def test_an_anchor_that_may_end_the_path_needs_no_crl(world: World) -> None:
    leaf = world.certificate("certificates/leaf/leaf.crt")
    issuing = world.certificate("authorities/issuing/issuing.crt")
    result = validate_online(leaf, [], [issuing], CrlRetriever(world.get), at=utc_now(), partial=True)
    assert (result.problems, world.requests) == ((), [f"{BASE}/crl/issuing.crl"])


def test_a_revoked_certificate_is_reported_at_its_depth(world: World) -> None:
    assert _rules(world.validate("revoked")) == [("revoked", 0)]


def test_a_certificate_with_no_rev_avail_needs_no_crl_and_its_ca_still_does(world: World) -> None:
    assert _rules(world.validate("brief")) == []
    assert world.requests == [f"{BASE}/crl/root.crl"]


def test_each_certificate_without_a_crl_has_one_problem_with_the_reason(world: World) -> None:
    def silent(url: str) -> bytes:
        raise FetchError(f"{url}: connection refused")

    result = world.validate(get=silent)
    assert _rules(result) == [("crl-missing", 0), ("crl-missing", 1)]
    assert f"{BASE}/crl/issuing.crl: connection refused" in result.problems[0].message
    assert f"{BASE}/crl/root.crl: connection refused" in result.problems[1].message


@pytest.mark.parametrize("octets", [b"", b"<html>", b"\x30\x03\x02\x01\x01", b"\x30" * 1000])
def test_data_that_is_no_crl_is_reported(octets: bytes, world: World) -> None:
    result = world.validate(get=lambda url: octets if "issuing" in url else world.get(url))
    assert _rules(result) == [("crl-missing", 0)]
    assert "is not a CRL" in result.problems[0].message


def test_a_crl_past_its_next_update_is_stale_and_not_missing(world: World) -> None:
    rules = _rules(world.validate(days=200))
    assert ("crl-stale", 0) in rules
    assert not any(rule == "crl-missing" for rule, _ in rules)


def test_the_crl_of_another_ca_does_not_count(world: World) -> None:
    result = world.validate(get=lambda url: world.get(url.replace("issuing", "other")))
    assert [depth for _, depth in _rules(result)] == [0]


def test_without_a_path_no_url_is_requested(world: World) -> None:
    result = world.validate(root="other")
    assert not result.ok
    assert f"{BASE}/crl/other.crl" not in world.requests


def test_a_host_mismatch_is_reported_beside_a_revocation(world: World) -> None:
    rules = {rule for rule, _ in _rules(world.validate("revoked", host="leaf.contoso.test"))}
    assert "revoked" in rules
    assert len(rules) == 2
