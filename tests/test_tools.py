"""What becomes of a test without the program it needs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests import tools
from tests.conftest import SLOWEST, pytest_collection_modifyitems

_NEEDY = """
import pytest

@pytest.mark.needs("keytool")
def test_with_java(): pass

@pytest.mark.needs("keytool", "certtool")
def test_with_more(): pass

def test_without(): pass
"""

pytest_plugins = ["pytester"]


@pytest.fixture
def needy(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makeconftest((tools.ROOT / "tests" / "conftest.py").read_text())
    pytester.makepyfile(_NEEDY)
    pytester.makeini("[pytest]\nmarkers =\n    needs\n")
    monkeypatch.setattr("shutil.which", lambda name: None)
    return pytester


def test_a_missing_tool_skips_the_test_and_is_counted(
    needy: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    result = needy.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "1 tests did not run: needs certtool and keytool (apt install default-jre-headless gnutls-bin)",
            "1 tests did not run: needs keytool (apt install default-jre-headless)",
            (
                "2 tests in all did not run, because programs are missing. "
                "To run them: apt install default-jre-headless gnutls-bin"
            ),
        ]
    )


def test_a_missing_tool_is_a_failure_in_ci(needy: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = needy.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=2)


def test_a_tool_that_no_target_installs_is_rejected() -> None:
    with pytest.raises(ValueError, match="opnessl"):
        tools.missing(("opnessl",))


def _tools(variable: str) -> set[str]:
    """Return the programs of a list in the Makefile."""
    makefile = (tools.ROOT / "Makefile").read_text()
    names = re.search(rf"^{variable} := ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    assert names is not None
    return set(names[1].replace("\\\n", " ").split())


def test_make_installs_every_tool_that_tests_require() -> None:
    makefile = (tools.ROOT / "Makefile").read_text()
    assert _tools("TEST_TOOLS") == tools.PACKAGES.keys()
    for target in ("test", "tools"):
        recipe = makefile.partition(f"\n{target}:")[2].partition("\n\n")[0]
        assert re.search(r"install_tools.sh (--list )?\$\(TEST_TOOLS\)", recipe)


def test_make_tools_all_installs_every_tool() -> None:
    (recipe,) = re.findall(r"^tools-all:.*\n(.*)", (tools.ROOT / "Makefile").read_text(), re.MULTILINE)
    listed = set[str]().union(*map(_tools, re.findall(r"\$\((\w+_TOOLS)\)", recipe)))
    assert listed == tools.PACKAGES.keys() | tools.SERVERS.keys()


@pytest.mark.needs("openssl")
def test_the_list_of_tools_states_the_state_of_each() -> None:
    output = tools.run(tools.ROOT / "scripts" / "install_tools.sh", "--list", "openssl")
    title, row = output.splitlines()
    assert title.split() == ["PROGRAM", "PACKAGE", "SIZE", "STATE"]
    assert re.fullmatch(r"openssl +openssl +(\d+\.\d MB)? +installed", row)


def test_a_tool_that_cannot_be_installed_is_reported_without_a_failure(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    bash = shutil.which("bash")
    assert bash is not None
    command = [bash, str(tools.ROOT / "scripts" / "install_tools.sh"), "keytool"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "apt install default-jre-headless" in done.stderr


def test_a_user_who_may_not_install_packages_gets_pip_from_a_downloaded_one(tmp_path: Path) -> None:
    standard_library = Path(sysconfig.get_path("stdlib"))  # Debian without python3-venv has no ensurepip
    bundled = (standard_library / "ensurepip/_bundled", Path("/usr/share/python-wheels"))
    wheels = [wheel for folder in bundled for wheel in folder.glob("pip-*.whl")]
    if not wheels:
        pytest.skip("needs pip as a wheel (apt install python3-pip-whl)")
    programs = {
        "python3": f'[ "$2" != "import ensurepip" ] && exec {sys.executable} "$@"',
        "id": "echo 1000",
        "sudo": "exit 1",
        "apt-get": "for last; do :; done; touch ${last}_1_all.deb",
        "dpkg-deb": f"mkdir -p usr/share/python-wheels && cp {wheels[0]} usr/share/python-wheels",
    }
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    # Without an index the packages cannot be installed afterwards.
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PIP_NO_INDEX": "1"}
    command = [
        str(tools.ROOT / "scripts" / "setup_venv.sh"),
        str(tmp_path / "python3"),
        str(tmp_path / "venv"),
    ]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert "python3-pip-whl, which was downloaded" in done.stderr, done.stderr
    assert "hatchling" in done.stderr
    tools.run(tmp_path / "venv" / "bin" / "pip", "--version")


def test_tests_that_start_with_sigint_ignored_handle_it_again() -> None:
    script = (
        "import signal, tests.conftest; assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=tools.ROOT,
        check=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )


def test_the_files_that_take_longest_exist_and_start_first() -> None:
    paths = [tools.ROOT / "tests" / name for name in SLOWEST]
    assert [path for path in paths if not path.is_file()] == []
    other = tools.ROOT / "tests" / "test_tools.py"
    items = [SimpleNamespace(path=path) for path in (other, *reversed(paths), other)]
    pytest_collection_modifyitems(cast("list[pytest.Item]", items))
    assert [item.path for item in items] == [*paths, other, other]
