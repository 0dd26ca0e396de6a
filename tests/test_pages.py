"""How pages are run: what is not as a page says is a failure of its test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import pages

PAGE = """
```yaml title="a b.yaml"
name: 'it''s'
```

```console
$ cat 'a b.yaml'
$ printf '%s ' one \\
    two
$ (exit 60)  # exit code 60
```

```text title="Output"
name: 'it''s'
o... two
```
"""


def test_a_page_with_the_actual_output_passes(tmp_path: Path) -> None:
    assert "one two" in pages.run(PAGE, tmp_path)
    assert (tmp_path / "a b.yaml").read_text() == "name: 'it''s'\n"


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("(exit 60)  # exit code 60", "(exit 60)", "exits with 60"),
        ("# exit code 60", "# exit code 1", "exit code 60"),
        ("(exit 60)", "true", "exit code 0"),
        ("o... two", "o... three", "not printed"),
        ("$ cat 'a b.yaml'", "$ cat a.yaml", "No such file"),
    ],
)
def test_a_page_with_another_output_fails(right: str, wrong: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=words):
        pages.run(PAGE.replace(right, wrong), tmp_path)


@pytest.mark.parametrize(("version", "compared"), [("1.2", True), ("1.20", False), ("11.2", False)])
def test_the_output_of_a_version_is_compared_only_where_it_is_installed(
    version: str, compared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pages.VERSION_COMMANDS, "echo", "echo the echo 1.2 of tests")
    page = PAGE.replace('"Output"', f'"Output of echo {version}"').replace("o... two", "o... three")
    if compared:
        with pytest.raises(AssertionError, match="not printed"):
            pages.run(page, tmp_path)
    else:
        pages.run(page, tmp_path)


def test_a_server_ends_with_its_page(tmp_path: Path) -> None:
    pages.run("```console\n$ sleep 600 &\n$ echo $! > pid\n```\n", tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_log_of_a_server_does_not_split_lines_of_other_commands(tmp_path: Path) -> None:
    server = "$ while :; do echo server; sleep 0.01; done &\n"
    output = pages.run(f"```console\n{server}$ printf a; sleep 0.2; printf 'b\\n'\n```\n", tmp_path)
    assert output.splitlines()[0] == "ab"
    assert output.splitlines()[1] == "server"


def test_the_ports_of_a_page_are_known() -> None:
    page = "```console\n$ pkigen serve out/a --tls-port 8443 &\n$ curl http://127.0.0.1:8090/\n```\n"
    assert pages.ports(page) == {8080, 8090, 8443}
    assert pages.ports("```console\n$ pkigen lab up demo\n```\n") == pages.LAB_PORTS
    assert pages.ports("```console\n$ openssl genrsa 2048\n```\n") == set()


def test_the_tools_of_a_page_are_known() -> None:
    page = "```console\n$ curl x | openssl asn1parse\n$ pkigen plan\n```\n"
    assert list(pages.needs(page)) == ["curl", "openssl"]
