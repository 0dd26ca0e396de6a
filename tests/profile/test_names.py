"""Names become directories: a name that is not portable is rejected before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.profile.documents import authorities, certificates, refused, refused_certificates


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "..",
        ".",
        "/etc/x",
        "a/b",
        "a\\\\b",
        "C:x",
        "con",
        "NUL",
        "com1",
        "LPT9",
        "aux.txt",
        "a.",
        "-a",
        ".a",
        "a b",
        "ü",
        "a\\0",
        "a\\n",
        "x" * 101,
        " ",
        "a:b",
        "a*",
    ],
)
def test_a_name_that_is_no_directory_name_everywhere_is_rejected(tmp_path: Path, name: str) -> None:
    assert "test.yaml:6:" in refused_certificates(tmp_path, f'"{name}": {{issuer: root}}\n')
    assert "test.yaml:3:" in refused(tmp_path, f'name: test\nauthorities:\n  "{name}": {{}}\n')
    assert "test.yaml:1:7: " in refused(tmp_path, f'name: "{name}"\nauthorities: {{root: {{}}}}\n')


@pytest.mark.parametrize("name", ["a", "A1", "console", "a.b-c_d", "x" * 100, "connect", "com10", "0"])
def test_other_names_are_accepted(tmp_path: Path, name: str) -> None:
    text = f'"{name}": {{issuer: root, subject: {{CN: a.test}}}}\n'
    assert list(certificates(tmp_path, text)) == [name]


def test_an_authority_cannot_be_named_self(tmp_path: Path) -> None:
    assert "self" in refused(tmp_path, "name: test\nauthorities: {self: {}}\n")


@pytest.mark.parametrize(
    "text",
    [
        "Sensor: {issuer: root}\nsensor: {issuer: root}\n",
        '"sensor-{01..20}": {issuer: root}\nsensor-07: {issuer: root}\n',
        '"a{1..3}": {issuer: root}\n"{a,b}1": {issuer: root}\n',
        '"{a,A}": {issuer: root}\n',
        '"{a,a}": {issuer: root}\n',
    ],
)
def test_two_certificates_with_one_directory_are_rejected(tmp_path: Path, text: str) -> None:
    errors = refused_certificates(tmp_path, text)
    assert "test.yaml:6:" in errors or "test.yaml:7:" in errors


def test_an_authority_and_a_certificate_can_share_a_name(tmp_path: Path) -> None:
    assert list(certificates(tmp_path, "root: {issuer: root}\n")) == ["root"]


def test_two_authorities_that_differ_in_case_are_rejected(tmp_path: Path) -> None:
    assert refused(tmp_path, "name: test\nauthorities: {root: {}, ROOT: {}}\n")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("s-{01..03}", ["s-01", "s-02", "s-03"]),
        ("s-{8..11}", ["s-8", "s-9", "s-10", "s-11"]),
        ("s-{008..010}", ["s-008", "s-009", "s-010"]),
        ("s-{0..1}", ["s-0", "s-1"]),
        ("{a,b}-{1..2}", ["a-1", "a-2", "b-1", "b-2"]),
        ("{ed25519,ed448}", ["ed25519", "ed448"]),
        ("s-{5..5}", ["s-5"]),
    ],
)
def test_ranges_are_expanded_in_order(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    assert list(certificates(tmp_path, f'"{pattern}": {{issuer: root}}\n')) == expected


def test_a_range_gives_its_number_and_its_index(tmp_path: Path) -> None:
    text = '"s-{08..10}": {issuer: root, subject: {CN: "{{ number }}.{{ index }}.{{ environment }}.test"}}\n'
    common_names = [dict(spec.subject)["CN"] for spec in certificates(tmp_path, text).values()]
    assert common_names == ["08.1.test.test", "09.2.test.test", "10.3.test.test"]


@pytest.mark.parametrize(
    "pattern",
    [
        "s-{3..1}",
        "s-{1..}",
        "s-{..3}",
        "s-{a..c}",
        "s-{1...3}",
        "s-{1..2",
        "s-1..2}",
        "s-{}",
        "s-{,}",
        "s-{1..3..2}",
    ],
)
def test_an_invalid_range_is_rejected(tmp_path: Path, pattern: str) -> None:
    assert "test.yaml:6:" in refused_certificates(tmp_path, f'"{pattern}": {{issuer: root}}\n')


@pytest.mark.parametrize(
    "text",
    [
        '"s-{1..100001}": {issuer: root}\n',
        '"s-{1..999999999}": {issuer: root}\n',
        '"s-{1..999}-{1..999}-{1..999}-{1..999}": {issuer: root}\n',
        '"a-{1..60000}": {issuer: root}\n"b-{1..60000}": {issuer: root}\n',
    ],
)
def test_too_many_certificates_are_rejected_before_they_are_created(tmp_path: Path, text: str) -> None:
    assert "100" in refused_certificates(tmp_path, text)


@pytest.mark.parametrize("pattern", ["ca-{1..3}"])
def test_ranges_of_authorities(tmp_path: Path, pattern: str) -> None:
    assert list(authorities(tmp_path, f'"{pattern}": {{subject: {{CN: "{{{{ name }}}}"}}}}\n')) == [
        "ca-1",
        "ca-2",
        "ca-3",
    ]


def test_a_file_for_two_purposes_is_rejected(tmp_path: Path) -> None:
    errors = refused_certificates(tmp_path, "truststore: {issuer: root, formats: [pkcs12, truststore]}\n")
    assert "truststore.p12" in errors
