"""Conditions, dates, switches, roles and inherited requirements, on certificates that OpenSSL issued."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from pkigen import build
from pkigen.errors import InputError
from pkigen.inspection.check import CheckOptions, check_environment
from pkigen.requirements import CheckInput, RequirementSet, findings, load_declared, load_set
from pkigen.x509 import Certificate

NOW = datetime(2026, 11, 28, tzinfo=UTC)
REVOCABLE = """\
name: gateway
title: A gateway
source: {title: Guide, date: 2026-11}
switches: {strict: off, wildcards: on}
roles:
  server: {says: The gateway itself}
  client: {says: Its peers}
  issuing-ca: {says: Their CA, authority: true}
requirements:
  - id: revocable
    any: [{crl_distribution_point: {required: true}}, {aia: {required: [ocsp]}}, {validity: {maximum: 7d}}]
    level: rejected
    says: The certificate can be revoked, or it is short-lived.
  - id: ca-bits
    if: {basic_constraints: {ca: true, required: true}}
    then: {key_usage: {required: true, contains: [keyCertSign]}}
    level: rejected
    says: A CA certificate has keyCertSign.
  - id: server-purpose
    demand: {extended_key_usage: {required: true, contains: [serverAuth]}}
    for: server
    level: rejected
    says: A server has the purpose serverAuth.
  - id: client-purpose
    demand: {extended_key_usage: {required: true, contains: [clientAuth]}}
    for: [client]
    level: rejected
    says: A client has the purpose clientAuth.
  - id: is-ca
    demand: {basic_constraints: {ca: true}}
    for: issuing-ca
    level: rejected
    says: The CA is one.
  - id: no-wildcard
    demand: {subject_attribute: {type: CN, wildcard: false}}
    unless: wildcards
    level: unsupported
    says: The common name has no wildcard.
  - id: locality
    demand: {subject_attribute: {type: L, required: true}}
    when: strict
    level: unsupported
    confidence: reported
    says: The subject has a locality.
  - id: short
    demand: {validity: {maximum: 47d}}
    from: 2029-03-15
    level: rejected
    says: The validity period is at most 47 days.
  - id: longer
    demand: {validity: {maximum: 100d}}
    from: 2027-03-15
    until: 2029-03-15
    level: rejected
    says: The validity period is at most 100 days.
"""


@pytest.fixture
def gateway(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.yaml"
    path.write_text(REVOCABLE)
    return path


def _certificate(
    tmp_path: Path, days: tuple[str, str] = ("20261101", "20270601"), *extensions: str
) -> Certificate:
    """A self-signed certificate by OpenSSL, valid between two days."""
    config = tmp_path / "openssl.cnf"
    lines = [
        "[req]",
        "distinguished_name = dn",
        "prompt = no",
        "[dn]",
        "CN = *.a.test",
        "[ca]",
        "default_ca = own",
    ]
    lines += ["[own]", "database = index.txt", "serial = serial", "new_certs_dir = .", "policy = any"]
    lines += ["default_md = sha256", "[any]", "commonName = supplied", "[ext]", "keyUsage = digitalSignature"]
    config.write_text("\n".join([*lines, *extensions]))
    (tmp_path / "index.txt").write_text("")
    (tmp_path / "serial").write_text("01")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"]
    validity = ["-startdate", f"{days[0]}000000Z", "-enddate", f"{days[1]}000000Z"]
    common = ["-config", "openssl.cnf", "-out"]
    _openssl(tmp_path, "req", "-new", *key, *common, "req.pem")
    own = ["-batch", "-selfsign", "-notext", "-keyfile", "key.pem", "-in", "req.pem", "-extensions", "ext"]
    _openssl(tmp_path, "ca", *own, *validity, *common, "crt.pem")
    return Certificate(_openssl(tmp_path, "x509", "-in", "crt.pem", "-outform", "DER"))


def _openssl(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True).stdout


def _status(against: RequirementSet, certificate: Certificate, *, authority: bool = False) -> dict[str, str]:
    subject = CheckInput(now=NOW, certificate=certificate, authority=authority)
    return {one.requirement.id: str(one.outcome.status) for one in findings(against, subject)}


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("days", "extensions", "expected"),
    [
        (("20261101", "20270601"), (), "fail"),
        (("20261101", "20270601"), ("crlDistributionPoints = URI:http://a.test/a.crl",), "pass"),
        (("20261101", "20270601"), ("authorityInfoAccess = OCSP;URI:http://a.test/",), "pass"),
        (("20261101", "20270601"), ("authorityInfoAccess = caIssuers;URI:http://a.test/",), "fail"),
        (("20261101", "20261107"), (), "pass"),
    ],
)
def test_one_alternative_of_any_suffices(
    tmp_path: Path, gateway: Path, days: tuple[str, str], extensions: tuple[str, ...], expected: str
) -> None:
    certificate = _certificate(tmp_path, days, *extensions)
    assert _status(load_set(f"{gateway}:server"), certificate)["revocable"] == expected


@pytest.mark.needs("openssl")
def test_a_requirement_with_if_is_checked_only_if_its_condition_holds(tmp_path: Path, gateway: Path) -> None:
    against = load_set(f"{gateway}:server")
    leaf, ca = (), ("basicConstraints = critical, CA:TRUE",)
    assert (
        _status(against, _certificate(tmp_path, ("20261101", "20270601"), *leaf))["ca-bits"]
        == "not applicable"
    )
    assert _status(against, _certificate(tmp_path, ("20261101", "20270601"), *ca))["ca-bits"] == "fail"


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("issued", "short", "longer"),
    [
        ("20270314", "not applicable", "not applicable"),
        ("20270315", "not applicable", "fail"),
        ("20290314", "not applicable", "fail"),
        ("20290315", "fail", "not applicable"),
    ],
)
def test_from_is_inclusive_and_until_is_exclusive(
    tmp_path: Path, gateway: Path, issued: str, short: str, longer: str
) -> None:
    status = _status(load_set(f"{gateway}:server"), _certificate(tmp_path, (issued, "20301231")))
    assert (status["short"], status["longer"]) == (short, longer)


@pytest.mark.needs("openssl")
def test_switches_decide_which_requirements_are_checked(tmp_path: Path, gateway: Path) -> None:
    certificate = _certificate(tmp_path)
    for switches, expected in (
        ("", ("not applicable", "not applicable")),
        (",strict=on", ("not applicable", "fail")),
        (",wildcards=off", ("fail", "not applicable")),
    ):
        status = _status(load_set(f"{gateway}:server{switches}"), certificate)
        assert (status["no-wildcard"], status["locality"]) == expected, switches


def test_a_set_is_named_after_its_role_and_its_changed_switches(gateway: Path) -> None:
    names = {
        f"{gateway}:server": "gateway:server",
        f"{gateway}:client,strict=on": "gateway:client,strict=on",
        f"{gateway}:client,strict=off": "gateway:client",
        f"{gateway}:client,wildcards=off,strict=on": "gateway:client,strict=on,wildcards=off",
    }
    assert {reference: load_set(reference).name for reference in names} == names


def test_a_role_has_its_own_and_the_shared_requirements(gateway: Path) -> None:
    ids = {one.id for one in load_set(f"{gateway}:client").requirements}
    every = {one.id for one in load_declared(str(gateway)).requirements}
    assert every - ids == {"server-purpose", "is-ca"}


@pytest.mark.parametrize(
    ("suffix", "words"),
    [
        ("", "the set 'gateway' has roles; choose one: gateway:server, gateway:client, gateway:issuing-ca"),
        (":sever", "no such role: 'sever' (did you mean 'server'?)"),
        (":server,strct=on", "no such switch of 'gateway:server': 'strct' (did you mean 'strict'?)"),
        (":server,strict=yes", "'strict=yes' is not a switch: write NAME=on or NAME=off"),
    ],
)
def test_a_wrong_role_or_switch_is_an_error_with_the_right_names(
    gateway: Path, suffix: str, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        load_set(f"{gateway}{suffix}")
    assert words in str(caught.value)


@pytest.mark.needs("openssl")
def test_only_the_role_of_an_authority_checks_ca_certificates_as_such(tmp_path: Path, gateway: Path) -> None:
    certificate = _certificate(tmp_path)
    assert _status(load_set(f"{gateway}:issuing-ca"), certificate, authority=True)["is-ca"] == "fail"
    status = _status(load_set(f"{gateway}:server"), certificate, authority=True)
    assert status["server-purpose"] == "not applicable"


def test_a_set_that_extends_another_replaces_removes_and_adds_requirements(
    tmp_path: Path, gateway: Path
) -> None:
    own = tmp_path / "gateway-9.yaml"
    own.write_text(
        "name: gateway-9\ntitle: The gateway, version 9\nsource: {title: Guide 9, date: 2026-12}\n"
        "extends: gateway.yaml\nwithout: [locality]\nswitches: {strict: on}\n"
        "messages: {cn: Wrong name}\nrequirements:\n"
        "  - {id: short, demand: {validity: {maximum: 30d}}, level: unsupported, says: At most 30 days.}\n"
        "  - {id: named, demand: {subject_attribute: {type: CN, required: true}}, level: rejected,\n"
        "     message: cn, for: server, says: There is a CN.}\n"
    )
    base, changed = load_declared(str(gateway)), load_declared(str(own))
    ids = [one.id for one in base.requirements if one.id != "locality"]
    assert [one.id for one in changed.requirements] == [*ids, "named"]
    assert changed["short"].level == "unsupported"
    assert changed["short"].from_ is None
    assert changed["longer"] == base["longer"]
    assert (changed.switches, changed.roles) == ({**base.switches, "strict": True}, base.roles)


def _document(gateway: Path) -> dict[str, object]:
    usage = {"server": ["serverAuth"], "peer": ["clientAuth"]}
    names = {"server": "server", "peer": "client"}
    return {
        "name": "plant",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {"requirements": [f"{gateway}:issuing-ca"]}, "issuing": {"issuer": "root"}},
        "certificates": {
            name: {
                "issuer": "issuing",
                "subject": {"CN": f"{name}.contoso.test"},
                "extended_key_usage": purposes,
                "requirements": [{"set": str(gateway), "role": names[name]}],
            }
            for name, purposes in usage.items()
        },
        "negatives": [{"of": one, "against": {"set": str(gateway), "role": names[one]}} for one in usage],
    }


def test_certificates_of_one_environment_are_checked_each_in_its_role(tmp_path: Path, gateway: Path) -> None:
    environment = build(_document(gateway), tmp_path)
    results = list(check_environment(environment.folder, None, CheckOptions()))
    assert all(one.as_expected for one in results), [one.name for one in results if not one.as_expected]
    sets = {one.name: {finding.set.name for finding in one.findings} for one in results}
    assert sets["root"] == {"gateway:issuing-ca"}
    assert sets["server"] == {"gateway:server"}
    assert sets["peer.client-purpose-no-clientauth"] == {"gateway:client"}
    cases = {one.name for one in environment.cases() if one.fault is not None}
    assert {name.partition(".")[2] for name in cases} == {
        "revocable-none",
        *("server-purpose-missing", "server-purpose-no-serverauth"),
        *("client-purpose-missing", "client-purpose-no-clientauth"),
    }, "no case of a requirement whose condition, switch or date does not apply"


def test_a_certificate_that_violates_its_role_is_an_error_at_its_line(tmp_path: Path, gateway: Path) -> None:
    document = _document(gateway)
    path = tmp_path / "plant.yaml"
    path.write_text(yaml.safe_dump(document).replace("- clientAuth", "- codeSigning"))
    with pytest.raises(InputError) as caught:
        build(path, tmp_path)
    (problem, *_) = caught.value.problems
    assert "gateway:client requires: A client has the purpose clientAuth." in problem.message
    assert problem.location is not None
    assert "codeSigning" in path.read_text().splitlines()[problem.location.line]


def test_an_unknown_role_in_a_profile_is_an_error_at_its_line(tmp_path: Path, gateway: Path) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text(yaml.safe_dump(_document(gateway)).replace("role: client", "role: clint"))
    with pytest.raises(InputError) as caught:
        build(path, tmp_path)
    assert all(
        "no such role: 'clint' (did you mean 'client'?)" in one.message for one in caught.value.problems
    )
    assert all(one.location is not None for one in caught.value.problems)
