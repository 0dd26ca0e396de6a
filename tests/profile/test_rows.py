"""Errors in the rows of a table are reported with row and column before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.errors import InputError
from pkigen.profile import load

_PROFILE = """
name: rows
authorities: {root: {}}
certificates:
  "{{ h }}":
    each: t.csv
    issuer: "{{ i }}"
    subject: {C: "{{ c }}", CN: "{{ h }}.test"}
    valid: {from: "{{ f }}", to: "{{ t }}"}
    key: "{{ k }}"
    formats: ["{{ fm }}"]
    key_format: "{{ kf }}"
"""
_HEADER = "h,i,c,f,t,k,fm,kf\n"
_SOUND = "ok,root,US,-1d,+1d,ec-p256,der,pkcs8\n"


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("a,rot,US,-1d,+1d,ec-p256,der,pkcs8", 2, "no authority is called 'rot'"),
        ("a,root,Ü,-1d,+1d,ec-p256,der,pkcs8", 3, "PrintableString"),
        ("a,root,US,zz,+1d,ec-p256,der,pkcs8", 4, "neither a time relative"),
        ("a,root,US,+2d,+1d,ec-p256,der,pkcs8", 4, "the validity ends before it begins"),
        ("a,root,US,-1d,+1d,ec-p25,der,pkcs8", 6, "did you mean 'ec-p256'"),
        ("a,root,US,-1d,+1d,ml-dsa-44,pkcs12,pkcs8", 7, "cannot hold a key"),
        ("a,root,US,-1d,+1d,ed25519,der,traditional", 8, "no traditional format"),
    ],
)
def test_an_invalid_cell_is_reported_with_row_and_column(
    tmp_path: Path, row: str, column: int, words: str
) -> None:
    (tmp_path / "p.yaml").write_text(_PROFILE)
    (tmp_path / "t.csv").write_text(_HEADER + _SOUND + row + "\n")
    with pytest.raises(InputError) as caught:
        load(tmp_path / "p.yaml")
    (problem,) = caught.value.problems
    assert words in problem.message
    assert str(problem.location) == f"{tmp_path / 't.csv'}:3:{column}"


def test_two_rows_with_the_same_mistake_are_two_problems(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(_PROFILE)
    rows = [f"{name},rot,US,-1d,+1d,ec-p256,der,pkcs8\n" for name in "ab"]
    (tmp_path / "t.csv").write_text(_HEADER + "".join(rows))
    with pytest.raises(InputError) as caught:
        load(tmp_path / "p.yaml")
    assert len(caught.value.problems) == 2


def test_two_ranges_in_a_name_keep_their_zeros() -> None:
    document = {
        "name": "x",
        "authorities": {"root": {}},
        "certificates": {"s-{01..02}-{a,b}-{8..9}": {"issuer": "root"}},
    }
    names = [spec.name for spec in load(document).certificates()]
    assert names[0] == "s-01-a-8"
    assert names[-1] == "s-02-b-9"
    assert len(names) == 8


def test_a_very_long_name_is_rejected_at_once() -> None:
    document = {"name": "x", "authorities": {"root": {}}, "certificates": {"{{" * 50_000: {"issuer": "root"}}}
    with pytest.raises(InputError, match="1000 characters at most"):
        load(document)


def test_a_listed_alternative_name_is_critical_beside_an_empty_subject() -> None:
    from datetime import UTC, datetime

    from pkigen.environment.build.session import random_serial
    from pkigen.plan import plan

    document = {
        "name": "x",
        "authorities": {"root": {}},
        "certificates": {"a": {"issuer": "root", "subject": {"CN": ""}, "san": ["dns:a.test"]}},
    }
    (entity,) = plan(load(document), datetime.now(UTC), random_serial).certificates()
    (san,) = [one for one in entity.certificates[0].extensions if one.oid == "2.5.29.17"]
    assert san.critical


def test_an_invalid_usage_is_one_problem() -> None:
    document = {
        "name": "x",
        "authorities": {"root": {}},
        "certificates": {"a": {"issuer": "root", "key_usage": ["foo"]}},
    }
    with pytest.raises(InputError) as caught:
        load(document)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("field", [{"crl": {"valid": "9000y"}}, {"renew": "9999y"}])
def test_a_duration_beyond_the_calendar_is_reported_at_its_line(field: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"authorities\.root.*outside the years"):
        load({"name": "x", "authorities": {"root": field}, "certificates": {}})
