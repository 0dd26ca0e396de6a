"""ARCHITECTURE.md: its tables name existing files, and the extensions that it lists are discovered."""

from __future__ import annotations

import re

import pytest

from pkigen.matrix import VALIDATORS
from pkigen.requirements.demands import KINDS
from tests.tools import ROOT

PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
_PATH = re.compile(r"`((?:[\w.-]+/)*[\w.-]+(?:\.(?:py|yaml|yml|md)|/))`")
_PLACEHOLDER = re.compile(r"\b(?:NAME|FAMILY|SET)\b")


def _rows(section: str) -> list[tuple[str, str]]:
    """Return the rows of a section's table: what a reader looks for, and where the page sends them."""
    text = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| (.+?) \| (.+) \|$", text, re.MULTILINE)[1:]


WHERE_IS = _rows("Where is ...")
WHERE_TO_ADD = _rows("Where to add things")


@pytest.mark.parametrize(("subject", "place"), WHERE_IS + WHERE_TO_ADD, ids=lambda text: text[:40])
def test_the_files_of_a_row_exist(subject: str, place: str) -> None:
    names = _PATH.findall(place)
    assert names, f"ARCHITECTURE.md, '{subject}': name a file in backticks"
    for name in names:
        pattern = _PLACEHOLDER.sub("*", name)
        matches = [*ROOT.glob(pattern), *(ROOT / "pkigen").glob(pattern)]
        assert matches, f"ARCHITECTURE.md, '{subject}': {name} does not exist; update the row"


def test_the_page_answers_the_questions_of_a_new_reader() -> None:
    subjects = " ".join(subject for subject, _ in WHERE_IS)
    for words in (
        "default key usage",
        "is reissued",
        "message of an upload rejection",
        "cache of signed OCSP responses",
        "Cache-Control header",
        "port of `pkigen serve`",
        "manifest.json",
    ):
        assert words in subjects, f"ARCHITECTURE.md, section 'Where is ...': add a row for '{words}'"


def test_the_page_lists_every_extension_point() -> None:
    subjects = {subject for subject, _ in WHERE_TO_ADD}
    assert {
        "a fault",
        "a kind of demand",
        "a requirement set",
        "an output format",
        "a validator",
        "an export target",
        "a command",
        "a typed extension",
        "a key kind",
    } <= subjects


def _public_modules(package: str) -> set[str]:
    return {path.stem for path in (ROOT / "pkigen" / package).glob("[!_]*.py")}


def test_every_module_of_demands_is_registered() -> None:
    registered = {kind.__module__.rpartition(".")[2] for kind in KINDS.values()}
    missing = _public_modules("requirements/demands") - registered
    assert not missing, f"no kind of demand is registered by pkigen/requirements/demands/: {sorted(missing)}"


def test_every_module_of_validators_is_registered() -> None:
    registered = {type(validator).__module__.rpartition(".")[2] for validator in VALIDATORS}
    missing = _public_modules("matrix/validators") - registered
    assert not missing, (
        f"pkigen/matrix/validators/: {sorted(missing)} register no validator; "
        "end the module with NAME = register(CLASS())"
    )


def test_the_drawing_names_every_package() -> None:
    drawing = (ROOT / "docs" / "architecture.svg").read_text("utf-8")
    packages = {path.parent.name for path in (ROOT / "pkigen").glob("*/__init__.py")}
    missing = sorted(name for name in packages if name not in drawing)
    assert not missing, f"docs/architecture.svg: add {', '.join(missing)}"


def test_the_packages_of_the_page_exist() -> None:
    for name in re.findall(r"\*\*`([a-z_0-9]+)/`", PAGE):
        assert (ROOT / "pkigen" / name).is_dir(), f"ARCHITECTURE.md: there is no package {name}"
