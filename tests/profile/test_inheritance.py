"""``defaults``, ``like`` and ``extends``: what is inherited, what wins, and where an error is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.profile import load
from tests.profile.documents import FIRST, certificates, refused, refused_certificates, write

DEFAULTS = """\
name: test
defaults:
  subject: {C: US, O: Contoso, OU: Labs}
  key: ec-p256
authorities:
  root: {subject: {CN: Root}}
certificates:
"""


def test_defaults_reach_authorities_and_certificates_and_subjects_merge_by_attribute(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, DEFAULTS + "  a: {issuer: root, subject: {O: Other, CN: a.test}}\n"))
    (spec,) = loaded.certificates()
    assert spec.subject == (("C", "US"), ("O", "Other"), ("OU", "Labs"), ("CN", "a.test"))
    assert loaded.authorities[0].subject[-1] == ("CN", "Root")
    assert loaded.authorities[0].key == spec.key == "ec-p256"


def test_an_empty_value_removes_an_inherited_one(tmp_path: Path) -> None:
    loaded = load(
        write(tmp_path, DEFAULTS + "  a:\n    issuer: root\n    key:\n    subject: {OU: , CN: a.test}\n")
    )
    (spec,) = loaded.certificates()
    assert spec.subject == (("C", "US"), ("O", "Contoso"), ("CN", "a.test"))
    assert spec.key == "rsa-2048"


def test_a_certificate_without_a_subject_is_named_by_its_own_name(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, DEFAULTS + "  'unit-{1..2}': {issuer: root}\n"))
    assert [spec.subject[-1] for spec in loaded.certificates()] == [("CN", "unit-1"), ("CN", "unit-2")]


def test_like_copies_then_overrides(tmp_path: Path) -> None:
    text = """
    console: {issuer: root, subject: {O: Contoso, CN: console.test}, formats: [der], key: ec-p256}
    copy: {like: console, subject: {CN: copy.test}, key: ec-p384}
    copy-of-copy: {like: copy, formats: [fullchain]}
    """
    specs = certificates(tmp_path, text)
    assert specs["copy"].subject == (("O", "Contoso"), ("CN", "copy.test"))
    assert (specs["copy"].formats, specs["copy"].key) == (("der",), "ec-p384")
    assert (specs["copy-of-copy"].formats, specs["copy-of-copy"].key) == (("fullchain",), "ec-p384")


def test_a_value_inherited_by_like_overrides_the_default(tmp_path: Path) -> None:
    text = """\
  first: {issuer: root, key: rsa-3072, subject: {OU: Field, CN: first.test}}
  copy: {like: first, subject: {CN: copy.test}}
"""
    loaded = load(write(tmp_path, DEFAULTS + text))
    copy = {spec.name: spec for spec in loaded.certificates()}["copy"]
    assert copy.key == "rsa-3072"
    assert copy.subject == (("C", "US"), ("O", "Contoso"), ("OU", "Field"), ("CN", "copy.test"))


def test_like_can_name_one_of_a_range_and_the_name_is_the_new_one(tmp_path: Path) -> None:
    text = """
    "sensor-{01..20}": {issuer: root, subject: {CN: "{{ name }}-{{ number }}.test"}}
    old: {like: sensor-07}
    """
    assert dict(certificates(tmp_path, text)["old"].subject)["CN"] == "old-07.test"


def test_like_can_name_one_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text("host,site\na,north\nb,south\n")
    text = """
    "plc-{{ host }}": {each: hosts.csv, issuer: root, subject: {CN: "{{ name }}.{{ site }}.test"}}
    old: {like: plc-b}
    """
    assert dict(certificates(tmp_path, text)["old"].subject)["CN"] == "old.south.test"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: {like: b}\nb: {like: a}", "inherits from itself"),
        ("a: {like: a}", "inherits from itself"),
        ("a: {issuer: root}\nb: {like: aa}", "'a'"),
        ("a: {like: root}", "root"),
        ("a: {like: [b]}", "like"),
    ],
)
def test_like_with_an_unknown_name_is_rejected(tmp_path: Path, text: str, words: str) -> None:
    errors = refused_certificates(tmp_path, text)
    assert words in errors
    assert f"test.yaml:{FIRST}" in errors or f"test.yaml:{FIRST + 1}" in errors


def test_extends_merges_the_profile_over_its_base(tmp_path: Path) -> None:
    write(
        tmp_path,
        DEFAULTS + "  a: {issuer: root, formats: [der, fullchain]}\n  b: {issuer: root}\n",
        "base.yaml",
    )
    text = "extends: base.yaml\nname: other\ncertificates:\n  a: {formats: [pkcs12]}\n  c: {issuer: root}\n"
    loaded = load(write(tmp_path, text))
    specs = {spec.name: spec for spec in loaded.certificates()}
    assert (loaded.name, sorted(specs)) == ("other", ["a", "b", "c"])
    assert specs["a"].formats == ("pkcs12",)
    assert specs["c"].key == "ec-p256"


def test_extends_accepts_the_name_of_a_shipped_profile(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, "extends: minimal\nname: mine\n"))
    assert (loaded.name, loaded.count) == ("mine", 1)


def test_a_table_of_the_base_is_relative_to_the_base(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "hosts.csv").write_text("host\na\n")
    write(tmp_path / "below", DEFAULTS + "  'plc-{{ host }}': {each: hosts.csv, issuer: root}\n", "base.yaml")
    loaded = load(write(tmp_path, "extends: below/base.yaml\n"))
    assert [spec.name for spec in loaded.certificates()] == ["plc-a"]


@pytest.mark.parametrize("base", ["missing.yaml", "test.yaml", ".", "[a]", "nul\\0"])
def test_extends_with_a_missing_file_is_rejected(tmp_path: Path, base: str) -> None:
    assert "test.yaml:1:" in refused(
        tmp_path, f'extends: "{base}"\nname: test\n' if "\\" in base else f"extends: {base}\nname: test\n"
    )


def test_extends_is_one_level(tmp_path: Path) -> None:
    write(tmp_path, "extends: minimal\nname: a\n", "base.yaml")
    assert "extends" in refused(tmp_path, "extends: base.yaml\nname: test\n")


def test_an_error_in_an_inherited_value_is_shown_where_it_was_written(tmp_path: Path) -> None:
    write(tmp_path, DEFAULTS.replace("ec-p256", "ec-p255") + "  a: {issuer: root}\n", "base.yaml")
    errors = refused(tmp_path, "extends: base.yaml\nname: other\n")
    assert "base.yaml:4:8: " in errors
    assert "ec-p256" in errors


def test_an_invalid_default_is_reported_once(tmp_path: Path) -> None:
    errors = refused(tmp_path, DEFAULTS.replace("ec-p256", "ec-p255") + "  'a-{1..500}': {issuer: root}\n")
    assert errors.count("test.yaml:4:8: ") <= 3


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ("[x]", "test.yaml:2:1: extends: this must be the path of a profile"),
        ("''", "test.yaml:2:10: extends: this must be the path of a profile"),
        ("none.yaml", "test.yaml:2:10: extends: none.yaml does not exist"),
        (
            "twice.yaml",
            "test.yaml:2:10: extends: twice.yaml extends another profile itself; only one level is read",
        ),
        ("wrong.yaml", "wrong.yaml:2:1: not YAML: "),
    ],
)
def test_a_profile_that_cannot_be_extended_is_an_error_at_its_place(
    tmp_path: Path, named: str, problem: str
) -> None:
    (tmp_path / "twice.yaml").write_text("extends: minimal\n")
    (tmp_path / "wrong.yaml").write_text("name: [\n")
    assert refused(tmp_path, f"name: test\nextends: {named}\n").startswith(problem)
