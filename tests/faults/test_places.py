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
from pkigen.model import OcspPlan
from pkigen.plan.negatives import named_after
from pkigen.plan.sample import case_of
from pkigen.profile import load
from tests.faults.conftest import PROFILE, is_twin
from tests.faults.file_places import unplanned_in_files
from tests.faults.places import differing, fields_of, planned
from tests.faults.published_places import unplanned_in_crls, unplanned_in_response

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
    """Return the change to the same copies of authorities, the same kinds of files, and no fault."""

    def twin(case: Case) -> Case:
        made = change(case)
        alike, plan, output = copied_alike(case, made), made.entity.ocsp, made.entity.output
        files = replace(output, alterations=(), passphrase=alike.entity.output.passphrase)
        entity = replace(alike.entity, ocsp=plan and OcspPlan(plan.url), output=files)
        return replace(alike, entity=entity)

    return twin


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Environment, Environment]:
    """The environment with the faults, and the one without."""
    options = BuildOptions(seed="places")
    faulty = build(PROFILE, tmp_path_factory.mktemp("faulty"), options)
    with pytest.MonkeyPatch.context() as patch:
        for one in list(FAULTS.values()):
            patch.setitem(FAULTS, one.id, replace(one, change=_without_fault(one.change), parameters=()))
        sound = build(PROFILE, tmp_path_factory.mktemp("sound"), options)
    return faulty, sound


@pytest.fixture(scope="module")
def seen(both: tuple[Environment, Environment]) -> dict[str, Places]:
    """By fault and certificate (``certificate``, or the level of an authority): where the two builds differ.

    None stands for what openssl does not read.
    """
    faulty, sound = both
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


def _applied(fault: str) -> tuple[Case, Case]:
    """The case without the fault, but with the same copies of authorities, and the case with it."""
    base = case_of(load(PROFILE), datetime(2026, 1, 1, tzinfo=UTC))
    base = named_after(base, fault, lambda *_: 1)
    made = FaultRequest(FAULTS[fault]).apply(base)
    return copied_alike(base, made), made


def _planned(fault: str) -> list[set[str]]:
    """For each certificate of the path, where the fault is to make it differ."""
    return list(planned(*_applied(fault)).values())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_changes_only_its_declared_places(fault: str, seen: dict[str, Places]) -> None:
    expected = set[str]().union(*_planned(fault))
    read = [places for places in seen[fault].values() if places is not None]
    unplanned = {place for places in read for place in places if not _allowed(place, expected)}
    assert not unplanned
    if expected - {"signature"} and len(read) == len(seen[fault]):
        assert any(read), f"planned in {expected}, and nothing differs"


def test_a_fault_changes_only_the_declared_places_of_crls(both: tuple[Environment, Environment]) -> None:
    folders = both[0].folder, both[1].folder
    compared = {fault: unplanned_in_crls(*_applied(fault), *folders) for fault in FAULTS}
    assert {fault: places for fault, places in compared.items() if places} == {}


def test_a_fault_changes_only_the_declared_places_of_an_ocsp_response(
    both: tuple[Environment, Environment],
) -> None:
    folders = both[0].folder, both[1].folder
    compared = {fault: unplanned_in_response(_applied(fault)[1], *folders) for fault in FAULTS}
    assert {fault: places for fault, places in compared.items() if places} == {}
    assert sum(places is not None for places in compared.values()) > len(compared) // 20


def test_a_fault_changes_only_the_declared_files(both: tuple[Environment, Environment]) -> None:
    folders = both[0].folder, both[1].folder
    compared = {fault: unplanned_in_files(*_applied(fault), *folders) for fault in FAULTS}
    assert {fault: places for fault, places in compared.items() if places} == {}


def _allowed(place: str, expected: set[str]) -> bool:
    return place in expected or (place not in EXTENSIONS_ASIDE and "extensions" in expected)
