"""Small environments with the negative cases of a requirement set, each built once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen.errors import InputError
from pkigen.inspection.check import CheckOptions, CheckResult, check_environment
from pkigen.plan import plan
from pkigen.profile import load
from pkigen.requirements import RequirementSet, load_set
from tests.environment.profiles import Document, build_it, manifest

BASE = "sensor-01"
HIERARCHIES = {
    "root": ("root",),
    "issuing": ("issuing", "root"),
    "policy": ("issuing", "policy", "root"),
}
"""The authorities above the certificates: name -> the issuing CA first, the root last."""

_AUTHORITIES: Document = {
    "root": {"subject": {"CN": "Negative Root"}},
    "policy": {"issuer": "root", "subject": {"CN": "Negative Policy"}, "path_length": "1"},
    "issuing": {"issuer": "root", "subject": {"CN": "Negative Issuing"}, "path_length": "0"},
}


def document(against: str, hierarchy: str = "issuing") -> Document:
    """A profile of two certificates, one of them the base of the set's cases."""
    path = HIERARCHIES[hierarchy]
    authorities = {name: _AUTHORITIES[name] for name in reversed(path)}
    if hierarchy == "policy":
        authorities["issuing"] = {**authorities["issuing"], "issuer": "policy"}
    return {
        "name": "negative",
        "base_url": "http://127.0.0.1:8080",
        "requirements": [against],
        "defaults": {"key": "rsa-2048", "subject": {"C": "US", "O": "Test", "OU": "Bench"}},
        "authorities": authorities,
        "certificates": {
            "sensor-{01..02}": {"issuer": path[0], "subject": {"CN": "{{ name }}.example.test"}}
        },
        "negatives": [{"of": BASE, "against": against}],
    }


@dataclass(frozen=True)
class Built:
    """An environment, what the checker says of it, and the cases that could not be made, with why."""

    against: RequirementSet
    folder: Path
    manifest: dict[str, Any]
    passed: dict[str, str]
    checked: tuple[CheckResult, ...]

    @property
    def clock(self) -> datetime:
        """The instant of the build."""
        return datetime.fromisoformat(self.manifest["clock"])

    @property
    def cases(self) -> dict[str, dict[str, Any]]:
        """The manifest's end entities with a fault, by the fault's id."""
        return {case["fault"]["id"]: case for case in self.manifest["cases"] if "fault" in case}

    @property
    def found(self) -> dict[str, CheckResult]:
        """What the checker says, by the end entity's name."""
        return {one.name: one for one in self.checked}

    def file(self, case: str, role: str) -> Path:
        """The file of a case (by its fault's id) in a role."""
        return self.folder / str(self.cases[case]["files"][role])


@dataclass
class Environments:
    """Builds below a folder, and keeps what it built."""

    folder: Path
    _built: dict[tuple[str, str], Built] = field(default_factory=dict)

    def of(self, against: str, hierarchy: str = "issuing") -> Built:
        """The environment of a set below a hierarchy."""
        key = (against, hierarchy)
        if key not in self._built:
            self._built[key] = self._build(against, hierarchy)
        return self._built[key]

    def _build(self, against: str, hierarchy: str) -> Built:
        asked = document(against, hierarchy)
        try:
            folder = build_it(asked, self.folder / f"{against}-{hierarchy}").folder
        except InputError as error:
            pytest.fail(
                f"the certificates of document() in {__file__} do not satisfy the set '{against}'; "
                f"add what it requires there, unless it contradicts another set:\n{error}",
                pytrace=False,
            )
        held, demands = manifest(folder), load_set(against)
        clock = datetime.fromisoformat(held["clock"])
        planned = plan(load(asked), clock, lambda *_: 1)
        checked = tuple(check_environment(folder, [demands], CheckOptions(now=clock)))
        passed = {one.name: one.reason for one in planned.passed}
        return Built(demands, folder, held, passed, checked)
