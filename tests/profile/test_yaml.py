"""YAML is read strictly, and what is refused names its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.errors import InputError
from pkigen.profile import load
from tests.profile.documents import refusals, refused, write

MINIMAL = "name: test\nauthorities: {root: {subject: {CN: Root}}}\n"


@pytest.mark.parametrize(
    "text", ["NO", "yes", "0123", "10:20:30", "1e3", "0x1F", "1_000", "2026-01-01", ".inf", "null"]
)
def test_a_scalar_stays_the_text_that_was_written(tmp_path: Path, text: str) -> None:
    loaded = load(
        write(tmp_path, f"name: test\nauthorities:\n  root:\n    subject: {{CN: Root, O: {text}}}\n")
    )
    assert dict(loaded.authorities[0].subject)["O"] == text


def test_no_is_read_as_text(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, "name: test\nauthorities: {root: {subject: {C: NO, CN: Root}}}\n"))
    assert loaded.authorities[0].subject == (("C", "NO"), ("CN", "Root"))


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "test.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load(path).name == "test"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("name: test\nname: other\n" + MINIMAL[11:], "test.yaml:2:1: "),
        (MINIMAL + "defaults:\n  key: rsa-2048\n  key: ec-p256\n", "test.yaml:5:3: "),
        (MINIMAL + "defaults: !!python/object:os.system {}\n", "test.yaml:3:11: "),
        (MINIMAL + "base_url: !secret x\n", "test.yaml:3:11: "),
        (MINIMAL + "---\nname: other\n", "test.yaml:3:1: "),
        (MINIMAL + "base_url: [unclosed\n", "test.yaml:4:1: "),
        (MINIMAL + "defaults:\n\tkey: rsa-2048\n", "test.yaml:4:1: "),
        (MINIMAL + "base_url: *nowhere\n", "test.yaml:3:11: "),
        (MINIMAL + "defaults: &loop {subject: *loop}\n", "test.yaml:3:27: "),
        (MINIMAL + "defaults: {<<: {key: rsa-2048}}\n", "test.yaml:3:12: "),
        (MINIMAL + "? [a, b]\n: c\n", "test.yaml:3:3: "),
        ("- a\n- b\n", "test.yaml:1:1: "),
        ("just text\n", "test.yaml:1:1: "),
        ("", "test.yaml"),
        ("# a comment\n", "test.yaml"),
    ],
)
def test_data_that_is_no_plain_mapping_is_rejected_at_its_position(
    tmp_path: Path, text: str, place: str
) -> None:
    (tmp_path / "test.yaml").write_text(text)
    assert any(line.startswith(place) for line in refused(tmp_path, text).splitlines()), refused(
        tmp_path, text
    )


@pytest.mark.parametrize(
    "data", [b"name: \xff\xfe\n", b"name: a\x00b\n", b"name: a\x07b\n", b"\xff\xfen\x00a\x00"]
)
def test_bytes_that_are_no_text_are_rejected(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "test.yaml"
    path.write_bytes(data)
    assert [problem.location.file for problem in refusals(path) if problem.location] == [str(path)]


def test_a_file_above_the_size_limit_is_rejected_before_it_is_read_completely(tmp_path: Path) -> None:
    path = tmp_path / "test.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 32)
    assert "4" in str(refusals(path)[0])


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{a: " * 100_000, "- " * 50_000 + "x", "defaults: " + "[" * 60 + "]" * 60]
)
def test_deep_nesting_is_rejected(tmp_path: Path, text: str) -> None:
    assert "32" in refused(tmp_path, text)


def test_an_alias_bomb_is_rejected(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "alias" in refused(tmp_path, "\n".join(lines))


def test_an_ordinary_alias_is_resolved(tmp_path: Path) -> None:
    text = "name: test\ndefaults: {subject: &who {O: A}}\nauthorities: {root: {subject: *who}}\n"
    assert load(write(tmp_path, text)).authorities[0].subject[0] == ("O", "A")


@pytest.mark.parametrize("kind", ["missing", "folder", "unreadable name"])
def test_an_unreadable_file_is_an_input_error(tmp_path: Path, kind: str) -> None:
    path = {"missing": tmp_path / "no.yaml", "folder": tmp_path, "unreadable name": Path("a\0b")}[kind]
    with pytest.raises(InputError):
        load(path)


def test_a_python_mapping_is_read_like_yaml() -> None:
    document = {
        "name": "test",
        "authorities": {"root": {"subject": {"CN": 5, "O": None}, "path_length": 0}},
        "certificates": {"a": {"issuer": "root", "must_staple": True}},
    }
    loaded = load(document)
    assert loaded.authorities[0].subject == (("CN", "5"),)
    assert loaded.authorities[0].path_length == 0
    assert next(loaded.certificates()).must_staple is True
    assert loaded.source is None


def test_a_python_mapping_that_contains_itself_is_rejected() -> None:
    document: dict[str, object] = {"name": "test"}
    document["defaults"] = document
    assert refusals(document)


def test_an_endless_python_mapping_is_rejected() -> None:
    bomb: object = ["x"]
    for _ in range(40):
        bomb = [bomb, bomb]
    assert refusals({"name": "test", "defaults": bomb})
