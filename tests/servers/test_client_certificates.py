"""Servers accept every good client certificate of a shipped profile, and reject every revoked one.

`make servers` runs every server with both profiles. Without it, three servers that start fast run with one.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from pkigen import build
from pkigen.environment.environment import Environment, open_environment
from pkigen.environment.revoke import revoke
from pkigen.export import TARGETS, ExportOptions, export
from pkigen.export.case_files import read_case_files
from pkigen.export.client_certificates import is_for_clients
from tests.export.conftest import free_port, open_folder, running
from tests.servers.program import Client
from tests.servers.programs import PROGRAMS

_ALL = os.environ.get("PKIGEN_SERVERS") == "all"
_PROFILES = ("deep-hierarchy", "defender-iot") if _ALL else ("deep-hierarchy",)
_SERVERS = [
    pytest.param(name, marks=pytest.mark.needs(PROGRAMS[name].tool))
    for name in (PROGRAMS if _ALL else ("nginx", "caddy", "stunnel"))
]

__all__ = ["open_folder"]


@pytest.fixture(scope="module", params=_PROFILES)
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A shipped profile, of whose certificates every second one is revoked."""
    built = build(request.param, tmp_path_factory.mktemp("servers"))
    names = [case.name for case in built.cases()]
    revoke(built.folder, names[1::2], reason="keyCompromise")
    return open_environment(built.folder)


@pytest.mark.parametrize("server", _SERVERS)
def test_good_client_certificates_are_accepted_and_revoked_ones_rejected(
    environment: Environment, server: str, open_folder: Path, tmp_path: Path
) -> None:
    program, port = PROGRAMS[server], free_port()
    own = next(case.name for case in environment.cases() if case.is_for_servers)
    options = ExportOptions(out=open_folder / server, tls_port=port, port=free_port(), client_auth=True)
    done = export(environment, TARGETS[server], options)
    if program.user:
        for path in (open_folder, *open_folder.rglob("*")):
            shutil.chown(path, program.user)
    command = program.start(done, own, port)
    verdicts = {}
    with running(command, done.folder, *([] if program.ready else [port]), user=program.user):
        log = done.folder / "said.log"
        while program.ready not in log.read_text(errors="replace"):
            time.sleep(0.02)
        for case in environment.cases():
            if is_for_clients(read_case_files(case)):
                verdicts[case.name] = program.accepts(Client(done.folder, case.name), port)
    manifest = {case["name"]: case["revoked"] is None for case in environment.manifest["cases"]}
    assert verdicts == {name: manifest[name] for name in verdicts}, log.read_text(errors="replace")[-4000:]
    assert {*verdicts.values()} == {True, False}
