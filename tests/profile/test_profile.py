"""The document as a whole: the contract's example, the head, and all errors at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.documents import shipped
from pkigen.profile import load
from tests.profile.documents import HEAD, profile_with, refusals, refused, refused_certificates, write

EXAMPLE = """\
# yaml-language-server: $schema=profile.schema.json      (what `pkigen schema profile` wrote)
name: contoso-ot
base_url: http://127.0.0.1:8080
requirements: [defender-iot]

defaults:
  subject: {C: US, O: Contoso Inc., OU: Contoso Labs}
  key: rsa-2048

authorities:
  root:
    subject: {CN: Contoso Test Root CA}
    key: rsa-4096
    valid: 10y
  ot-issuing:
    issuer: root
    subject: {CN: Contoso OT Issuing CA}
    path_length: 0
    valid: 5y
    crl: {valid: 7d}

certificates:
  management-console:
    issuer: ot-issuing
    subject: {CN: console.contoso.test}
    san: ["dns:console.contoso.test", "ip:10.1.0.10"]
    valid: {from: -1d, to: +397d}
    formats: [pkcs12, fullchain]
  sensor-{01..20}:
    issuer: ot-issuing
    subject: {CN: "{{ name }}.contoso.test"}
  plc-{{ host }}:
    each: inventory.csv
    issuer: ot-issuing
    subject: {CN: "{{ host }}.{{ site }}.contoso.test"}
  retired-sensor:
    like: management-console
    subject: {CN: retired.contoso.test}
    revoked: {reason: keyCompromise, at: -2d}
"""


def test_the_example_of_the_contract_loads(tmp_path: Path) -> None:
    (tmp_path / "inventory.csv").write_text("host,site\npress,north\noven,south\n")
    loaded = load(write(tmp_path, EXAMPLE))
    specs = list(loaded.certificates())
    assert (loaded.name, loaded.base_url, tuple(map(str, loaded.requirements))) == (
        "contoso-ot",
        "http://127.0.0.1:8080",
        ("defender-iot",),
    )
    assert [spec.name for spec in loaded.authorities] == ["root", "ot-issuing"]
    assert loaded.authorities[1].path_length == 0
    assert len(specs) == loaded.count == 24
    assert [spec.name for spec in specs][-3:] == ["plc-press", "plc-oven", "retired-sensor"]
    assert dict(specs[1].subject) == {
        "C": "US",
        "O": "Contoso Inc.",
        "OU": "Contoso Labs",
        "CN": "sensor-01.contoso.test",
    }
    assert dict(specs[-2].subject)["CN"] == "oven.south.contoso.test"
    assert (specs[-1].formats, specs[-1].revoked is not None) == (("pkcs12", "fullchain"), True)


def test_certificates_can_be_iterated_twice_with_equal_results(tmp_path: Path) -> None:
    loaded = profile_with(tmp_path, '"s-{1..5}": {issuer: root, san: ["dns:{{ name }}.test"]}\n')
    assert list(map(repr, loaded.certificates())) == list(map(repr, loaded.certificates()))


def test_shipped_profiles_load_by_name() -> None:
    assert {"defender-iot", "minimal", "deep-hierarchy", "key-zoo"} <= set(shipped.names())
    for name in shipped.names():
        assert shipped.path(name).is_file()
        assert load(name).name == load(shipped.path(name)).name == name


def test_all_errors_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
    name: te st
    base_url: ftp://x
    requirements: [defender-iod]
    defautls: {}
    authorities:
      root: {key: rsa-20, vaild: 1y}
      a: {issuer: nobody}
    certificates:
      x: {issuer: root, subject: {CN: x}, san: ["ip:1", "dns:-"]}
      "y-{2..1}": {issuer: root}
    """
    errors = refused(tmp_path, text)
    for expected in (
        "test.yaml:1:7: name: ",
        "test.yaml:2:11: base_url: ",
        "test.yaml:3:16: requirements",
        "test.yaml:4:",
        "test.yaml:6:15: authorities.root.key: ",
        "test.yaml:6:",
        "test.yaml:7:15: authorities.a.issuer",
        "test.yaml:9:45: certificates.x.san",
        "test.yaml:9:53: certificates.x.san",
        "test.yaml:10:",
    ):
        assert expected in errors, f"{expected} is not in\n{errors}"
    lines = [int(line.split(":")[1]) for line in errors.splitlines()]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("base_url: a.test", "test.yaml:3:11: base_url: "),
        ("base_url: http://", "test.yaml:3:11: base_url: "),
        ("base_url: http://a.test?x=y", "test.yaml:3:11: base_url: "),
        ("base_url: http://a.test#x", "test.yaml:3:11: base_url: "),
        ("base_url: http://a test", "test.yaml:3:11: base_url: "),
        ("base_url: http://a.test/%2", "test.yaml:3:11: base_url: "),
        ("base_url: http://a.test/x/%2e%2e/y", "test.yaml:3:11: base_url: "),
        ("base_url: http://a.test/x%2Fy", "test.yaml:3:11: base_url: "),
        ("base_url: http://a.test/%00", "test.yaml:3:11: base_url: "),
        ("base_url: http://a.test:99999", "test.yaml:3:11: base_url: "),
        ("base_url: http://ü.test", "test.yaml:3:11: base_url: "),
        ("base_url: [http://a.test]", "test.yaml:3:"),
        ("requirements: defender-iot", "test.yaml:3:"),
        ("requirements: [[x]]", "test.yaml:3:"),
        ("defaults: [x]", "test.yaml:3:"),
        ("defaults: {like: x}", "test.yaml:3:"),
        ("defaults: {keys: ec-p256}", "test.yaml:3:"),
        ("defaults: {key: ec-p257}", "test.yaml:3:17: "),
        ("certificates: [a]", "test.yaml:3:"),
        ("certificates: {a: b}", "test.yaml:3:"),
        ("certificates: {a: [b]}", "test.yaml:3:"),
        ("negatives: [{of: a, faults: [nonsense/*]}]", "test.yaml:3:"),
        ("foo: bar", "test.yaml:3:"),
    ],
)
def test_an_invalid_top_level_key_is_an_error_at_its_line(tmp_path: Path, line: str, place: str) -> None:
    text = f"name: test\nauthorities: {{root: {{}}}}\n{line}\n"
    errors = refused(tmp_path, text)
    assert errors.startswith(place), errors


@pytest.mark.parametrize("text", ["authorities: {root: {}}\n", "name:\nauthorities: {root: {}}\n", "{}"])
def test_a_profile_needs_a_name(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        *((url, url) for url in ("http://127.0.0.1:8080", "https://pki.contoso.test", "http://a.test/x/y")),
        *(
            (url, url)
            for url in ("http://[::1]:80", "http://pki_server:8080", "http://a.test/my%20crls/~x(1)")
        ),
        ("HTTP://PKI.Contoso.Test:8080/CRLs", "http://pki.contoso.test:8080/CRLs"),
    ],
)
def test_base_urls(tmp_path: Path, url: str, normal: str) -> None:
    profile = write(tmp_path, HEAD.replace("http://127.0.0.1:8080", url + "/") + "  {}\n")
    assert load(profile).base_url == normal


def test_a_python_mapping_has_the_same_errors_without_a_position() -> None:
    (problem,) = refusals({"name": "test", "authorities": {"root": {"key": "rsa-20480"}}})
    assert (problem.location, problem.where) == (None, "authorities.root.key")


def test_a_problem_that_is_detected_later_has_its_position(tmp_path: Path) -> None:
    loaded = profile_with(tmp_path, "a: {issuer: root}\n")
    problem = loaded.problem(loaded.authorities[0], ("subject", "CN"), "cannot be")
    assert problem.location is not None
    assert (problem.location.line, problem.location.column) == (4, 24)
    assert problem.where == "authorities.root.subject.CN"


def test_an_unknown_fault_is_reported_with_a_suggestion(tmp_path: Path) -> None:
    errors = refused_certificates(tmp_path, "a: {issuer: root, faults: [expird]}\n")
    assert "no such fault: 'expird' (did you mean 'expired'?)" in errors
    both = "negatives: [{of: a, faults: [expird]}, {of: a}, {of: a, faults: all, against: rfc5280}]\n"
    errors = refused(tmp_path, f"name: t\nauthorities: {{root: {{}}}}\n{both}")
    assert "no such fault: 'expird' (did you mean 'expired'?)" in errors
    assert errors.count("give one of 'against' (a requirement set) and 'faults' (of the catalog)") == 2


def test_a_subject_without_a_common_name_gets_the_name_of_the_certificate(tmp_path: Path) -> None:
    (spec,) = profile_with(tmp_path, "a: {issuer: root, subject: {O: x}}\n").certificates()
    assert spec.subject == (("O", "x"), ("CN", "a"))


def test_a_self_signed_certificate_cannot_be_revoked(tmp_path: Path) -> None:
    assert refused_certificates(tmp_path, "a: {issuer: self, revoked: {reason: keyCompromise}}\n")


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ("valid: 20d, renew: 30d", "renew: the renewal period 30d is not shorter than the validity 20d"),
        ("valid: 20d, renew: 10d", None),
        ("valid: {from: -40d, to: -1d}, renew: 50d", None),
        ("subject: {CN: Sensor 1}", "subject: the common name 'Sensor 1' is not a host name"),
        ("subject: {CN: Sensor 1}, extended_key_usage: [clientAuth]", None),
        (
            "subject: {CN: Sensor 1}, extended_key_usage: none",
            "so this server gets no subject alternative name",
        ),
        ("subject: {CN: Sensor 1}, san: none", None),
        ("subject: {CN: Sensor 1}, san: ['dns:a.test']", None),
        ("subject: {CN: Sensor 1}, extensions: [{oid: 2.5.29.17, der: '3000'}]", None),
        ("subject: {CN: 10.1.0.1}", None),
        ("subject: {CN: '', O: Lab}", "there is no common name"),
    ],
)
def test_values_that_are_probably_not_intended_are_warnings_at_their_line(
    tmp_path: Path, fields: str, warning: str | None
) -> None:
    loaded = load(write(tmp_path, f"{HEAD}  host-{{1..3}}: {{issuer: root, {fields}}}\n"))
    if warning is None:
        assert not loaded.warnings
    else:
        (only,) = loaded.warnings
        assert warning in str(only)
        assert only.location is not None
