"""The listing of requested certificates describes only new ones, and equals that of another process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pkigen import BuildOptions, build
from pkigen.environment.build.build import build as build_environment
from pkigen.environment.enrol import Enroller
from pkigen.environment.manifest import enrolled
from pkigen.environment.manifest.enrolled_listing import EnrolledListing
from pkigen.environment.manifest.verdicts import ORPHAN
from pkigen.environment.revoke import revoke
from pkigen.profile import load
from pkigen.store import EnrolledRow, Store
from tests.environment.enrolling import PROFILE, issue, listed, new_enroller


@pytest.fixture
def enroller(tmp_path: Path) -> Enroller:
    return new_enroller(tmp_path)


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the names of the certificates that are described."""
    names, original = list[str](), enrolled._description

    def describe(row: EnrolledRow, *others: Any) -> Any:
        names.append(row.id.removeprefix("certificates/"))
        return original(row, *others)

    monkeypatch.setattr(enrolled, "_description", describe)
    return names


def test_only_new_certificates_are_described_again(enroller: Enroller, described: list[str]) -> None:
    for name in ("b.test", "a.test", "c.test"):
        issue(enroller, name)
    assert described == ["b.test", "a.test", "c.test"]
    assert list(listed(enroller)) == ["a.test", "b.test", "c.test"]
    renewed = issue(enroller, "b.test", renewal_of="b.test")
    assert described[3:] == ["b.test"]
    assert int(listed(enroller)["b.test"]["serial"], 16) == renewed.serial


def test_no_other_certificate_is_described_again_after_changes_of_another_process(
    enroller: Enroller, described: list[str]
) -> None:
    for name in ("a.test", "b.test"):
        issue(enroller, name)
    revoke(enroller.folder, ["a.test"])
    build(PROFILE | {"certificates": {"console": {"issuer": "root"}}}, enroller.folder.parent)
    issue(Enroller(enroller.folder), "c.test")
    described.clear()
    issue(enroller, "d.test")
    assert described == ["c.test", "d.test"]
    verdicts = {name: one["verdict"]["expected"] for name, one in listed(enroller).items()}
    assert verdicts == {"a.test": "reject", "b.test": "accept", "c.test": "accept", "d.test": "accept"}


def test_the_number_of_queries_does_not_grow_with_the_number_of_certificates(tmp_path: Path) -> None:
    enroller, queries = new_enroller(tmp_path), list[int]()
    for count in (3, 20):
        for number in range(count):
            issue(enroller, f"{count}-{number}.test")
        with Store.open(enroller.folder, write=True) as store:
            statements = list[str]()
            store.index._sql.set_trace_callback(statements.append)
            EnrolledListing().update(store)
        queries.append(len(statements))
    assert queries[0] == queries[1]


def test_a_certificate_is_orphaned_when_its_issuer_is_replaced(enroller: Enroller) -> None:
    issue(enroller, "a.test")
    changed = PROFILE | {"authorities": {"root": {"subject": {"CN": "New"}}}}
    build(changed, enroller.folder.parent, BuildOptions(force=True))
    issue(enroller, "b.test")
    verdicts = {name: one["verdict"]["reason"] for name, one in listed(enroller).items()}
    assert verdicts == {"a.test": ORPHAN, "b.test": None}


def test_a_certificate_stays_valid_when_its_issuer_is_renewed(enroller: Enroller) -> None:
    issue(enroller, "a.test")
    build(PROFILE, enroller.folder.parent, BuildOptions(renew=frozenset({"authorities/root"})))
    issue(enroller, "b.test")
    assert [one["verdict"]["reason"] for one in listed(enroller).values()] == [None, None]


def test_the_chain_of_a_renewed_issuer_expires_with_its_former_certificate(tmp_path: Path) -> None:
    profile = PROFILE | {"authorities": {"root": {"valid": "1d"}}}
    enroller = Enroller(build(profile, tmp_path).folder)
    issue(enroller, "a.test")
    later = datetime.now(UTC) + timedelta(days=2)
    summary = build_environment(load(profile), tmp_path, BuildOptions(at=later, replace_root=True)).summary
    assert "devices requested a.test from a CA whose certificate was replaced" in " ".join(summary.notes)


def test_the_listing_is_that_of_another_process(enroller: Enroller) -> None:
    for name in ("a.test", "b.test"):
        issue(enroller, name)
    incremental = (enroller.folder / "manifest.json").read_bytes()
    (enroller.folder / "manifest.json").write_bytes(incremental.replace(b"a.test", b"x.test"))
    Enroller(enroller.folder).list_in_manifest()
    assert (enroller.folder / "manifest.json").read_bytes() == incremental
