"""Cases at the edges beside ``openssl verify``: instants, keys, scopes; and where the two differ."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pkigen.formats import pem
from pkigen.inspection.path import validate
from pkigen.x509 import CertificateList
from tests.inspection.path.certificates import (
    CA,
    NOW,
    SERVER,
    Authority,
    Files,
    by_openssl,
    certificates,
    crls,
    root,
)
from tests.inspection.path.conftest import Made
from tests.inspection.path.openssl_verdicts import judged, of, sound
from tests.tools import run

pytestmark = pytest.mark.needs("openssl")

_DATES = ("-startdate", "20250101000000Z", "-enddate", "20350101000000Z")


def again(authority: Authority, change: tuple[str, str], *arguments: str | Path) -> None:
    """``openssl ca`` once more as it was set up last, with one change of its settings."""
    config = authority.folder / "ca.cnf"
    text = config.read_text()
    assert change[0] in text
    config.write_text(text.replace(*change))
    keys = ("-keyfile", authority.folder / "ca.key", "-cert", authority.certificate)
    run("openssl", "ca", "-config", config, *keys, "-batch", *arguments)


def crl_with(authority: Authority, extension: str, *, end: str = "20260701000000Z") -> Path:
    """A CRL with a further extension."""
    out = authority.crl(f"with-{abs(hash((extension, end)))}")
    times = ("-crl_lastupdate", "20260401000000Z", "-crl_nextupdate", end)
    again(authority, ("[c]\n", f"[c]\n{extension}\n"), "-gencrl", *times, "-out", out)
    return out


def changed(source: Path, out: Path, old: bytes, new: bytes, label: str = "CERTIFICATE") -> Path:
    """Write a copy in which some bytes are replaced by as many other bytes."""
    (block,) = pem.scan(source.read_bytes())
    assert block.data.count(old) == 1
    assert len(old) == len(new)
    out.write_bytes(pem.encode(label, block.data.replace(old, new)))
    return out


Case = Callable[[Made, Path], Files]
_CASES: dict[str, tuple[Case, str, int]] = {}


def case(rule: str, depth: int = 0) -> Callable[[Case], Case]:
    def register(function: Case) -> Case:
        _CASES[function.__name__] = function, rule, depth
        return function

    return register


@case("bad-signature")
def name_changed_after_signing(made: Made, folder: Path) -> Files:
    return sound(made, leaf=changed(made.leaf, folder / "x.crt", b"leaf.test", b"leaf.tesu"))


@case("bad-signature")
def end_changed_after_signing(made: Made, folder: Path) -> Files:
    later = changed(made.leaf, folder / "x.crt", b"350101000000Z", b"360101000000Z")
    return sound(made, leaf=later)


@case("bad-signature", 1)
def path_length_changed_after_signing(made: Made, folder: Path) -> Files:
    old, new = bytes.fromhex("30060101ff020100"), bytes.fromhex("30060101ff020105")
    return sound(made, chain=(changed(made.issuing.certificate, folder / "x.crt", old, new),))


@case("bad-signature", 1)
def other_root_of_the_same_name_without_key_identifiers(made: Made, folder: Path) -> Files:
    top = root(folder, "top", common_name="Same")
    below = top.subordinate("below")
    files = ("-in", below.folder / "ca.csr", "-out", below.certificate, "-notext", "-extensions", "x")
    again(top, ("authorityKeyIdentifier=keyid\n", "authorityKeyIdentifier=none\n"), *files, *_DATES)
    other = root(folder, "other", common_name="Same")
    return Files(below.issue("leaf"), (below.certificate,), (other.certificate,))


@case("")
def sha1_at_the_default_level(made: Made, folder: Path) -> Files:
    issuing = made.issuing
    out, times = folder / "x.crt", ("20250101000000Z", "20350101000000Z")
    return sound(made, leaf=issuing.sign(issuing.folder / "leaf.csr", out, SERVER, *times, "-md", "sha1"))


@case("")
def rsa_of_512_bits_at_the_default_level(made: Made, folder: Path) -> Files:
    request = folder / "short.csr"
    key = ("-newkey", "rsa:512", "-nodes", "-keyout", folder / "short.key", "-subj", "/CN=short.test")
    run("openssl", "req", "-new", *key, "-out", request)
    return sound(
        made, leaf=made.issuing.sign(request, folder / "x.crt", SERVER, "20250101000000Z", "20350101000000Z")
    )


@case("unhandled-critical", 1)
def critical_extension_of_nobody_in_a_ca(made: Made, folder: Path) -> Files:
    authority = made.root.subordinate("critical-ca", f"{CA}1.2.3.4.5=critical,DER:05:00\n")
    return of(authority, authority.issue("below-critical"), made)


@case("unhandled-critical")
def critical_extension_of_nobody_in_a_crl(made: Made, folder: Path) -> Files:
    crl = crl_with(made.issuing, "1.2.3.4=critical,DER:05:00")
    return sound(made, crls=(crl, made.crls[1]))


@case("name-constraint")
def name_that_no_ca_permits(made: Made, folder: Path) -> Files:
    authority = made.root.subordinate("permits", f"{CA}nameConstraints=critical,permitted;DNS:ok.test\n")
    return of(authority, authority.issue("outside", f"{SERVER}subjectAltName=DNS:bad.test\n"), made)


@case("")
def name_that_the_ca_permits(made: Made, folder: Path) -> Files:
    extension = f"{CA}nameConstraints=critical,permitted;DNS:ok.test\n"
    authority = made.root.subordinate("permits-it", extension)
    names = f"{SERVER}subjectAltName=DNS:www.ok.test\n"
    return of(authority, authority.issue("inside", names, common_name="www.ok.test"), made)


@case("name-constraint")
def constraint_of_a_kind_that_nobody_knows(made: Made, folder: Path) -> Files:
    authority = made.root.subordinate("rid", f"{CA}nameConstraints=critical,permitted;RID:1.2.3\n")
    return of(authority, authority.issue("with-rid", f"{SERVER}subjectAltName=RID:1.2.3\n"), made)


@case("other")
def proxy_certificate(made: Made, folder: Path) -> Files:
    extension = f"{SERVER}proxyCertInfo=critical,language:id-ppl-anyLanguage,pathlen:0\n"
    return sound(made, leaf=made.issuing.issue("proxy", extension))


@case("crl-missing")
def crl_of_cas_alone(made: Made, folder: Path) -> Files:
    crl = crl_with(made.issuing, "issuingDistributionPoint=critical,onlyCA:TRUE")
    return sound(made, crls=(crl, made.crls[1]))


@case("crl-missing", 1)
def crl_of_end_entities_alone(made: Made, folder: Path) -> Files:
    crl = crl_with(made.root, "issuingDistributionPoint=critical,onlyuser:TRUE")
    return sound(made, crls=(made.crls[0], crl))


@case("crl-missing")
def crl_of_some_reasons_alone(made: Made, folder: Path) -> Files:
    crl = crl_with(made.issuing, "issuingDistributionPoint=critical,onlysomereasons:keyCompromise")
    return sound(made, crls=(crl, made.crls[1]))


@case("crl-missing")
def crl_of_another_authority_of_the_same_name(made: Made, folder: Path) -> Files:
    other = made.root.subordinate("same-name", common_name="issuing")
    return sound(made, crls=(other.crl(), made.crls[1]))


@case("revoked")
def stale_crl_beside_a_fresh_one_that_revokes(made: Made, folder: Path) -> Files:
    authority = made.root.subordinate("two-crls")
    leaf = authority.issue("below-two-crls")
    stale = authority.crl("stale", "20260301000000Z", "20260401000000Z")
    authority.revoke(leaf)
    return of(authority, leaf, made, crls=(stale, authority.crl(), made.crls[1]))


@case("not-yet-valid", 2)
def before_all_of_them(made: Made, folder: Path) -> Files:
    return sound(made, at=datetime(1969, 1, 1, tzinfo=NOW.tzinfo))


@case("expired", 2)
def at_the_end_of_time(made: Made, folder: Path) -> Files:
    return sound(made, at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=NOW.tzinfo))


@pytest.mark.parametrize("name", _CASES)
def test_a_boundary_case_has_openssls_error_number(name: str, made: Made, tmp_path: Path) -> None:
    make, rule, depth = _CASES[name]
    files = make(made, tmp_path)
    theirs, ours = by_openssl(files), judged(files)
    assert ours.ok is (not theirs) is (rule == ""), (theirs, ours.problems)
    if not ours.ok:
        first = ours.problems[0]
        assert (first.rule, first.depth) == (rule, depth), ours.problems
        assert (first.code, first.depth) in theirs
        assert first.message.startswith("The certificate [CN=" if depth == 0 else "The CA [CN=")


def test_the_last_second_of_a_validity_is_valid_unlike_in_openssl_3(made: Made) -> None:
    (leaf,) = certificates(made.leaf)
    # RFC 5280, 4.1.2.5: both ends belong to the validity; of OpenSSL so since its version 4.
    assert judged(sound(made, at=leaf.not_before)).ok
    assert judged(sound(made, at=leaf.not_after)).ok
    assert judged(sound(made, at=leaf.not_after + timedelta(milliseconds=999))).ok
    assert not judged(sound(made, at=leaf.not_after + timedelta(seconds=1))).ok
    assert not judged(sound(made, at=leaf.not_before - timedelta(milliseconds=1))).ok
    assert by_openssl(sound(made, at=leaf.not_before)) == set()
    assert by_openssl(sound(made, at=leaf.not_after + timedelta(seconds=1))) == {(10, 0), (10, 1)}


@pytest.mark.parametrize("hours", [-14, 14])
@pytest.mark.parametrize(("year", "rule"), [(1, "not-yet-valid"), (9999, "expired")])
def test_any_time_of_the_calendar_can_be_validated(year: int, rule: str, hours: int, made: Made) -> None:
    zone = timezone(timedelta(hours=hours))
    at = datetime(year, 1, 1, tzinfo=zone) if year == 1 else datetime(year, 12, 31, 23, tzinfo=zone)
    assert {problem.rule for problem in judged(sound(made, at=at)).problems} == {rule}


def test_without_time_checks_openssl_agrees_on_an_expired_chain(made: Made) -> None:
    leaf = made.issuing.issue("long-ended", start="20200101000000Z", end="20210101000000Z")
    given = ("-CAfile", made.trust[0], "-untrusted", made.chain[0], "-no-CApath", "-no-CAstore", leaf)
    for flags, accepted in (((), False), (("-no_check_time",), True)):
        command = ["openssl", "verify", *flags, *map(str, given)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode == 0) is accepted
    parts = certificates(leaf)[0], certificates(*made.chain), certificates(*made.trust)
    assert not validate(*parts, at=NOW).ok
    assert validate(*parts, at=NOW, check_times=False).ok


@pytest.mark.parametrize("end", ["20260701000000Z", "20260501000000Z"])
def test_a_root_needs_no_current_crl_unlike_in_openssl(end: str, made: Made) -> None:
    leaf = made.root.issue(f"direct-{end}")
    users = crl_with(made.root, "issuingDistributionPoint=critical,onlyuser:TRUE")
    authorities = crl_with(made.root, "issuingDistributionPoint=critical,onlyCA:TRUE", end=end)
    for given in ((users,), (users, authorities)):
        assert judged(Files(leaf, (), made.trust, given)).problems == ()
    stale = by_openssl(Files(leaf, (), made.trust, (users, authorities)))
    assert stale == ({(12, 1)} if end.startswith("202605") else set())


def test_a_netscape_type_for_clients_is_not_valid_for_servers(made: Made) -> None:
    for kind, purpose, accepted in (
        ("client", "server", False),
        ("client", "client", True),
        ("server", "server", True),
        ("server,client", "client", True),
        ("server", "any", True),
    ):
        leaf = made.issuing.issue("netscape", f"nsCertType={kind}\n")
        files = sound(made, leaf=leaf, purpose=purpose)
        assert (judged(files).ok, not by_openssl(files)) == (accepted, accepted), (kind, purpose)


def test_server_gated_cryptography_is_a_purpose_of_openssl_alone(made: Made) -> None:
    for usage in ("nsSGC", "msSGC"):
        leaf = made.issuing.issue("gated", f"extendedKeyUsage={usage}\n")
        files = sound(made, leaf=leaf, purpose="server")
        assert (judged(files).ok, by_openssl(files)) == (False, set())


def test_any_purpose_of_a_ca_counts_only_beside_others(made: Made) -> None:
    for usages, accepted in (("anyExtendedKeyUsage", False), ("anyExtendedKeyUsage,serverAuth", True)):
        authority = made.root.subordinate(f"any-{accepted}", f"{CA}extendedKeyUsage={usages}\n")
        files = of(authority, authority.issue("leaf"), made, purpose="server")
        assert (judged(files).ok, not by_openssl(files)) == (accepted, accepted)


def test_an_unreadable_crl_is_reported_as_a_crl(made: Made) -> None:
    (own,) = crls(made.crls[0])
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    outline = CertificateList(own.der.replace(algorithm, b"\x30\x0a\x06\x08" + b"\x80" * 8))
    files = certificates(made.leaf, *made.chain, *made.trust)
    given = [outline, *crls(made.crls[1])]
    validation = validate(files[0], files[1:2], files[2:], at=NOW, crls=given, check_crls=True)
    assert [(one.rule, one.message) for one in validation.problems] == [("malformed", "A CRL cannot be read")]


def test_problems_of_times_and_others_are_those_of_openssl(made: Made) -> None:
    files = sound(made, at=NOW.replace(year=2045))
    reported = {(problem.code or 10, problem.depth) for problem in judged(files).problems}
    assert reported == by_openssl(files)
    partial = replace(files, at=NOW, trust=made.chain, chain=(), partial=True, crls=made.crls[:1])
    assert judged(partial).ok
