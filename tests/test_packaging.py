"""The wheel and the image: what is in them, and that it works away from the checkout.

The steps of the Dockerfile install the wheel into an environment of its own, which has nothing but what
pyproject.toml asks for: no development tool, no file of the checkout.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import httpx
import pytest
import trove_classifiers

import pkigen
from tests import dockerfile
from tests.installing import add_requirements
from tests.pages import blocks
from tests.tools import ROOT, python, run

BUILD, FINAL = dockerfile.stages()
SETS = sorted(path.stem for path in (ROOT / "pkigen/requirements/sets").glob("*.yaml"))
PROFILES = sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Dockerfile copies into its first stage, and no more."""
    folder = tmp_path_factory.mktemp("image") / "src"
    without_caches = shutil.ignore_patterns("__pycache__")
    for sources, target in dockerfile.copied(BUILD):
        for source in map(ROOT.joinpath, sources):
            if source.is_dir():
                shutil.copytree(source, folder / target, ignore=without_caches)
            else:
                (folder / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(source, folder / target)
    return folder


@pytest.fixture(scope="module")
def installed(context: Path) -> Path:
    """The environment that the first stage makes, with its requirements from this Python."""
    venv = context.parent / "pkigen"
    (steps,) = [rest for word, rest in BUILD if word == "RUN"]
    steps = steps.replace("/opt/pkigen", str(venv)).replace("/src", str(context))
    steps = re.sub(r"(^|&& )python ", rf"\1{sys.executable} ", steps)
    # The index is not asked: what builds the wheel is here already, and requirements are copied.
    alone = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    run("sh", "-c", steps, cwd=context, environ=alone)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(venv), "platbase": str(venv)}))
    names = add_requirements("pkigen", site, site)
    assert {"cryptography", "typer"} <= names
    assert not {"pytest", "hypothesis", "mkdocs", "hatchling"} & names
    return venv


@pytest.fixture
def elsewhere(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which `pkigen` is that of the wheel."""
    scripts = sysconfig.get_path("scripts", "venv", {"base": str(installed)})
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith(("PYTHON", "VIRTUAL_ENV"))]:
        monkeypatch.delenv(name)
    return tmp_path


def test_a_wheel_has_every_file_of_the_package_and_nothing_else(context: Path, installed: Path) -> None:
    (wheel,) = (context / "dist").glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pkigen").rglob("*") if path.is_file()}
    files = {file for file in files if "__pycache__" not in file}
    assert len(files) > 300
    assert names == files | {f"pkigen/_profiles/{profile}.yaml" for profile in PROFILES}


def test_a_wheel_built_as_contributors_do_has_the_same_files(
    context: Path, installed: Path, tmp_path: Path
) -> None:
    python("-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=ROOT)
    wheels = [next(folder.glob("*.whl")) for folder in (context / "dist", tmp_path)]
    assert len({tuple(sorted(zipfile.ZipFile(wheel).namelist())) for wheel in wheels}) == 1


def test_the_wheel_has_the_version_of_the_package_and_metadata_for_an_index(
    context: Path, installed: Path
) -> None:
    (wheel,) = (context / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (entry for entry in archive.namelist() if entry.endswith(".dist-info/METADATA"))
        metadata = message_from_string(archive.read(name).decode())
    assert metadata["Version"] == pkigen.__version__
    urls = dict(entry.split(", ") for entry in metadata.get_all("Project-URL", []))
    assert {"Homepage", "Documentation", "Changelog", "Issues", "Source"} <= urls.keys()
    assert all(url.startswith("https://") for url in urls.values())
    assert {"x509", "pki", "crl", "ocsp", "pytest"} <= set(metadata["Keywords"].split(","))
    classifiers = metadata.get_all("Classifier", [])
    assert set(classifiers) <= trove_classifiers.classifiers
    assert "Framework :: Pytest" in classifiers


def test_the_version_number_is_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "version" not in project["project"], "pyproject.toml: the version is in pkigen/__init__.py"
    assert project["tool"]["hatch"]["version"] == {"path": "pkigen/__init__.py"}
    literal = f'"{pkigen.__version__}"'
    paths = [*(ROOT / "pkigen").rglob("*.py"), *ROOT.glob("*.toml")]
    assert [path.name for path in paths if literal in path.read_text("utf-8")] == ["__init__.py"]


def test_the_wheel_is_used_and_not_the_checkout(elsewhere: Path, installed: Path) -> None:
    output = "import pkigen, sys; print(pkigen.__file__, *sys.path, sep='\\n')"
    first, *path = run("python", "-c", output, cwd=elsewhere).splitlines()
    assert Path(first).is_relative_to(installed)
    assert [entry for entry in path if Path(entry).is_relative_to(ROOT)] == []


def test_the_wheel_builds_and_checks_what_is_shipped(elsewhere: Path) -> None:
    listed = run("pkigen", "init", "--list", cwd=elsewhere)
    assert [profile for profile in PROFILES if profile not in listed] == []
    run("pkigen", "init", "key-zoo", cwd=elsewhere)
    run("pkigen", "build", "minimal", cwd=elsewhere)
    run("pkigen", "validate", "key-zoo.yaml", cwd=elsewhere)
    assert "accepted" in run("pkigen", "check", "out/minimal", "--against", "web-server", cwd=elsewhere)
    # One process for all sets: each would take a second to start and to read the other sets.
    listing = "import sys; from pkigen.cli import main\nfor name in sys.argv[1:]:\n"
    listing += "    print(f'<{name}>')\n    assert main(['faults', '--against', name]) == 0"
    listings = re.split(r"^<.*>$", run("python", "-c", listing, *SETS, cwd=elsewhere), flags=re.MULTILINE)[1:]
    assert [name for name, text in zip(SETS, listings, strict=True) if name not in text] == []
    assert "gnutls" in run("pkigen", "faults", "expired", cwd=elsewhere)
    assert "$schema" in run("pkigen", "schema", "profile", cwd=elsewhere)


def test_the_wheel_serves_what_it_built(elsewhere: Path) -> None:
    run("pkigen", "build", "minimal", cwd=elsewhere)
    command = ["pkigen", "serve", "out/minimal", "--port", "0", "--tls-port", "0"]
    with subprocess.Popen(
        command, cwd=elsewhere, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().decode().strip()
            assert httpx.get(f"{url}/crl/root.crl", trust_env=False).content[:1] == b"\x30"
            assert "Minimal Test Root CA" in httpx.get(url, trust_env=False).text
        finally:
            process.terminate()


def test_the_wheel_runs_a_scenario(elsewhere: Path) -> None:
    assert "all passed" in run("pkigen", "lab", "run", "first-deployment", cwd=elsewhere)


def test_the_tutorial_installs_the_tested_wheel() -> None:
    tutorial = (ROOT / "docs/tutorial.md").read_text("utf-8")
    assert blocks("sh", tutorial) == [
        "python3 -m venv pkigen-venv\n. pkigen-venv/bin/activate\npip install .\n"
    ]


def test_the_files_of_the_image_are_in_the_checkout_and_the_build_context() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = {source for copied, _ in dockerfile.copied(BUILD) for source in copied}
    assert sources == sent
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert dockerfile.copied(FINAL) == []


def test_the_image_runs_pkigen_as_an_ordinary_user() -> None:
    output = dict(FINAL)
    assert output["ENTRYPOINT"] == '["pkigen"]'
    user, group = map(int, output["USER"].split(":"))
    assert min(user, group) > 0
    assert f"-o {user} -g {group} {output['WORKDIR']}" in output["RUN"]


def test_the_image_has_the_python_that_pkigen_needs() -> None:
    project, image = (ROOT / "pyproject.toml").read_text(), (ROOT / "Dockerfile").read_text()
    request = re.search(r'^requires-python = ">=3\.(\d+)"$', project, re.MULTILINE)
    made = re.search(r"^ARG PYTHON=3\.(\d+)$", image, re.MULTILINE)
    assert request is not None
    assert made is not None
    assert int(made[1]) >= int(request[1])
    assert {rest.split()[0] for stage in (BUILD, FINAL) for word, rest in stage if word == "FROM"} == {
        "python:${PYTHON}-slim"
    }


@pytest.mark.needs("hadolint")
def test_a_dockerfile_linter_reports_nothing() -> None:
    beside = Path(sys.executable).with_name("hadolint")
    run(beside if beside.is_file() else "hadolint", ROOT / "Dockerfile")
