"""systemd and Ansible: credentials, drop-ins, variables and a playbook."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pkigen.environment.environment import Environment
from tests.export.conftest import Export


def _verify(unit: Path) -> str:
    """Return systemd's messages about the unit and its drop-ins; it exits with 0 in any case.

    Messages about units of other packages, which it loads as dependencies, are left out.
    """
    command = ["systemd-analyze", "verify", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines(keepends=True)
    return "".join(line for line in lines if str(unit.parent) in line or unit.name in line)


@pytest.mark.needs("systemd-analyze")
def test_systemd_accepts_the_drop_in(exported: Export, tmp_path: Path) -> None:
    folder = exported("systemd").folder
    unit = tmp_path / "units" / "proxy.service"
    drop_in = unit.with_suffix(".service.d") / "sensor.conf"
    drop_in.parent.mkdir(parents=True)
    unit.write_text("[Unit]\nDescription=A proxy\n[Service]\nExecStart=/bin/true\n")
    drop_in.write_bytes((folder / "drop-ins/sensor.conf").read_bytes())
    assert _verify(unit) == ""
    drop_in.write_text(drop_in.read_text().replace("LoadCredential", "LoadCredentials"))
    assert "Unknown key" in _verify(unit)


def test_each_credential_of_a_drop_in_exists(environment: Environment, exported: Export) -> None:
    folder = exported("systemd").folder
    text = (folder / "drop-ins/sensor.expired.conf").read_text()
    loaded = dict(re.findall(r"^LoadCredential=(.*?):(.*)$", text, re.MULTILINE))
    assert loaded.keys() == {"tls.crt", "tls.key", "trust.pem"}
    content = {name: (folder / "credstore" / path).read_bytes() for name, path in loaded.items()}
    case = environment["sensor.expired"]
    assert content["tls.key"] == case.key.read_bytes()
    assert content["tls.crt"].startswith(case.certificate.read_bytes())
    assert content["trust.pem"] == environment.trust.read_bytes()


@pytest.fixture
def ansible(exported: Export) -> tuple[Path, dict[str, Any]]:
    folder = exported("ansible").folder
    return folder, yaml.safe_load((folder / "pkigen.yaml").read_text())


def test_the_variables_name_existing_files(ansible: tuple[Path, dict[str, Any]]) -> None:
    folder, variables = ansible
    assert (folder / variables["pkigen_trust"]).is_file()
    result = variables["pkigen_certificates"]
    assert result["sensor"]["hosts"] == ["sensor.contoso.test", "also.contoso.test", "10.1.0.10"]
    assert result["sensor.expired"]["expected"] == "reject"
    assert all((folder / one[kind]).is_file() for one in result.values() for kind in ("certificate", "key"))


def test_the_playbook_copies_each_file_and_does_not_log_the_key(ansible: tuple[Path, dict[str, Any]]) -> None:
    folder, variables = ansible
    (play,) = yaml.safe_load((folder / "install.yaml").read_text())
    assert play["vars_files"] == ["pkigen.yaml"]
    copies = [task for task in play["tasks"] if "ansible.builtin.copy" in task]
    modes = {task["ansible.builtin.copy"]["dest"]: task["ansible.builtin.copy"]["mode"] for task in copies}
    assert modes == {
        "{{ pkigen_folder }}/trust.pem": "0644",
        "{{ pkigen_folder }}/tls.pem": "0644",
        "{{ pkigen_folder }}/tls.key": "0600",
    }
    (key,) = [task for task in copies if "private key" in task["name"]]
    assert key["no_log"] is True
    assert {"pkigen_certificates", "pkigen_trust"} <= variables.keys()
