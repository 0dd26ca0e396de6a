"""Profiles for tests: texts written to a file, and what ``load`` says of them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from pkigen.errors import InputError, Problem
from pkigen.profile import AuthoritySpec, CertificateSpec, Profile, load

HEAD = """\
name: test
base_url: http://127.0.0.1:8080
authorities:
  root: {subject: {CN: Test Root}}
certificates:
"""
FIRST = HEAD.count("\n") + 1
"""The line in which the certificates of ``profile_with`` begin."""


def write(folder: Path, text: str, name: str = "test.yaml") -> Path:
    """Write a profile's text; common indentation is taken away."""
    path = folder / name
    path.write_text(dedent(text), encoding="utf-8")
    return path


def profile_with(folder: Path, certificates: str) -> Profile:
    """The profile whose certificates are given as text."""
    return load(write(folder, HEAD + indent(dedent(certificates), "  ")))


def certificates(folder: Path, text: str) -> dict[str, CertificateSpec]:
    """The certificates of ``profile_with``, by name."""
    return {spec.name: spec for spec in profile_with(folder, text).certificates()}


def the_certificate(folder: Path, fields: str, extra: str = "") -> CertificateSpec:
    """The one certificate whose fields are given as flow text."""
    text = f"one: {{issuer: root, subject: {{CN: one.test}}, {fields}}}\n{extra}"
    return certificates(folder, text)["one"]


def authorities(folder: Path, text: str) -> dict[str, AuthoritySpec]:
    """The authorities whose entries are given as text, by name, in the order ``load`` gives."""
    body = "name: test\nauthorities:\n" + indent(dedent(text), "  ")
    return {spec.name: spec for spec in load(write(folder, body)).authorities}


def refusals(source: Path | dict[str, object]) -> list[Problem]:
    """Return the problems for which ``load`` rejects a profile."""
    with pytest.raises(InputError) as caught:
        load(source)
    return list(caught.value.problems)


def refused(folder: Path, text: str) -> str:
    """Return the errors of ``load`` for the text of a profile, with paths relative to the directory."""
    problems = refusals(write(folder, text))
    return "\n".join(map(str, problems)).replace(f"{folder}/", "")


def refused_certificates(folder: Path, text: str) -> str:
    """Return the errors of ``load`` for a profile with these certificates."""
    return refused(folder, HEAD + indent(dedent(text), "  "))


def refused_certificate(folder: Path, fields: str) -> str:
    """Return the errors of ``load`` for one certificate, whose fields are given in flow style."""
    return refused_certificates(folder, f"one: {{issuer: root, subject: {{CN: one.test}}, {fields}}}\n")
