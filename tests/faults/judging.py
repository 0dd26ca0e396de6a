"""Verdicts of openssl and certtool about the cases of a catalog, and texts of their certificates."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS, Case
from tests.faults.conftest import PROFILE
from tests.openssl import Judge, with_new_names
from tests.tools import run

_TLS_SERVER = "1.3.6.1.5.5.7.3.1"


def case_of(environment: Environment, fault: str) -> dict[str, Any]:
    """The entry of a fault's case in the manifest."""
    return next(case.data for case in environment.cases() if case.data.get("fault", {}).get("id") == fault)


def openssl_says(environment: Environment, fault: str, *options: str) -> str:
    """What ``openssl verify -x509_strict`` has against a case; empty when it accepts it."""
    at = int(datetime.fromisoformat(environment.manifest["clock"]).timestamp())
    return Judge(environment.folder).verify(case_of(environment, fault), "-x509_strict", *options, at=at)


def certtool_accepts(environment: Environment, fault: str) -> bool:
    """Whether ``certtool --verify`` takes the chain of a case, for a server of its name."""
    case = case_of(environment, fault)
    command = ["certtool", "--verify", "--verify-purpose", _TLS_SERVER]
    command += ["--verify-hostname", case["hosts"][0]]
    command += ["--load-ca-certificate", str(environment.folder / "trust.pem")]
    chain = b"".join(
        (environment.folder / case["files"][kind]).read_bytes() for kind in ("certificate", "chain")
    )
    return subprocess.run(command, input=chain, capture_output=True, check=False).returncode == 0


def extension_text(environment: Environment, fault: str, name: str, level: int | None = None) -> list[str]:
    """The lines of an extension as openssl reads it, the title first.

    It is the end entity's, or that of the authority at a ``level`` above it (0 is the issuing CA).
    """
    case = case_of(environment, fault)
    path = environment.folder / case["files"]["certificate"]
    if level is not None:
        path = authority_file(environment, case["path"][level])
    text = with_new_names(run("openssl", "x509", "-noout", "-ext", name, "-in", path))
    return [line.strip() for line in text.splitlines() if line.strip()]


def authority_file(environment: Environment, name: str) -> Path:
    """The certificate of an authority."""
    return environment.folder / "authorities" / name / f"{name}.crt"


def build_changed(folder: Path, faults: Iterable[str], change: Callable[[Case], Case]) -> Environment:
    """The cases of some faults, each changed once more after its fault was made."""

    def both(fault: Callable[[Case], Case]) -> Callable[[Case], Case]:
        return lambda case: change(fault(case))

    chosen = list(faults)
    with pytest.MonkeyPatch.context() as patch:
        for one in chosen:
            patch.setitem(FAULTS, one, replace(FAULTS[one], change=both(FAULTS[one].change)))
        return build({**PROFILE, "negatives": [{"of": "sensor", "faults": chosen}]}, folder)
