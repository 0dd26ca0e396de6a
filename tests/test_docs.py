"""The pages in docs/: what they show is there, and works."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from pkigen import build, load
from pkigen.lab.scenario.scenario import Expectation, Step
from pkigen.requirements import load_set
from pkigen.requirements.demands import KINDS
from tests import pages
from tests.tools import LIBRARIES, ROOT, python

PAGE = (ROOT / "docs" / "requirements.md").read_text("utf-8")


def _yaml_blocks() -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _write_sets_of_page(folder: Path) -> str:
    """Write the two sets of the page into a directory, and return the part of a profile that uses them."""
    appliance, gateway, profile, *_ = _yaml_blocks()
    (folder / "my-appliance.yaml").write_text(appliance, encoding="utf-8")
    (folder / "gateway-9.yaml").write_text(gateway, encoding="utf-8")
    return str(profile)


def test_the_requirement_sets_on_the_page_are_valid(tmp_path: Path) -> None:
    _write_sets_of_page(tmp_path)
    ids = [one.id for one in load_set("my-appliance.yaml", tmp_path).requirements]
    assert ids == ["key-2048", "not-expired", "crl-http"]
    ids = [one.id for one in load_set("gateway-9.yaml:server", tmp_path).requirements]
    assert ids == ["key-2048", "not-expired", "revocable", "rsa-exponent", "at-most-100-days", "locality"]
    assert "ca-flag" in [one.id for one in load_set("gateway-9.yaml:issuing-ca", tmp_path).requirements]


def test_the_examples_of_the_page_cover_every_kind_of_demand(tmp_path: Path) -> None:
    *_, every, overlapping = _yaml_blocks()
    (tmp_path / "every-kind.yaml").write_text(every, encoding="utf-8")
    kinds = {kind for one in load_set("every-kind.yaml:member", tmp_path).requirements for kind in one.kinds}
    assert kinds == KINDS.keys(), "docs/requirements.md, 'An example of each kind': add the missing kinds"
    head = every.partition("roles:")[0] + "requirements:\n"
    (tmp_path / "overlapping.yaml").write_text(head + overlapping, encoding="utf-8")
    first, second = load_set("overlapping.yaml", tmp_path).requirements
    assert first.together_with("kind") == (second.id,)


def test_the_profile_on_the_page_builds_with_its_negative_cases(tmp_path: Path) -> None:
    profile = _write_sets_of_page(tmp_path)
    path = tmp_path / "plant.yaml"
    path.write_text(f"name: plant\nauthorities: {{issuing: {{}}}}\n{profile}", encoding="utf-8")
    names = {case.name for case in build(path, tmp_path).cases()}
    assert {"gateway", "gateway.revocable-none", "gateway.rsa-exponent-rsa-2048-e3"} <= names
    assert not any(name.startswith(("gateway.locality", "gateway.crl-http")) for name in names)


def test_the_page_names_every_kind_of_demand_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", PAGE.partition("## Kinds")[2], re.MULTILINE)
    documented = {kind for kind, _ in rows}
    assert documented == KINDS.keys(), (
        f"docs/requirements.md, 'Kinds of demand': add rows for {sorted(KINDS.keys() - documented)}, "
        f"remove {sorted(documented - KINDS.keys())}"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_names_every_parameter_of_a_kind(kind: str) -> None:
    rows = re.findall(rf"^\| `{kind}` \| (.*) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 1, f"docs/requirements.md, 'Kinds of demand': add a row for '{kind}'"
    missing = [name for name in KINDS[kind].model_fields if f"`{name}" not in rows[0]]
    assert not missing, f"docs/requirements.md: add {missing} to the row of '{kind}'"


def test_the_fault_of_the_contributors_page_works() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(@fault.*?)```", page, re.DOTALL)
    assert example in (ROOT / "pkigen/faults/families/names/attributes.py").read_text(encoding="utf-8")


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def _blocks(page: str, language: str) -> list[str]:
    return pages.blocks(language, _page(page))


PAGES = sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))
OF_THEIR_OWN = {"serving.md": "below", "pytest.md": "below", "export.md": "tests/export/test_page.py"}
"""Pages whose commands and programs have tests of their own, and where."""


README = ROOT / "README.md"


@pytest.mark.needs("openssl", "curl")
def test_every_command_in_the_readme_runs(tmp_path: Path) -> None:
    # It names ports that other pages name as well; tests of one file never run at the same time.
    page = README.read_text("utf-8")
    pages.want_free(pages.ports(page))
    pages.run(page, tmp_path)
    assert all(map(pages.port_is_free, pages.ports(page)))


def _with(language: str) -> list[Any]:
    """The pages that have blocks of a language, each marked with the tools it needs."""
    texts = {page: _page(page) for page in PAGES if page not in OF_THEIR_OWN}
    return [
        pytest.param(page, marks=pytest.mark.needs(*pages.needs(text)))
        for page, text in texts.items()
        if pages.blocks(language, text)
    ]


@pytest.mark.parametrize("page", _with("console"))
def test_every_command_of_a_page_has_the_output_of_the_page(page: str, tmp_path: Path) -> None:
    pages.want_free(pages.ports(_page(page)))
    pages.run(_page(page), tmp_path)
    assert all(map(pages.port_is_free, pages.ports(_page(page))))


@pytest.mark.parametrize("page", _with("python"))
def test_the_python_of_a_page_runs(page: str, tmp_path: Path) -> None:
    python("-c", "\n".join(_blocks(page, "python")), cwd=tmp_path)


def test_the_ocsp_responder_on_the_page_answers(tmp_path: Path) -> None:
    (example,) = _blocks("revocation.md", "yaml")
    document = yaml.safe_load(example)
    document["authorities"]["root"] = {}
    document |= {"name": "page", "defaults": {"key": "ec-p256"}}
    manifest = build(document, tmp_path).manifest
    ocsp = {one["name"]: one["ocsp"] for one in manifest["authorities"]}["issuing"]
    assert (ocsp["responder"], ocsp["by"], ocsp["valid"]) == ("answers", "name", 7200)


@pytest.fixture
def contoso(tmp_path: Path) -> Path:
    """An environment that the page on serving speaks of, in ``out``."""
    (example,) = _blocks("serving.md", "yaml")
    document = {
        "name": "contoso-ot",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "ot-issuing": {"issuer": "root"}},
        "certificates": {"sensor": {"issuer": "ot-issuing"}},
        **yaml.safe_load(example),
    }
    return build(document, tmp_path / "out").folder


def test_the_command_and_the_requests_of_the_page_on_serving_work(contoso: Path) -> None:
    (command,) = _blocks("serving.md", "console")
    words = [sys.executable, "-m", *command.removeprefix("$ ").split(), "--port", "0", "--json"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        words, cwd=contoso.parent.parent, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            state = json.loads((contoso / ".pkigen" / "control.json").read_bytes())
            headers = {"Authorization": f"Bearer {state['token']}"}
            with httpx.Client(base_url=state["url"], headers=headers) as control:
                assert len(control.get("/faults").json()["faults"]) == 3
                assert httpx.get(f"{url}/crl/ot-issuing.crl").status_code == 500
                fault = {"url": "/crl/root.crl", "fault": "crl-http-404"}
                assert control.put("/faults", json=fault).is_success
                assert httpx.get(f"{url}/crl/root.crl").status_code == 404
                assert control.request("DELETE", "/faults").is_success
                assert control.post("/refresh", json={"of": "ot-issuing"}).is_success
                assert control.get("/requests", params={"since": 0}).is_success
        finally:
            process.terminate()


def test_the_python_of_the_page_on_serving_runs(contoso: Path) -> None:
    (example,) = _blocks("serving.md", "python")
    python("-c", example.replace("wait=20", "wait=0"), cwd=contoso.parent.parent)


def test_every_example_of_the_page_on_pytest_runs(tmp_path: Path) -> None:
    for language in ("python", "ini", "yaml"):
        for block in _blocks("pytest.md", language):
            name, _, text = block.removeprefix("# ").partition("\n")
            (tmp_path / name).write_text(text, "utf-8")
    # The first examples precede the one with a profile.
    (tmp_path / "first").mkdir()
    for name in ("test_first.py", "test_dates.py"):
        (tmp_path / name).rename(tmp_path / "first" / name)
    (tmp_path / "first" / "pytest.ini").write_text("[pytest]\n", "utf-8")
    for line in pages.commands(_page("pytest.md")):
        folder = tmp_path if "test_server.py" in line else tmp_path / "first"
        python("-m", *line.split(), "-p", "no:cacheprovider", cwd=folder)


def test_the_page_on_pytest_shows_the_recorded_output() -> None:
    text = (ROOT / "docs" / "pytest.md").read_text("utf-8")
    recorded = json.loads((ROOT / "examples" / "httpx" / "accepted.json").read_bytes())
    assert recorded.keys() > {"revocation/*", "san-missing"}
    assert all(f"`{name.removesuffix('/*')}`" in text for name in recorded)


def test_the_section_of_the_page_on_the_lab_is_valid(tmp_path: Path) -> None:
    section = _blocks("lab.md", "yaml")[0]
    (tmp_path / "mine.yaml").write_text(f"extends: demo\nname: mine\n{section}", encoding="utf-8")
    lab = load(tmp_path / "mine.yaml").lab
    assert lab is not None
    assert [rule.name for rule in lab.forwarding] == ["siem", "soar", "real"]


def test_the_scenario_of_the_page_on_the_lab_runs_as_described(tmp_path: Path) -> None:
    (tmp_path / "stolen.yaml").write_text(_blocks("lab.md", "yaml")[1], encoding="utf-8")
    output = python("-m", "pkigen", "lab", "run", "stolen.yaml", cwd=tmp_path)
    assert "8 steps: all passed" in output


def test_the_page_on_the_lab_names_every_step_of_a_scenario_and_all_that_can_be_expected() -> None:
    page = (ROOT / "docs" / "lab.md").read_text("utf-8").partition("| step | description |")[2]
    assert [name for name in Step.model_fields if name != "says" and f"`{name}" not in page] == []
    assert [name for name in Expectation.model_fields if name not in page and name != "within"] == []


@pytest.mark.needs("openssl", "certtool", "hxtool", *LIBRARIES)
def test_every_command_of_the_page_of_findings_has_the_output_of_the_page(tmp_path: Path) -> None:
    port = pages.free_port()
    text = _page("findings.md").replace("http://127.0.0.1:8080/", f"http://127.0.0.1:{port}/")
    parts = re.findall(r"^```sh\n(.*?)^```\n(.*?)(?=^```|^#|\Z)", text, re.MULTILINE | re.DOTALL)
    (build_all, _), *examples = parts
    # The one that takes NSS 20 s is left to test_recorded_verdicts.py, which waits for the same verdict.
    examples = [(commands, words) for commands, words in examples if not commands.startswith("time ")]
    serve = f'pkigen serve . --port {port} >>"$servers" 2>&1 &'
    until_it_listens = 'until grep -q http:// "$servers"; do kill -0 $!; sleep 0.1; done'
    script = ["set -e", build_all, serve, until_it_listens, "set +e"]
    for number, (commands, _) in enumerate(examples):
        script += [f"echo '<<{number}>>'", commands]
    output_of_all = pages.shell([*script, "true"], tmp_path)
    assert "command not found" not in output_of_all
    outputs = re.split(r"^<<\d+>>$", output_of_all, flags=re.MULTILINE)[1:]
    assert len(outputs) == len(examples) > 10
    for (commands, words), output in zip(examples, outputs, strict=True):
        sentence = re.match(r"\nsays (.*?)\.\s", words, re.DOTALL)
        for expected in re.findall(r"`([^`]+)`", sentence[1] if sentence else ""):
            assert expected in output, f"{commands}\n{output}"
        if "--words" in commands:
            assert "accepts" in output, f"{commands}\n{output}"
