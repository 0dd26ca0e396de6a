"""Every verdict beside that of ``openssl verify`` on the same files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pkigen.asn1 import der
from pkigen.formats import pem
from pkigen.inspection.path import PathProblem
from tests.environment.profiles import build_it, small
from tests.inspection.path.certificates import (
    CA,
    NOW,
    SERVER,
    Files,
    by_openssl,
    certificates,
    root,
)
from tests.inspection.path.conftest import Made
from tests.inspection.path.openssl_verdicts import judged, of, sound

pytestmark = pytest.mark.needs("openssl")

Case = Callable[[Made, Path], Files]
_CASES: dict[str, tuple[Case, str, int]] = {}


def case(rule: str, depth: int = 0) -> Callable[[Case], Case]:
    """A function that makes the files of a case, the rule that they break ("" for none), and where."""

    def register(function: Case) -> Case:
        _CASES[function.__name__] = function, rule, depth
        return function

    return register


@case("")
def sound_path(made: Made, folder: Path) -> Files:
    return sound(made, host="leaf.test", purpose="server", crls=made.crls)


@case("")
def last_year_before_the_end(made: Made, folder: Path) -> Files:
    return sound(made, at=NOW.replace(year=2034))


@case("expired")
def expired_certificate(made: Made, folder: Path) -> Files:
    return sound(made, leaf=made.issuing.issue("expired", end="20260601000000Z"))


@case("expired", 1)
def expired_issuer(made: Made, folder: Path) -> Files:
    authority = made.root.subordinate("expired-ca", end="20260601000000Z")
    return of(authority, authority.issue("below-expired"), made)


@case("expired", 1)
def expired_root(made: Made, folder: Path) -> Files:
    top = root(made.folder, "expired-root", end="20260101000000Z")
    return Files(top.issue("below-expired-root"), (), (top.certificate,))


@case("not-yet-valid")
def certificate_of_tomorrow(made: Made, folder: Path) -> Files:
    return sound(made, leaf=made.issuing.issue("tomorrow", start="20260602000000Z"))


@case("not-yet-valid", 1)
def issuer_of_tomorrow(made: Made, folder: Path) -> Files:
    authority = made.root.subordinate("tomorrow-ca", start="20260602000000Z")
    return of(authority, authority.issue("below-tomorrow"), made)


@case("no-issuer")
def missing_intermediate(made: Made, folder: Path) -> Files:
    return sound(made, chain=())


@case("no-issuer", 1)
def missing_root(made: Made, folder: Path) -> Files:
    return sound(made, trust=())


@case("untrusted-root", 2)
def root_in_the_chain_alone(made: Made, folder: Path) -> Files:
    other = root(made.folder, "other-root")
    return sound(made, chain=(*made.chain, *made.trust), trust=(other.certificate,))


@case("no-issuer", 1)
def other_root_of_the_same_name_by_key_identifier(made: Made, folder: Path) -> Files:
    other = root(made.folder, "impostor", common_name="root")
    return sound(made, trust=(other.certificate,))


@case("untrusted-root")
def self_signed_and_not_trusted(made: Made, folder: Path) -> Files:
    alone = root(made.folder, "alone", SERVER)
    return Files(alone.certificate, (), made.trust)


@case("")
def self_signed_and_trusted(made: Made, folder: Path) -> Files:
    alone = root(made.folder, "trusted-alone", SERVER)
    return Files(alone.certificate, (), (alone.certificate,))


@case("bad-signature")
def tampered_signature(made: Made, folder: Path) -> Files:
    return sound(made, leaf=tampered(made.leaf, folder / "leaf.crt"))


@case("bad-signature", 1)
def tampered_intermediate(made: Made, folder: Path) -> Files:
    return sound(made, chain=(tampered(made.issuing.certificate, folder / "issuing.crt"),))


@case("not-a-ca", 1)
def issued_by_an_end_entity(made: Made, folder: Path) -> Files:
    authority = made.root.subordinate("no-ca", "basicConstraints=CA:FALSE\n")
    return of(authority, authority.issue("below-no-ca"), made)


@case("not-a-ca", 1)
def issued_without_basic_constraints(made: Made, folder: Path) -> Files:
    authority = made.root.subordinate("bare", "keyUsage=critical,keyCertSign\n")
    return of(authority, authority.issue("below-bare"), made)


@case("not-a-ca", 1)
def issued_without_the_usage_of_signing_certificates(made: Made, folder: Path) -> Files:
    extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n"
    authority = made.root.subordinate("no-cert-sign", extensions)
    return of(authority, authority.issue("below-no-cert-sign"), made)


@case("path-length", 2)
def path_too_long(made: Made, folder: Path) -> Files:
    second = made.issuing.subordinate("second")
    chain = (second.certificate, made.issuing.certificate)
    return Files(second.issue("below-second"), chain, made.trust)


@case("name-constraint")
def name_that_a_ca_excludes(made: Made, folder: Path) -> Files:
    authority = made.root.subordinate("constrained", f"{CA}nameConstraints=critical,excluded;DNS:bad.test\n")
    leaf = authority.issue("excluded", f"{SERVER}subjectAltName=DNS:www.bad.test\n")
    return of(authority, leaf, made)


@case("unhandled-critical")
def critical_extension_of_nobody(made: Made, folder: Path) -> Files:
    leaf = made.issuing.issue("critical", f"{SERVER}1.2.3.4.5=critical,DER:05:00\n")
    return sound(made, leaf=leaf)


@case("")
def intermediate_as_the_anchor(made: Made, folder: Path) -> Files:
    return Files(made.leaf, (), made.chain, partial=True)


@case("no-issuer", 1)
def intermediate_as_the_anchor_of_a_whole_path(made: Made, folder: Path) -> Files:
    return Files(made.leaf, (), made.chain)


@case("")
def cross_signed_by_a_second_root(made: Made, folder: Path) -> Files:
    second = root(made.folder, "second-root")
    crossed = second.cross_sign(made.root, "crossed")
    return Files(made.leaf, (*made.chain, crossed), (second.certificate,))


@case("revoked")
def revoked_certificate(made: Made, folder: Path) -> Files:
    return revoked(made, "revoked", "keyCompromise")


@case("revoked")
def certificate_on_hold(made: Made, folder: Path) -> Files:
    return revoked(made, "held", "certificateHold")


@case("")
def revoked_and_nobody_asks(made: Made, folder: Path) -> Files:
    return replace(revoked(made, "unasked", "superseded"), crls=None)


@case("revoked", 1)
def revoked_intermediate(made: Made, folder: Path) -> Files:
    top = root(made.folder, "revoking-root")
    authority = top.subordinate("revoked-authority")
    leaf = authority.issue("below-revoked")
    top.revoke(authority.certificate, "CACompromise")
    return Files(leaf, (authority.certificate,), (top.certificate,), (authority.crl(), top.crl()))


@case("crl-stale")
def stale_crl(made: Made, folder: Path) -> Files:
    stale = made.issuing.crl("stale", "20260401000000Z", "20260501000000Z")
    return sound(made, crls=(stale, made.crls[1]))


@case("crl-not-yet-valid")
def crl_of_tomorrow(made: Made, folder: Path) -> Files:
    early = made.issuing.crl("tomorrow", "20260602000000Z", "20260701000000Z")
    return sound(made, crls=(early, made.crls[1]))


@case("crl-missing")
def no_crl(made: Made, folder: Path) -> Files:
    return sound(made, crls=())


@case("crl-missing")
def no_crl_of_the_issuer(made: Made, folder: Path) -> Files:
    return sound(made, crls=made.crls[1:])


@case("crl-missing", 1)
def no_crl_of_the_root(made: Made, folder: Path) -> Files:
    return sound(made, crls=made.crls[:1])


@case("crl-bad-signature")
def tampered_crl(made: Made, folder: Path) -> Files:
    changed = tampered(made.crls[0], folder / "issuing.crl", "X509 CRL")
    return sound(made, crls=(changed, made.crls[1]))


@case("crl-bad-signature")
def issuer_without_the_usage_of_signing_crls(made: Made, folder: Path) -> Files:
    extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
    authority = made.root.subordinate("no-crl-sign", extensions)
    leaf = authority.issue("below-no-crl-sign")
    return of(authority, leaf, made, crls=(authority.crl(), made.crls[1]))


@pytest.mark.parametrize("name", _CASES)
def test_verdict_and_reason_are_those_of_openssl(name: str, made: Made, tmp_path: Path) -> None:
    make, rule, depth = _CASES[name]
    files = make(made, tmp_path)
    theirs, ours = by_openssl(files), judged(files)
    assert ours.ok is (not theirs), (theirs, ours.problems)
    assert ours.ok is (rule == "")
    if not ours.ok:
        first = ours.problems[0]
        assert (first.code, first.depth) in theirs, ours.problems
        assert (first.rule, first.depth) == (rule, depth), ours.problems
        assert [problem for problem in ours.problems if not _is_told(problem)] == []


def test_both_accept_built_certificates_until_they_expire(tmp_path: Path) -> None:
    built = build_it(small(), tmp_path).folder
    authorities = built / "authorities"
    files = Files(
        built / "certificates/console/console.crt",
        (authorities / "issuing/issuing.crt",),
        (built / "trust.pem",),
        tuple(authorities / name / f"{name}.crl" for name in ("issuing", "root")),
        host="console.test",
        purpose="server",
    )
    (leaf,) = certificates(files.leaf)
    today = replace(files, at=leaf.not_before + timedelta(days=1))
    assert (judged(today).problems, by_openssl(today)) == ((), set())
    late = replace(files, at=leaf.not_after + timedelta(seconds=1), crls=None)
    reported = {(problem.code, problem.depth) for problem in judged(late).problems}
    assert reported == by_openssl(late) == {(10, 0)}


def tampered(source: Path, out: Path, label: str = "CERTIFICATE") -> Path:
    """Write a copy with an invalid signature of the same form: the last byte differs."""
    (block,) = pem.scan(source.read_bytes())
    tbs, algorithm, signature = der.children(block.data)
    changed = signature[:-1] + bytes((signature[-1] ^ 1,))
    out.write_bytes(pem.encode(label, der.sequence(tbs, algorithm, changed)))
    return out


def revoked(made: Made, name: str, reason: str) -> Files:
    """A leaf of an authority of its own, which has revoked it."""
    authority = made.root.subordinate(f"{name}-ca")
    leaf = authority.issue(name)
    authority.revoke(leaf, reason)
    return of(authority, leaf, made, crls=(authority.crl(), made.crls[1]))


def _is_told(problem: PathProblem) -> bool:
    return bool(problem.advice) and problem.message.startswith(("The certificate [CN=", "The CA [CN="))
