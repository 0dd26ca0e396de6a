"""A fault changes what it was planned to change and nothing else, as openssl's parser sees it.

Everything is built twice from one seed: with the faults, and with the same copies of authorities and no
fault. What differs between the two is what the fault did.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pkigen import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS, Case, FaultRequest
from pkigen.faults.description import copied_alike
from pkigen.plan.negatives import named_after
from pkigen.plan.sample import case_of
from pkigen.profile import load
from tests.faults.conftest import PROFILE, is_twin
from tests.faults.places import differing, fields_of, planned

pytestmark = pytest.mark.needs("openssl")

EXTENSIONS_ASIDE = frozenset(
    {"version", "serial", "inner algorithm", "issuer", "validity", "subject", "key", "outer algorithm"}
    | {"signature", "other"}
)
"""Every place that is not an extension: of those it is planned that they differ, not which."""

OTHER_FILES = frozenset({"chain-file-leaf-not-first", "file-csr-instead", "file-pkcs7-instead"})
"""Faults that replace the certificate file by another file."""

Places = dict[str, set[str] | None]


def _without_fault(change: Callable[..., Case]) -> Callable[..., Case]:
    return lambda case: copied_alike(case, change(case))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Places]:
    """By fault and certificate (``certificate``, or the level of an authority): where the two builds differ.

    None stands for what openssl does not read.
    """
    options = BuildOptions(seed="places")
    faulty = build(PROFILE, tmp_path_factory.mktemp("faulty"), options)
    with pytest.MonkeyPatch.context() as patch:
        for one in list(FAULTS.values()):
            patch.setitem(FAULTS, one.id, replace(one, change=_without_fault(one.change), parameters=()))
        sound = build(PROFILE, tmp_path_factory.mktemp("sound"), options)
    twins = {case.name: case.data for case in sound.cases()}
    pairs = dict[tuple[str, str], tuple[Path, Path]]()
    for case in faulty.cases():
        if "fault" in case.data and not is_twin(case.name):
            twin = twins[case.name]
            fault = case.data["fault"]["id"]
            if fault not in OTHER_FILES:
                pairs[fault, "certificate"] = _both(faulty, sound, case.data["files"], twin["files"])
            for name in set(case.data["path"]) & set(twin["path"]):
                path = f"authorities/{name}/{name}.crt"
                pairs[fault, path] = (faulty.folder / path, sound.folder / path)
    places_of = dict[str, Places]()
    with ThreadPoolExecutor(2) as threads:
        for (fault, which), places in zip(pairs, threads.map(_differing, pairs.values()), strict=True):
            places_of.setdefault(fault, {})[which] = places
    return places_of


def _both(
    faulty: Environment, sound: Environment, files: dict[str, str], others: dict[str, str]
) -> tuple[Path, Path]:
    return faulty.folder / files["certificate"], sound.folder / others["certificate"]


def _differing(pair: tuple[Path, Path]) -> set[str] | None:
    one, other = (fields_of(path) for path in pair)
    return None if one is None or other is None else differing(one, other)


def _planned(fault: str) -> list[set[str]]:
    """For each certificate of the path, where the fault is to make it differ."""
    base = case_of(load(PROFILE), datetime(2026, 1, 1, tzinfo=UTC))
    base = named_after(base, fault, lambda *_: 1)
    made = FaultRequest(FAULTS[fault]).apply(base)
    return list(planned(copied_alike(base, made), made).values())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_changes_only_its_declared_places(fault: str, seen: dict[str, Places]) -> None:
    expected = set[str]().union(*_planned(fault))
    read = [places for places in seen[fault].values() if places is not None]
    unplanned = {place for places in read for place in places if not _allowed(place, expected)}
    assert not unplanned
    if expected - {"signature"} and len(read) == len(seen[fault]):
        assert any(read), f"planned in {expected}, and nothing differs"


def _allowed(place: str, expected: set[str]) -> bool:
    return place in expected or (place not in EXTENSIONS_ASIDE and "extensions" in expected)
