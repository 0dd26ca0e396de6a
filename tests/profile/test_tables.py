"""Inventories: one certificate for each row, and errors that name row and column."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.profile.documents import certificates, profile_with, refused_certificates

PLC = '"plc-{{ host }}": {each: hosts.csv, issuer: root, subject: {CN: "{{ host }}.{{ site }}.test"}}\n'


def _table(folder: Path, data: str | bytes) -> None:
    (folder / "hosts.csv").write_bytes(data.encode() if isinstance(data, str) else data)


def test_each_row_is_a_certificate(tmp_path: Path) -> None:
    _table(tmp_path, "host,site\nb,north\na,south\n")
    specs = certificates(tmp_path, PLC)
    assert {name: dict(spec.subject)["CN"] for name, spec in specs.items()} == {
        "plc-b": "b.north.test",
        "plc-a": "a.south.test",
    }
    assert list(specs) == ["plc-b", "plc-a"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfhost,site\r\na,x\r\n",
        b"host,site\na,x",
        b'"host","site"\n"a","x"\n\n',
        b"host,site\n\na,x\n\n\n",
        b"host;site\r\na;x\r\n",
        b"host;site\na;x,,,y\n",
        b"sep=;\r\nhost;site\r\na;x\r\n",
        b'"host";"a, b, c, d";"site"\r\na;;x\r\n',
        b"host,site\r\na,x\r\n,\r\n,\r\n",
        b" host ,site,,\r\n a , x,,\r\n",
        b"host,Site Name,site\r\na,y,x\r\n",
        "\ufeffhost\tsite\r\na\tx\r\n".encode("utf-16-le"),
    ],
)
def test_files_of_spreadsheets_are_read(tmp_path: Path, data: bytes) -> None:
    _table(tmp_path, data)
    assert list(certificates(tmp_path, PLC)) == ["plc-a"]


@pytest.mark.parametrize("variable", ["Host_Name", "host_name"])
def test_a_column_whose_name_has_spaces_is_a_variable_with_underscores(tmp_path: Path, variable: str) -> None:
    _table(tmp_path, "Host Name;site\na;x\n")
    assert list(certificates(tmp_path, PLC.replace("{{ host }}", "{{ " + variable + " }}"))) == ["plc-a"]


def test_a_table_in_another_encoding_names_the_format_to_save_in(tmp_path: Path) -> None:
    _table(tmp_path, b"host,site\na,K\xf6ln\n")
    assert "CSV UTF-8" in refused_certificates(tmp_path, PLC)


def test_a_table_can_name_the_issuer(tmp_path: Path) -> None:
    _table(tmp_path, "host,ca\na,root\n")
    specs = certificates(tmp_path, '"plc-{{ host }}": {each: hosts.csv, issuer: "{{ ca }}"}\n')
    assert specs["plc-a"].issuer == "root"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("host,site\na,x\nb\n", "hosts.csv:3:"),
        ("host,site\na,x,y\n", "hosts.csv:2:3"),
        ("host,host\na,x\n", "hosts.csv:1:2"),
        ("host,é\na,x\n", "hosts.csv:1:2"),
        ("host,my site,my_site\na,x,y\n", "hosts.csv:1:3"),
        ("host,\na,x\n", "hosts.csv:2:2"),
        ("host|site\na|x\n", "hosts.csv:1:1"),
        ("host,name\na,x\n", "hosts.csv:1:2"),
        ("", "hosts.csv"),
        ('host,site\n"a,x\n', "hosts.csv:"),
        (b"host,site\n\xe4,x\n", "hosts.csv:2:"),
        (b"host,site\na\x00,x\n", "hosts.csv:2:"),
        ("host,site\na,x\na,y\n", "hosts.csv:3:"),
        ("host,site\na,x\nA,y\n", "hosts.csv:3:"),
        ("host,site\n../b,x\n", "hosts.csv:2:"),
        ("host,site\nb c,x\n", "hosts.csv:2:"),
    ],
)
def test_an_error_in_a_table_has_row_and_column(tmp_path: Path, data: str | bytes, message: str) -> None:
    _table(tmp_path, data)
    assert message in refused_certificates(tmp_path, PLC)


def test_every_invalid_row_is_reported(tmp_path: Path) -> None:
    _table(tmp_path, "host,site\na\nb,x\nc\n")
    errors = refused_certificates(tmp_path, PLC)
    assert "hosts.csv:2:" in errors
    assert "hosts.csv:4:" in errors


def test_an_invalid_value_in_one_row_is_reported_with_that_row(tmp_path: Path) -> None:
    _table(tmp_path, "host,address\na,10.0.0.1\nb,10.0.0.256\n")
    text = '"plc-{{ host }}": {each: hosts.csv, issuer: root, san: ["ip:{{ address }}"]}\n'
    errors = refused_certificates(tmp_path, text)
    assert "hosts.csv:3:2" in errors
    assert "10.0.0.256" in errors
    assert "hosts.csv:2" not in errors


def test_of_several_cells_of_a_value_the_quoted_one_is_reported(tmp_path: Path) -> None:
    _table(tmp_path, "host,area,country\na,,USA\n")
    text = '"plc-{{ host }}": {each: hosts.csv, issuer: root, subject: {C: "{{ area }}{{ country }}"}}\n'
    assert "hosts.csv:2:3: " in refused_certificates(tmp_path, text)


def test_a_missing_column_is_reported_once_with_the_existing_ones(tmp_path: Path) -> None:
    _table(tmp_path, "host,site\n" + "".join(f"h{n},x\n" for n in range(200)))
    errors = refused_certificates(tmp_path, PLC.replace("{{ site }}", "{{ sight }}"))
    assert "did you mean 'site'?" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("each", ["missing.csv", ".", '"a\\0b"', "[a]", "''"])
def test_an_unreadable_table_is_an_error_at_its_line(tmp_path: Path, each: str) -> None:
    errors = refused_certificates(tmp_path, PLC.replace("hosts.csv", each))
    assert re.search(r"test\.yaml:6:2[67]: |^test\.yaml:6:", errors)


def test_names_without_a_column_are_rejected(tmp_path: Path) -> None:
    _table(tmp_path, "host\na\nb\n")
    assert refused_certificates(tmp_path, "plc: {each: hosts.csv, issuer: root}\n")


def test_a_table_without_rows_creates_no_certificates(tmp_path: Path) -> None:
    _table(tmp_path, "host,site\n")
    assert profile_with(tmp_path, PLC).count == 0


def test_a_table_above_the_limit_is_rejected(tmp_path: Path) -> None:
    _table(tmp_path, "host\n" + "a\n" * 100_001)
    assert "100" in refused_certificates(tmp_path, PLC)
