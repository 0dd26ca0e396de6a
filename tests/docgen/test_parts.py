"""What is made for the site: what is missing or too much is an error of the build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from mkdocs.exceptions import PluginError

from docgen import hook
from pkigen import load
from pkigen.profile.reference import sections

DESCRIPTIONS: dict[str, Any] = yaml.safe_load(sections.WORDS.read_bytes())
EXAMPLES = [
    (part, key, words_of_key["example"])
    for part in ("entity", "authority", "certificate")
    for key, words_of_key in DESCRIPTIONS[part].items()
    if isinstance(words_of_key, dict) and "example" in words_of_key
]


def test_a_page_with_an_unknown_part_ends_the_build() -> None:
    with pytest.raises(PluginError, match="unknown part 'fautls'; the parts are faults"):
        hook.made("# Page\n\n<!-- made: fautls -->\n")


def test_a_page_without_a_part_is_unchanged() -> None:
    assert hook.made("# Page\n\n<!-- a comment -->\n") == "# Page\n\n<!-- a comment -->\n"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda descriptions: descriptions["entity"].pop("san"), "entity: no words for san"),
        (
            lambda descriptions: descriptions["entity"].update(sna="Names."),
            "entity: words for sna, which is not a key",
        ),
        (lambda descriptions: descriptions["RevokedSpec"].pop("at"), "RevokedSpec: no words for at"),
        (lambda descriptions: descriptions.update(Nothing={}), "describes Nothing, which no profile has"),
    ],
)
def test_a_key_without_a_description_and_a_description_without_a_key_end_the_build(
    change: Any, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = yaml.safe_load(sections.WORDS.read_bytes())
    change(output)
    spoiled = tmp_path / "words.yaml"
    spoiled.write_text(yaml.safe_dump(output), encoding="utf-8")
    monkeypatch.setattr(sections, "WORDS", spoiled)
    sections._words.cache_clear()
    try:
        with pytest.raises(PluginError, match=error):
            hook.made("<!-- made: profile-keys entity -->")
    finally:
        sections._words.cache_clear()


@pytest.mark.parametrize(("part", "key", "example"), EXAMPLES, ids=[key for _, key, _ in EXAMPLES])
def test_an_example_of_the_profile_language_is_valid(part: str, key: str, example: str) -> None:
    body = yaml.safe_load(example)
    assert list(body) == [key]
    root: dict[str, Any] = {}
    certificate: dict[str, Any] = {"issuer": "root", "subject": {"CN": "a.contoso.test"}}
    whose = root if part == "authority" or key == "name_constraints" else certificate
    whose |= body
    load({"name": "page", "authorities": {"root": root}, "certificates": {"one": certificate}})
