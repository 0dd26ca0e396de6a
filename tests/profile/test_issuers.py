"""Who issues whom: order, circles, names that are not there, authorities from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.documents import limits
from tests.profile.documents import authorities, refused, refused_certificates, the_certificate


def _refused(folder: Path, text: str) -> str:
    return refused(folder, f"name: test\nauthorities:\n{text}")


def test_issuers_come_before_issued(tmp_path: Path) -> None:
    text = "leaf: {issuer: [middle, other]}\nmiddle: {issuer: root}\nother: {}\nroot: {}\n"
    order = list(authorities(tmp_path, text))
    for issuer, issued in (("root", "middle"), ("middle", "leaf"), ("other", "leaf")):
        assert order.index(issuer) < order.index(issued)


def test_an_authority_without_an_issuer_is_self_signed(tmp_path: Path) -> None:
    specs = authorities(tmp_path, "root:\nother: {issuer: self}\ncross: {issuer: [root, other]}\n")
    assert {name: spec.issuers for name, spec in specs.items()} == {
        "root": ("self",),
        "other": ("self",),
        "cross": ("root", "other"),
    }


def test_a_path_of_too_many_authorities_is_rejected_with_the_limit(tmp_path: Path) -> None:
    longest = limits.PATH_AUTHORITIES
    lines = ["ca-0: {}", *(f"ca-{n}: {{issuer: ca-{n - 1}}}" for n in range(1, 1000))]
    assert len(authorities(tmp_path, "\n".join(lines[:longest]))) == longest
    problem = f"authorities.ca-{longest}.issuer: more than {longest} authorities, each issued by the next"
    assert _refused(tmp_path, "".join(f"  {line}\n" for line in lines)).endswith(problem)


def test_a_cycle_of_a_thousand_authorities_is_an_error_without_recursion(tmp_path: Path) -> None:
    circle = "  ca-0: {issuer: ca-999}\n" + "".join(
        f"  ca-{n}: {{issuer: ca-{n - 1}}}\n" for n in range(1, 1000)
    )
    assert "issued by itself" in _refused(tmp_path, circle)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("  a: {issuer: a}\n", "test.yaml:3:", "'a'"),
        ("  a: {issuer: b}\n  b: {issuer: c}\n  c: {issuer: a}\n", "test.yaml:", "'a'"),
        ("  root: {}\n  a: {issuer: rot}\n", "test.yaml:4:15: ", "did you mean 'root'?"),
        ("  root: {}\n  a: {issuer: [root, rot]}\n", "test.yaml:4:", "did you mean 'root'?"),
        ("  root: {}\n  a: {issuer: [root, root]}\n", "test.yaml:4:", "twice"),
        (
            "  a: {issuer: []}\n",
            "test.yaml:3:7: authorities.a.issuer: ",
            ": the list of issuers is empty; omit 'issuer' for a root",
        ),
        ("  a: {issuer: {b: c}}\n", "test.yaml:3:", "issuer"),
    ],
)
def test_an_impossible_issuer_is_rejected(tmp_path: Path, text: str, place: str, words: str) -> None:
    errors = _refused(tmp_path, text)
    assert place in errors
    assert words in errors


def test_an_end_entity_can_be_self_signed(tmp_path: Path) -> None:
    assert the_certificate(tmp_path, "key: ec-p256", "two: {issuer: self}").issuer == "root"


def test_a_certificate_without_an_issuer_is_rejected(tmp_path: Path) -> None:
    errors = refused_certificates(tmp_path, "a: {subject: {CN: a}}\n")
    assert errors.startswith("test.yaml:6:")
    assert "issuer" in errors


def test_an_unknown_issuer_is_reported_once_for_a_range(tmp_path: Path) -> None:
    errors = refused_certificates(tmp_path, '"a-{1..500}": {issuer: rot}\n')
    assert len(errors.splitlines()) == 1
    assert errors.startswith("test.yaml:6:26: ")
    assert errors.endswith("(did you mean 'root'?)")


def test_an_authority_from_files_keeps_their_paths(tmp_path: Path) -> None:
    (tmp_path / "lab.crt").write_text("certificate")
    (tmp_path / "lab.key").write_text("key")
    imported = authorities(tmp_path, "lab: {from: {certificate: lab.crt, key: lab.key}}\n")["lab"].imported
    assert imported is not None
    assert (imported.certificate, imported.key, imported.chain) == (
        tmp_path / "lab.crt",
        tmp_path / "lab.key",
        None,
    )


@pytest.mark.parametrize(
    "text",
    [
        "lab: {from: {certificate: missing.crt}}",
        "lab: {from: {key: lab.crt}}",
        "lab: {from: {certificate: .}}",
        'lab: {from: {certificate: "a\\0b"}}',
        "lab: {from: lab.crt}",
        "lab: {from: {certificate: lab.crt, kye: lab.crt}}",
        "lab: {from: {certificate: big.crt}}",
        "lab: {from: {certificate: lab.crt}, subject: {CN: x}}",
        "lab: {from: {certificate: lab.crt}, issuer: root}",
        "lab: {from: {certificate: lab.crt}}\n  root: {issuer: lab}",
    ],
)
def test_files_without_a_ca_certificate_are_rejected(tmp_path: Path, text: str) -> None:
    (tmp_path / "lab.crt").write_text("certificate")
    (tmp_path / "big.crt").write_bytes(b"x" * (1 << 22))
    assert "test.yaml:3:" in (errors := _refused(tmp_path, f"  {text}\n")) or "test.yaml:4:" in errors


def test_an_issuer_with_an_error_of_its_own_is_not_called_missing(tmp_path: Path) -> None:
    text = "name: test\nauthorities: {root: {key: rsa-1}}\ncertificates: {a: {issuer: root}}\n"
    errors = refused(tmp_path, text)
    assert len(errors.splitlines()) == 1
    assert errors.startswith("test.yaml:2:27: authorities.root.key: ")
