"""Errors that say what to write instead of the words of other tools; the tables name existing keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from pkigen.asn1.names import ATTRIBUTE_TYPES
from pkigen.documents.validation import keys_of
from pkigen.documents.yaml_tree import Table, from_python, parse
from pkigen.errors import InputError
from pkigen.profile import load, value_hints
from pkigen.profile.crl_fields import AdditionalCrlSpec, CrlSpec
from pkigen.profile.extension_fields import BasicConstraints
from pkigen.profile.fleets import FleetFaults, FleetRevocation
from pkigen.profile.inheritance import merge
from pkigen.profile.key_hints import HINTS, OTHER_ATTRIBUTE_NAMES, find_hint, normalized
from pkigen.profile.specifications import AuthoritySpec, CertificateSpec, OcspSpec, RevokedSpec
from pkigen.profile.top_level import Head, Negatives
from tests.profile.documents import FIRST, refused, refused_certificates

_MODELS: dict[str, type[BaseModel]] = {
    "top level": Head,
    "authorities": AuthoritySpec,
    "certificates": CertificateSpec,
    **{
        model.__name__: model
        for model in (
            Negatives,
            CrlSpec,
            OcspSpec,
            AdditionalCrlSpec,
            RevokedSpec,
            FleetRevocation,
            FleetFaults,
            BasicConstraints,
        )
    },
}
_CONVERTERS = {
    value_hints.general_names,
    *(hint.value for hints in HINTS.values() for hint in hints.values()),
}


_HEAD: dict[str, Any] = {
    "name": "test",
    "authorities": {"root": {"issuer": "self"}, "a": {"issuer": "root"}},
    "certificates": {
        "b": {"issuer": "root", "extended_key_usage": ["OCSPSigning"]},
        "c": {"issuer": "root"},
    },
    "enrolment": {"t": {"issuer": "root", "est": {"user": "a", "passphrase": "b"}}},
    "fleets": {"f": {"issuer": "root", "count": "3"}},
}
_PLACES: dict[str, tuple[tuple[str | int, ...], dict[str, Any]]] = {
    "top level": ((), {}),
    "authorities": (("authorities", "a"), {}),
    "certificates": (("certificates", "c"), {}),
    "defaults": (("defaults",), {}),
    "fleets": (("fleets", "f"), {}),
    "enrolment": (("enrolment", "t"), {}),
    "Negatives": (("negatives", 0), {"of": "b", "faults": ["expired"]}),
    "CrlSpec": (("authorities", "a", "crl"), {}),
    "OcspSpec": (("authorities", "root", "ocsp"), {}),
    "AdditionalCrlSpec": (("authorities", "a", "crls", 0), {"name": "users"}),
    "RevokedSpec": (("certificates", "b", "revoked"), {}),
    "FleetRevocation": (("fleets", "f", "revoked"), {"every": "2"}),
    "FleetFaults": (("fleets", "f", "faults"), {"every": "2", "of": ["expired"]}),
    "BasicConstraints": (("certificates", "b", "basic_constraints"), {"ca": "true"}),
    "valid": (("certificates", "b", "valid"), {"to": "+400d"}),
}
"""The path of each place of the tables in a profile, and the other keys that a mapping there needs."""
_INSTEAD = {"against": "faults", "for": "to"}
_NAMES = {"issuer": "root", "against": "web-server", "extends": "minimal"}


def _document(place: str, body: dict[str, Any]) -> Table:
    """Return a profile that has a mapping at a place of the tables."""
    path, needed = _PLACES[place]
    value: Any = {key: part for key, part in needed.items() if key not in map(_INSTEAD.get, body)} | body
    for part in reversed(path):
        value = {part: value} if isinstance(part, str) else [value]
    head, change = from_python(_HEAD), from_python(value)
    assert isinstance(head, Table)
    assert isinstance(change, Table)
    return merge(head, change)


def _errors(document: Table) -> str:
    try:
        load(document)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("place", HINTS)
def test_what_a_hint_says_to_write_is_valid_at_its_place(place: str) -> None:
    rejected = {}
    for word, hint in HINTS[place].items():
        text = hint._replace(remark="").written(None)
        name = _NAMES.get(hint.key, "root" if place == "authorities" else "b")
        body = parse(re.sub("NAME|SET|FILE", name, text).encode(), "hint")
        assert list(body) == [hint.key]
        at = "top level" if hint.remark == "at the top level" else place
        rejected[word] = _errors(_document(at, dict(body)))
    assert {word: errors for word, errors in rejected.items() if errors} == {}


@pytest.mark.parametrize("place", HINTS)
def test_the_words_of_the_tables_are_as_they_are_looked_up(place: str) -> None:
    assert [word for word in HINTS[place] if normalized(word) != word] == []


@pytest.mark.parametrize(("place", "model"), _MODELS.items())
def test_no_table_turns_a_key_that_exists_into_another_one(place: str, model: type[BaseModel]) -> None:
    for key in keys_of(model):
        hint = find_hint(place, key, None)
        assert hint is None or hint.key == key


def test_every_mapping_with_hints_is_a_model_or_a_section() -> None:
    assert set(HINTS) == {*_MODELS, "defaults", "fleets", "enrolment", "valid"}


def test_attribute_types_by_other_names_exist() -> None:
    assert set(OTHER_ATTRIBUTE_NAMES.values()) <= set(ATTRIBUTE_TYPES)
    assert [word for word in OTHER_ATTRIBUTE_NAMES if normalized(word) != word] == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("hosts: [a.test]", "unknown key 'hosts'; write san: [dns:a.test]"),
        ("dnsNames: [a.test, b.test]", "unknown key 'dnsNames'; write san: [dns:a.test, dns:b.test]"),
        ("ip_addresses: [192.0.2.1]", "unknown key 'ip_addresses'; write san: [ip:192.0.2.1]"),
        ('hosts: ["{{ name }}.test"]', "unknown key 'hosts'; write san: [dns:a.test, ip:192.0.2.1]"),
        ("cn: a.test", "unknown key 'cn'; write subject: {CN: a.test}"),
        ("commonName: a.test", "unknown key 'commonName'; write subject: {CN: a.test}"),
        ("common_name: [a, b]", "unknown key 'common_name'; write subject: {CN: a.test}"),
        ("organization: Contoso", "unknown key 'organization'; write subject: {O: Contoso}"),
        ("days: 30", "unknown key 'days'; write valid: 30d"),
        ("ttl: 8760h", "unknown key 'ttl'; write valid: 8760h"),
        ("ttl: 3600", "unknown key 'ttl'; write valid: 397d"),
        ("duration: 2160h", "unknown key 'duration'; write valid: 2160h"),
        ("notAfter: 2027-01-01", "unknown key 'notAfter'; write valid: {to: 2027-01-01}"),
        ("expiry: soon", "unknown key 'expiry'; write valid: 397d"),
        ("keySize: 3072", "unknown key 'keySize'; write key: rsa-3072"),
        ("key_size: 77", "unknown key 'key_size'; write key: rsa-2048"),
        ("algorithm: ECDSA", "unknown key 'algorithm'; write key: ec-p256"),
        ("curve: P-384", "unknown key 'curve'; write key: ec-p384"),
        ("parent: root", "unknown key 'parent'; write issuer: root"),
        ("ca: root", "unknown key 'ca'; write issuer: root"),
        ("ca: true", "write basic_constraints: {ca: true} (or move it to authorities)"),
        ("keyUsage: [x]", "unknown key 'keyUsage'; write key_usage: [digitalSignature, keyEncipherment]"),
        ("pathlen: 1", "write basic_constraints: {ca: true, path_length: 1}"),
        ("crl: x", "crl_distribution_points: [http://a.test/ca.crl] (crl and crls are keys of authorities)"),
        ("fault: san-wrong-host", "unknown key 'fault'; write faults: [san-wrong-host]"),
        ("san: {dns: [a.test]}", "or a mapping with names; write [dns:a.test]"),
        ("san: a.test", "this must be a list, or a mapping with names; write [dns:a.test]"),
        ("san: [a.test]", "'a.test' does not begin with a kind such as dns: or ip:; write dns:a.test"),
        ("san: [192.0.2.1]", "write ip:192.0.2.1"),
        ('san: ["2001:DB8::1"]', "write ip:2001:db8::1"),
        ("san: [a@b.test]", "write email:a@b.test"),
        ('san: ["https://a.test/x"]', "write uri:https://a.test/x"),
        ('san: ["DNS:a.test"]', "write dns:a.test"),
        ('san: ["IP Address:192.0.2.1"]', "write ip:192.0.2.1"),
        ('san: ["fe80::1%eth0"]', "'fe80::1%eth0' must begin with one of dns: ip: email:"),
        ("san: [10.0.0.0/8]", "'10.0.0.0/8' must begin with one of dns: ip: email:"),
        ("name_constraints: {permitted: [10.0.0.0/8]}", "write ip:10.0.0.0/8"),
        ("name_constraints: {permitted: [192.0.2.1]}", "write ip:192.0.2.1/32"),
        ('san: ["a b"]', "'a b' must begin with one of dns: ip: email:"),
        ("extended_key_usage: serverAuth", "or a mapping with usages; write [serverAuth]"),
        ("key_usage: {critical: false}", "or a mapping with usages; write [digitalSignature]"),
        ("valid: {days: 30}", "unknown key 'days'; write for: 30d"),
        ("valid: {hours: 12}", "unknown key 'hours'; write for: 12h"),
        ("valid: {notAfter: 2027-01-01}", "unknown key 'notAfter'; write to: 2027-01-01"),
        ("faults: expired", "this must be a list; write faults: [expired]"),
        ("formats: pkcs12", "this must be a list; write [pkcs12]"),
        ("basic_constraints: {ca: true, pathlen: 0}", "unknown key 'pathlen'; write path_length: 0"),
        ("revoked: {date: 2026-01-01}", "unknown key 'date'; write at: 2026-01-01"),
    ],
)
def test_what_to_write_in_a_certificate(tmp_path: Path, fields: str, message: str) -> None:
    errors = refused_certificates(tmp_path, f"one: {{issuer: root, {fields}}}\n").splitlines()
    assert len(errors) == 1
    assert message in errors[0]


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ("{commonName: a.test}", "no such attribute type: 'commonName'; write CN"),
        ("{organization: Contoso}", "no such attribute type: 'organization'; write O"),
        ("a.test", "CN: a.test}; write {CN: a.test}"),
    ],
)
def test_what_to_write_in_a_subject(tmp_path: Path, subject: str, message: str) -> None:
    assert refused_certificates(tmp_path, f"one: {{issuer: root, subject: {subject}}}\n").endswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "authorities: {root: {}, b: {parent: root}}",
            "authorities.b.parent: unknown key 'parent'; write issuer: root",
        ),
        ("authorities: {root: {pathlen: 1}}", "unknown key 'pathlen'; write path_length: 1"),
        ("authorities: {root: {crl: 3d}}", "this must be a mapping; write crl: {valid: 3d}"),
        ("authorities: {root: {crl: true}}", "this must be a mapping; write crl: {valid: 7d}"),
        ("authorities: {root: {crl: {next_update: 3d}}}", "unknown key 'next_update'; write valid: 3d"),
        ("authorities: {root: {crl: {hours: 48}}}", "unknown key 'hours'; write valid: 48h"),
        ("authorities: {root: {crl: {url: x}}}", "write base_url: http://127.0.0.1:8080 (at the top level)"),
        ("authorities: {root: {crls: {a: {}}}}", "write crls: [{name: users, entries: [1001]}]"),
        ("authorities: {root: {ocsp: true}}", "this must be a mapping; write ocsp: {}"),
        ("authorities: {root: {}}\nnegative: [expired]", "write negatives: [{of: NAME, faults: [expired]}]"),
        ("authorities: {root: {}}\nnegatives: {a: 1}", "write negatives: [{of: NAME, faults: [expired]}]"),
        ("authorities: {root: {}}\nnegatives: [{of: b, fault: expired}]", "write faults: [expired]"),
        ("authorities: {root: {}}\ndefaults: {days: 30}", "unknown key 'days'; write valid: 30d"),
        ("authorities: {root: {}}\ncerts: {}", "write certificates: {a: {issuer: root}}"),
        (
            "authorities: {root: {}}\nfleets: {f: {issuer: root, n: 3}}",
            "unknown key 'n'; write count: 3",
        ),
        (
            "authorities: {root: {}}\nfleets: {f: {issuer: root, count: 3, revoked: 2}}",
            "this must be a mapping such as {every: 10, reason: keyCompromise}",
        ),
        (
            "authorities: {root: {}}\nfleets: {f: {issuer: root, count: 3, faults: [expired]}}",
            "write faults: {every: 10, of: [expired]}",
        ),
        ("authorities: {root: {}}\nfleets: {f: {issuer: root, count: 3, to: csv}}", "write to: [csv]"),
    ],
)
def test_what_to_write_in_other_sections(tmp_path: Path, text: str, message: str) -> None:
    assert message in refused(tmp_path, f"name: test\n{text}\n")


def test_a_key_that_is_missing_is_reported_only_as_the_word_used_instead(tmp_path: Path) -> None:
    errors = refused_certificates(tmp_path, "one: {parent: root, valid: 1d}\n")
    assert errors.startswith(f"test.yaml:{FIRST}:")
    assert errors.endswith("certificates.one.parent: unknown key 'parent'; write issuer: root")
    assert "\n" not in errors


def test_a_hint_shows_no_passphrase(tmp_path: Path) -> None:
    errors = refused_certificates(tmp_path, "one: {issuer: root, password: hunter2}\n")
    assert "write passphrase: TEXT" in errors
    assert "hunter2" not in errors


@given(st.one_of(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=5)))
def test_values_in_hints_are_yaml_that_means_a_value(value: str | list[str]) -> None:
    for convert in _CONVERTERS:
        if (text := convert(value)) is not None:
            assert parse(f"{{key: {text}}}".encode(), "hint")["key"]
