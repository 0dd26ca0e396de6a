"""docs/export.md: its commands run, its table is whole, its example is a target."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.export import TARGETS, ExportOptions, export
from pkigen.export import target as target_module
from pkigen.export.draft import Draft
from pkigen.export.server_certificates import servers
from tests import pages
from tests.tools import ROOT, run

PAGE = (ROOT / "docs" / "export.md").read_text("utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.needs("nginx", "haproxy", "apachectl", "caddy", "keytool", "openssl", "curl")
def test_every_command_of_the_page_runs(open_folder: Path, free_ports: tuple[int, int]) -> None:
    build("defender-iot", open_folder / "out")
    lines = [line.removeprefix("$ ") for block in _blocks("console") for line in block.splitlines()]
    ours = "\n".join(lines).replace("8080", str(free_ports[0])).replace("8443", str(free_ports[1]))
    script = "\n".join(["set -eu", "trap 'kill $(jobs -p) 2>/dev/null || :' EXIT", ours])
    environ = {
        **pages.environment(),
        "XDG_DATA_HOME": str(open_folder),
        "XDG_CONFIG_HOME": str(open_folder),
    }
    output = run("bash", "-c", script, cwd=open_folder, environ=environ)
    assert "\nsensor-01\n" in output
    assert "issuer=" in output


def test_the_table_has_each_target_and_its_use() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| .* \| `(.*)` \|$", PAGE, re.MULTILINE)
    missing = [f"| `{name}` | {TARGETS[name].says} | `{TARGETS[name].start}` |" for name in TARGETS]
    missing = [row for row, name in zip(missing, TARGETS, strict=True) if name not in dict(rows)]
    assert not missing, "docs/export.md, first table: add\n" + "\n".join(missing)
    assert sorted(name for name, _ in rows) == sorted(TARGETS)
    for name, used in rows:
        assert used.split()[0].partition("=")[0] in (
            TARGETS[name].start.split()[0].partition("=")[0],
            "LoadCredential",
        )


def test_the_example_is_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = _blocks("python")
    monkeypatch.setattr(target_module, "_known", {})
    names: dict[str, Any] = {"target": target_module.target, "Draft": Draft, "servers": servers}
    exec(f"from __future__ import annotations\n{example}", names)  # noqa: S102  the page's own words
    (made,) = target_module._known.values()
    assert (made.name, made.says) == ("inventory", "hosts.yaml: the host names of every certificate")
    (tmp_path / "hosts.yaml.j2").write_text("{% for one in servers %}{{ one.name | json }}: []\n{% endfor %}")
    environment: Environment = build(
        {
            "name": "page",
            "authorities": {"root": {"key": "ec-p256"}},
            "certificates": {"a": {"issuer": "root", "key": "ec-p256"}},
        },
        tmp_path / "out",
    )
    done = export(environment, made, ExportOptions(templates=tmp_path))
    assert (done.folder / "hosts.yaml").read_text() == '"a": []\n'


def test_a_target_is_registered_by_its_file() -> None:
    files = {path.stem for path in (Path(target_module.__file__).parent / "targets").glob("[!_]*.py")}
    assert files == TARGETS.keys()
