"""Every fault on unusual base certificates: it is either applied or reported as impossible."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.faults import (
    FAULTS,
    Case,
    Impossible,
    parse_faults,
)
from pkigen.plan.negatives import NegativeCase, negatives_of_faults
from pkigen.plan.sample import case_of
from pkigen.profile import load

_ISSUER, _SUBJECT = 3, 5
"""The indexes of the two names in a TBSCertificate (RFC 5280, 4.1)."""
_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_IMPORTED = {"from": {"certificate": "root.crt", "key": "root.key"}}
_BASES: dict[str, dict[str, Any]] = {
    "under an imported root": {"root": _IMPORTED, "issuing": {"issuer": "root"}},
    "under an imported issuing CA": {"issuing": _IMPORTED},
    "directly under the root": {"issuing": {}},
    "self-signed": {"issuing": {}},
}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the certificate and key of a root."""
    folder = tmp_path_factory.mktemp("imported")
    document = {"name": "env", "authorities": {"root": {"key": "ec-p256"}}, "certificates": {}}
    document["certificates"] = {"a": {"issuer": "root", "key": "ec-p256"}}
    (folder / "env.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    place = build(load(folder / "env.yaml"), folder).folder / "authorities" / "root"
    for name in ("root.crt", "root.key"):
        (folder / name).write_bytes((place / name).read_bytes())
    return folder


def _case(folder: Path, authorities: dict[str, Any], certificate: dict[str, Any]) -> Case:
    document = {"name": "bases", "authorities": authorities, "certificates": {"web": certificate}}
    (folder / "bases.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return case_of(load(folder / "bases.yaml"), _NOW)


@pytest.mark.parametrize("base", _BASES)
@pytest.mark.parametrize("san", [["dns:web.lab.test"], "none"], ids=["san", "no san"])
def test_a_fault_is_built_or_reported_as_impossible(base: str, san: object, imported: Path) -> None:
    issuer = "self" if base == "self-signed" else "issuing"
    certificate = {"issuer": issuer, "subject": {"CN": "web.lab.test"}, "san": san}
    case = _case(imported, _BASES[base], certificate)
    cases = list(negatives_of_faults(case, [(one,) for one in parse_faults("all")], "1y", lambda *_: 1))
    assert len(cases) == len(FAULTS)
    assert sum(isinstance(one, NegativeCase) for one in cases) > 200


def test_expired_and_not_yet_valid_cases_stay_so_at_another_clock(tmp_path: Path) -> None:
    document = {
        "name": "env",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}},
        "certificates": {"web": {"issuer": "root", "subject": {"CN": "web.lab.test"}}},
        "negatives": [{"of": "web", "faults": ["not-yet-valid", "expired"]}],
    }
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    profile = load(tmp_path / "env.yaml")
    for at in (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC), _NOW):
        result = build(profile, tmp_path, BuildOptions(at=at))
        manifest = yaml.safe_load((result.folder / "manifest.json").read_bytes())
        times = {case["name"]: (case["not_before"], case["not_after"]) for case in manifest["cases"]}
        now = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        assert times["web.not-yet-valid"][0] > now > times["web.expired"][1]


def test_the_issuer_of_a_self_signed_certificate_follows_its_subject(imported: Path) -> None:
    case = _case(imported, {"issuing": {}}, {"issuer": "self", "subject": {"CN": "web.lab.test"}})
    for kind in FAULTS.values():
        with suppress(Impossible):
            plan = kind.change(case).plan
            assert plan.subject in (plan.issuer, case.plan.subject), kind.id
            edited = {(edit.path[0], edit.path[1:], edit.data) for edit in plan.edits if edit.path}
            of_subject = {(_ISSUER, path, data) for place, path, data in edited if place == _SUBJECT}
            assert of_subject <= edited, kind.id


def test_copies_of_a_self_signed_certificate_have_its_verdict(tmp_path: Path) -> None:
    document = {
        "name": "env",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}},
        "certificates": {"web": {"issuer": "self", "subject": {"CN": "web.lab.test"}}},
        "negatives": [{"of": "web", "faults": ["pem-crlf", "expired", "san-1000", "cn-empty"]}],
    }
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    folder = build(load(tmp_path / "env.yaml"), tmp_path).folder
    manifest = yaml.safe_load((folder / "manifest.json").read_bytes())
    assert {case["name"]: case["verdict"]["expected"] for case in manifest["cases"]} == {
        "web": "reject",
        "web.pem-crlf": "reject",
        "web.expired": "reject",
        "web.san-1000": "reject",
        "web.cn-empty": "reject",
    }


@pytest.mark.parametrize("host", ["WEB.lab.test", "*.lab.test", "10.0.0.1", "b\u00fccher.test", "a b"])
def test_another_host_is_different_and_valid(host: str, imported: Path) -> None:
    case = _case(imported, {"issuing": {}}, {"issuer": "issuing", "subject": {"CN": "web.lab.test"}})
    with pytest.raises(Impossible):
        FAULTS["san-wrong-host"].change(case, host=host)
    FAULTS["san-wrong-host"].change(case, host="*.other.test")
