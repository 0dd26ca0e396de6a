"""Reading a CSV file: the exact row and column of what is wrong, and limits that hold on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.cli import main
from pkigen.documents import limits
from pkigen.errors import InputError
from pkigen.profile.inventory import OWN_VARIABLES, read_table
from tests.effort import calls


def _refused(folder: Path, data: str | bytes) -> str:
    path = folder / "t.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with pytest.raises(InputError) as caught:
        read_table(path)
    return str(caught.value).replace(f"{folder}/", "")


def test_cells_keep_their_text_and_rows_their_lines(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('host,note\na,"x, ""y"""\nb," NO "\n\nc,"two\nlines"\nd,007\n')
    rows = read_table(tmp_path / "t.csv")
    assert [row.cells["note"] for row in rows] == ['x, "y"', "NO", "two\nlines", "007"]
    assert [row.location.line for row in rows] == [2, 3, 6, 7]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a,b\n1\n", "t.csv:2:2: row 2 has 1 cells, and the header 2"),
        ("a,b\n1,2,3\n", "t.csv:2:3: row 2 has 3 cells, and the header 2"),
        ("a,a\n", "t.csv:1:2: column 2: the header contains 'a' twice"),
        ("a,,b\n", "t.csv:1:2: column 2: '' cannot be a variable: letters, digits and '_' only"),
        ("1a\n", "t.csv:1:1: column 1: '1a' cannot be a variable: letters, digits and '_' only"),
        ("é\n", "t.csv:1:1: column 1: 'é' cannot be a variable: letters, digits and '_' only"),
        ("", "t.csv:1:1: no header: the first row names the columns"),
        ("\na\n", "t.csv:1:1: no header: the first row names the columns"),
        (b"a\nx\n\xff\n", "t.csv:3:1: not UTF-8 text"),
        (b"\xff\xfea\x00\x00", "t.csv:1:1: not UTF-8 text"),
        ('a\n"x\n', "t.csv:2:1: not CSV: "),
        ('a\n"x"y\n', "t.csv:2:1: not CSV: "),
        ("a\n" + "x" * 200_000 + "\n", "t.csv:2:1: not CSV: "),
    ],
)
def test_an_invalid_table_is_rejected_with_row_and_column(
    tmp_path: Path, data: str | bytes, message: str
) -> None:
    assert _refused(tmp_path, data).startswith(message)


@pytest.mark.parametrize("name", OWN_VARIABLES)
def test_a_column_cannot_replace_a_builtin_variable(tmp_path: Path, name: str) -> None:
    assert _refused(tmp_path, f"host,{name}\n").startswith(f"t.csv:1:2: column 2: '{name}' is a variable")


def test_every_invalid_column_and_row_is_reported(tmp_path: Path) -> None:
    assert len(_refused(tmp_path, "é,ok,ok,name\n").splitlines()) == 3
    assert len(_refused(tmp_path, "a,b\n1\n2,3\n4\n5,6,7\n").splitlines()) == 3


@pytest.mark.parametrize(("rows", "taken"), [(limits.TABLE_ROWS, True), (limits.TABLE_ROWS + 1, False)])
def test_rows_end_exactly_at_their_limit(tmp_path: Path, rows: int, taken: bool) -> None:
    if taken:
        (tmp_path / "t.csv").write_text("a\n" + "x\n" * rows)
        assert len(read_table(tmp_path / "t.csv")) == rows
    else:
        errors = _refused(tmp_path, "a\n" + "x\n" * rows)
        assert errors == f"t.csv:{limits.TABLE_ROWS + 2}:1: more than {limits.TABLE_ROWS} rows"


def test_wrong_rows_count_towards_the_limit_of_rows(tmp_path: Path) -> None:
    assert _refused(tmp_path, "a,b\n" + "x\n" * 500_000).endswith(f"more than {limits.TABLE_ROWS} rows")


def test_a_table_with_too_many_columns_is_rejected_at_once(tmp_path: Path) -> None:
    header = ",".join(f"c{n}" for n in range(200_000)) + "\n"
    expected = f"t.csv:1:1: more than {limits.TABLE_COLUMNS} columns"
    assert calls(lambda: _refused(tmp_path, header)) < 5_000
    assert _refused(tmp_path, header) == expected


def test_a_table_over_the_size_limit_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "t.csv").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match=f"larger than {limits.TABLE_BYTES} bytes"):
        read_table(tmp_path / "t.csv")


_SECRETS = {
    "shadow": "root:$6$SECRET:19000:0:99999:7:::\ndaemon:*:SECRET:0\n",
    "settings.env": "TOKEN=SECRET\nOTHER: [SECRET\n",
    "key": "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n",
    "secret.json": '{"token": "SECRET",\n',
    "script": "#!/bin/sh\nexport SECRET=SECRET\n",
    "token": "SECRET\n",
    "quoted.csv": '"SECRET\nSECRET=',
    "set.yaml": "token SECRET: SECRET: [\n",
}


@pytest.mark.parametrize("name", _SECRETS)
@pytest.mark.parametrize(
    "profile",
    [
        "name: m\nauthorities: {root: {}}\ncertificates: {'h-{{ a }}': {each: FILE, issuer: root}}\n",
        "name: m\nextends: FILE\nauthorities: {root: {}}\n",
        "name: m\nrequirements: [FILE]\nauthorities: {root: {}}\n",
        "name: m\nauthorities: {root: {certificate: FILE, key_file: FILE}}\n",
    ],
    ids=["each", "extends", "requirements", "certificate"],
)
def test_a_message_does_not_quote_a_file_that_is_no_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], profile: str, name: str
) -> None:
    (tmp_path / name).write_text(_SECRETS[name])
    (tmp_path / "profile.yaml").write_text(profile.replace("FILE", name))
    assert main(["validate", str(tmp_path / "profile.yaml")]) in (0, 2)
    assert "SECRET" not in capsys.readouterr().err
