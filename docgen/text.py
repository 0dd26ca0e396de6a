"""Writes the generated reference pages as plain text into docs/reference/text, for readers of a checkout.

``python -m docgen.text`` writes them; a test compares them with the program.
"""

from __future__ import annotations

from pathlib import Path

from docgen.hook import made
from pkigen.profile.reference import plain_text

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference" / "text"
PAGES = ("profile", "faults", "sets", "manifest", "commands")


def page_text(name: str) -> str:
    """Return a page of docs/reference with its generated parts as plain text."""
    markdown = (ROOT / "docs" / "reference" / f"{name}.md").read_text("utf-8")
    # The site has a page for each family; the text is one file.
    families = "\n<!-- made: faults -->\n" if name == "faults" else ""
    return plain_text(made(markdown + families))


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(exist_ok=True)
    for name in PAGES:
        (FOLDER / f"{name}.txt").write_text(page_text(name), "utf-8")


if __name__ == "__main__":
    main()
