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

SETS = ("defender-iot", "defender-iot-2020", "defender-iot-current", "rfc5280", "web-server")
"""The sets that these certificates satisfy; test_shipped_sets.py has the others, with their profiles."""
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
        """The time of the build."""
        return datetime.fromisoformat(self.manifest["clock"])

    @property
    def cases(self) -> dict[str, dict[str, Any]]:
        """The end entities with a fault in the manifest, by the ID of the fault."""
        return {case["fault"]["id"]: case for case in self.manifest["cases"] if "fault" in case}

    @property
    def results(self) -> dict[str, CheckResult]:
        """The results of the checker, by the name of the end entity."""
        return {one.name: one for one in self.checked}

    def file(self, case: str, role: str) -> Path:
        """Return the file of a case (given by the ID of its fault) in a role."""
        return self.folder / str(self.cases[case]["files"][role])


@dataclass
class Environments:
    """Builds environments below a directory, and caches them."""

    folder: Path
    _built: dict[tuple[str, str], Built] = field(default_factory=dict)

    def of(self, against: str, hierarchy: str = "issuing") -> Built:
        """Return the environment for a requirement set below a hierarchy."""
        key = (against, hierarchy)
        if key not in self._built:
            self._built[key] = self._build(against, hierarchy)
        return self._built[key]

    def _build(self, against: str, hierarchy: str) -> Built:
        profile = document(against, hierarchy)
        try:
            folder = build_it(profile, self.folder / f"{against}-{hierarchy}").folder
        except InputError as error:
            pytest.fail(
                f"the certificates of document() in {__file__} do not satisfy the set '{against}'; "
                f"add what it requires there, unless it contradicts another set:\n{error}",
                pytrace=False,
            )
        built_manifest, demands = manifest(folder), load_set(against)
        clock = datetime.fromisoformat(built_manifest["clock"])
        planned = plan(load(profile), clock, lambda *_: 1)
        checked = tuple(check_environment(folder, [demands], CheckOptions(now=clock)))
        passed = {one.name: one.reason for one in planned.passed}
        return Built(demands, folder, built_manifest, passed, checked)
