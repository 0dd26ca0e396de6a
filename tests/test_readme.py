"""What the README and the tour show is run, so that they cannot show what does not work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pages, tools

README = (tools.ROOT / "README.md").read_text("utf-8")
TOUR = (tools.ROOT / "docs" / "tour.md").read_text("utf-8")


def test_every_make_target_in_the_documents_exists() -> None:
    makefile = (tools.ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    output = set()
    for document in tools.ROOT.glob("*.md"):
        output |= set(re.findall(r"^make ([a-z-]+)", document.read_text("utf-8"), re.MULTILINE))
    assert output
    assert output <= targets


def test_the_tour_lists_the_commands_as_help_does() -> None:
    output = tools.python("-m", "pkigen", "--help", environ={"COLUMNS": "100", "NO_COLOR": "1"})
    listed = re.findall(r"^  (\S+) +(.+)$", output.partition("Commands:\n")[2], re.MULTILINE)
    readme = next(block for block in pages.blocks("text", TOUR) if block.startswith("init "))
    rows = "".join(f"{name:<13}{summary}\n" for name, summary in listed)
    assert re.findall(r"^(\S+) +(.+)$", readme, re.MULTILINE) == listed, (
        f"docs/tour.md, section Commands: replace the block by\n{rows}"
    )


def test_the_figures_of_the_matrix_are_those_of_its_page() -> None:
    page = (tools.ROOT / "docs" / "matrix.md").read_text("utf-8")
    words = r"has (\d+) cases\. (\d+) validators, .* in (\d+) columns .*?\. (\d+) verdicts"
    result = re.search(words, page)
    assert result is not None
    cases, validators, columns, differing = result.groups()
    text = " ".join(TOUR.split())
    ran = f"were run against {columns} columns of these {validators} validators"
    assert f"All {cases} cases of the catalog {ran}: {differing} verdicts" in text


def test_the_profile_in_the_tour_is_valid(tmp_path: Path) -> None:
    (tmp_path / "contoso-ot.yaml").write_text(pages.blocks("yaml", TOUR)[0], encoding="utf-8")
    tools.python("-m", "pkigen", "validate", "contoso-ot.yaml", cwd=tmp_path)


def test_the_errors_in_the_tour_are_those_of_pkigen(tmp_path: Path) -> None:
    profile = pages.blocks("yaml", TOUR)[0]
    wrong = profile.replace("ip:10.1.0.10", "ip:10.1.0.300").replace("fullchain", "fulchain")
    (tmp_path / "contoso-ot.yaml").write_text(wrong, encoding="utf-8")
    command = (sys.executable, "-m", "pkigen", "validate", "contoso-ot.yaml")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    output = next(block for block in pages.blocks("text", TOUR) if block.startswith("contoso-ot.yaml:"))
    assert done.returncode == 2
    assert done.stdout + done.stderr == output


def test_the_python_in_the_tour_runs(tmp_path: Path) -> None:
    output = tools.python("-c", pages.blocks("python", TOUR)[0], cwd=tmp_path)
    assert "http://127.0.0.1:" in output


@pytest.mark.parametrize("document", sorted(tools.ROOT.glob("*.md")), ids=lambda path: path.name)
def test_every_file_that_a_document_links_to_exists(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8"))
    assert [link for link in links if not (tools.ROOT / link).exists()] == []


def test_the_readme_fits_on_two_screens() -> None:
    assert len(README.splitlines()) <= 100


def test_the_readme_begins_with_the_user_and_ends_with_the_developer() -> None:
    titles = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert (titles[0], titles[-1]) == ("Install", "Development")
