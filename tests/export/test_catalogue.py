"""Every fault of the catalog: real programs load what is exported; the rest has a reason."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.export import TARGETS, ExportOptions, ExportResult, export
from tests.export.conftest import Served, running
from tests.export.test_servers import CHECKS
from tests.faults.conftest import PROFILE
from tests.tools import run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(PROFILE, tmp_path_factory.mktemp("catalogue"))


LEAST = {
    **dict.fromkeys(("ansible", "kubernetes", "systemd"), 440),
    **dict.fromkeys(("apache", "compose", "haproxy", "java", "nginx", "stunnel", "windows"), 370),
    **dict.fromkeys(("caddy", "envoy"), 320),
    "limbo": 185,
}
"""The minimum number of the catalog's 451 cases that a format supports; 185 for a format without an entry."""


def test_no_target_disappears() -> None:
    assert LEAST.keys() <= TARGETS.keys()


@pytest.fixture(scope="module")
def exported(
    catalogue: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], ExportResult]:
    """Export the catalog for a target, once for all tests."""
    folder = tmp_path_factory.mktemp("exported")
    return cache(lambda target: export(catalogue, TARGETS[target], ExportOptions(out=folder / target)))


@pytest.mark.parametrize("target", TARGETS)
def test_a_format_contains_most_cases_and_states_why_others_are_omitted(
    target: str, catalogue: Environment, exported: Callable[[str], ExportResult]
) -> None:
    done = exported(target)
    names = [case.name for case in catalogue.cases()]
    assert sorted((*done.certificates, *done.left_out)) == sorted(names)
    assert len(done.certificates) >= LEAST.get(target, LEAST["limbo"])
    assert "sensor" in done.certificates
    assert all(len(reason) < 100 and "\n" not in reason for reason in done.left_out.values())


@pytest.mark.parametrize(
    "target", [pytest.param(name, marks=pytest.mark.needs(CHECKS[name][0])) for name in CHECKS]
)
def test_a_server_accepts_all_exported_cases(
    target: str,
    exported: Callable[[str], ExportResult],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = exported(target).folder
    run(*(word.format(folder=folder) for word in CHECKS[target]), cwd=folder)


@pytest.mark.needs("stunnel", "openssl")
def test_stunnel_accepts_all_exported_cases(
    catalogue: Environment, open_folder: Path, free_ports: tuple[int, int]
) -> None:
    port, tls_port = free_ports
    folder = open_folder / "stunnel"
    export(catalogue, TARGETS["stunnel"], ExportOptions(out=folder, port=port, tls_port=tls_port))
    with running(["stunnel", "stunnel.conf"], folder, tls_port):
        for name in ("sensor", "sensor.expired", "sensor.sig-md5"):
            assert Served(folder, port, tls_port).fingerprint(name) == catalogue[name].data["sha256"]
