"""Changes of every single signed byte: none of the paths is accepted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pkigen.inspection.path import validate
from pkigen.x509 import Certificate, CertificateList, Malformed
from tests.inspection.path.certificates import NOW, certificates, crls
from tests.inspection.path.conftest import Made

pytestmark = pytest.mark.needs("openssl")


def changed(data: bytes, part: bytes) -> Iterator[bytes]:
    """Yield ``data`` with one changed bit in each byte of ``part``, for two bits."""
    start = data.index(part)
    for at in range(start, start + len(part)):
        for bit in (0x01, 0x80):
            yield data[:at] + bytes((data[at] ^ bit,)) + data[at + 1 :]


@pytest.mark.parametrize("which", ["leaf", "intermediate"])
def test_a_certificate_with_a_changed_byte_is_never_accepted(which: str, made: Made) -> None:
    leaf, issuing, top = certificates(made.leaf, *made.chain, *made.trust)
    original = leaf if which == "leaf" else issuing
    tried = 0
    for data in changed(original.der, original.tbs):
        try:
            spoiled = Certificate(data)
        except Malformed:
            continue
        tried += 1
        path = (spoiled, [issuing]) if which == "leaf" else (leaf, [spoiled])
        validation = validate(*path, [top], at=NOW)
        assert not validation.ok, data.hex()
        assert all(problem.message and problem.advice for problem in validation.problems)
    assert tried > 300


def test_a_crl_with_a_changed_byte_never_counts(made: Made) -> None:
    leaf, issuing, top = certificates(made.leaf, *made.chain, *made.trust)
    own, above = crls(*made.crls)
    tried = 0
    for data in changed(own.der, own.tbs):
        try:
            spoiled = CertificateList(data)
        except Malformed:
            continue
        tried += 1
        validation = validate(leaf, [issuing], [top], at=NOW, crls=[spoiled, above], check_crls=True)
        assert not validation.ok, data.hex()
        assert {problem.depth for problem in validation.problems} <= {0, -1}
    assert tried > 100


@pytest.mark.parametrize("version", [0, 2, 5])
def test_a_crl_of_an_unknown_version_is_a_problem(version: int, made: Made) -> None:
    leaf, issuing, top = certificates(made.leaf, *made.chain, *made.trust)
    own, above = crls(*made.crls)[0].der, crls(made.crls[1])
    at = own.index(b"\x02\x01\x01\x30")
    spoiled = CertificateList(own[: at + 2] + bytes((version,)) + own[at + 3 :])
    validation = validate(leaf, [issuing], [top], at=NOW, crls=[spoiled, *above], check_crls=True)
    words = f"A CRL cannot be read (it is version {version + 1})"
    assert [(one.rule, one.message) for one in validation.problems] == [("malformed", words)]


def test_a_root_with_a_changed_byte_has_a_verdict(made: Made) -> None:
    leaf, issuing, top = certificates(made.leaf, *made.chain, *made.trust)
    for data in changed(top.der, top.tbs):
        try:
            spoiled = Certificate(data)
        except Malformed:
            continue
        # Who is trusted is not proven by its signature: a change of what does not matter is accepted.
        validation = validate(leaf, [issuing], [spoiled], at=NOW)
        assert validation.ok or validation.problems
