"""The listing of requested certificates describes only new ones, and equals that of another process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pkigen.environment.enrol import Enroller
from pkigen.environment.manifest import enrolled, enrolled_listing
from tests.environment.enrolling import issue, listed, new_enroller


@pytest.fixture
def enroller(tmp_path: Path) -> Enroller:
    return new_enroller(tmp_path)


def test_only_new_certificates_are_described_again(
    enroller: Enroller, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = list[str]()

    def describe(store: Any, row: Any, *others: Any) -> str:
        described.append(row.id)
        return original(store, row, *others)

    original = enrolled.enrolled_line
    monkeypatch.setattr(enrolled_listing, "enrolled_line", describe)
    for name in ("b.test", "a.test", "c.test"):
        issue(enroller, name)
    assert described == ["certificates/b.test", "certificates/a.test", "certificates/c.test"]
    assert list(listed(enroller)) == ["a.test", "b.test", "c.test"]
    renewed = issue(enroller, "b.test", renewal_of="b.test")
    assert described[3:] == ["certificates/b.test"]
    assert int(listed(enroller)["b.test"]["serial"], 16) == renewed.serial


def test_the_listing_is_that_of_another_process(enroller: Enroller) -> None:
    for name in ("a.test", "b.test"):
        issue(enroller, name)
    incremental = (enroller.folder / "manifest.json").read_bytes()
    (enroller.folder / "manifest.json").write_bytes(incremental.replace(b"a.test", b"x.test"))
    Enroller(enroller.folder).list_in_manifest()
    assert (enroller.folder / "manifest.json").read_bytes() == incremental
