"""The typed fields: what each can say, and what RFC 5280 does not let it say."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pkigen.profile import OMIT, GeneralName
from tests.profile.documents import (
    FIRST,
    authorities,
    certificates,
    refused,
    refused_certificate,
    refused_certificates,
    the_certificate,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_every_kind_of_alternative_name(tmp_path: Path) -> None:
    san = (
        '["dns:a.test", "dns:*.a.test", "ip:10.1.0.10", "ip:2001:DB8::1", "email:a@b.test", "uri:https://a.test/x",'
        ' "upn:a@b.test", "rid:1.2.3", {dirname: {C: US, O: Contoso}}, "srv:_ldap.a.test",'
        ' "smtputf8:ä@b.test", "krb5:HTTP/a.test@REALM", {other: {oid: 1.2.3, der: "3000"}},'
        ' "hardware:1.2.3/SN-1", "ntds:{6BA7B810-9DAD-11D1-80B4-00C04FD430C8}"]'
    )
    names = the_certificate(tmp_path, f"san: {san}").san
    assert names is not None
    assert names is not OMIT
    assert [(name.kind, name.value) for name in names.names] == [
        ("dns", "a.test"),
        ("dns", "*.a.test"),
        ("ip", "10.1.0.10"),
        ("ip", "2001:db8::1"),
        ("email", "a@b.test"),
        ("uri", "https://a.test/x"),
        ("upn", "a@b.test"),
        ("rid", "1.2.3"),
        ("dirname", (("C", "US"), ("O", "Contoso"))),
        ("srv", "_ldap.a.test"),
        ("smtputf8", "ä@b.test"),
        ("krb5", "HTTP/a.test@REALM"),
        ("other", (("1.2.3", "3000"),)),
        ("hardware", "1.2.3/SN-1"),
        ("ntds", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    ]
    assert not names.critical


@pytest.mark.parametrize(
    "name",
    [
        "a.test",
        "dns:",
        "dns:a b",
        "dns:-a.test",
        "dns:a..b",
        "dns:.a.test",
        "dns:a.*.test",
        "dns:büro.test",
        "dns:a.test.",
        "dns:" + "a" * 64,
        "dns:" + "a." * 127 + "ab",
        "dns:10.1.0.10",
        "dns:*",
        "srv:ldap.a.test",
        "srv:_ldap",
        "krb5:host/a.test",
        "smtputf8:a",
        "hardware:1.2.3",
        "hardware:1.2.3/",
        "hardware:1.2.3/0x",
        "hardware:1.2.3/0x1",
        "hardware:1.2.3/ä",
        "hardware:a/1",
        "hardware:1.2.3/0xzz",
        "ntds:6ba7b810",
        "{other: {oid: 1.2.3}}",
        "{other: {oid: 1.2.3, der: '3001'}}",
        "{other: {oid: 1.2.3, der: '30000500'}}",
        "{other: {oid: a, der: '3000'}}",
        "ip:10.1.0.256",
        "ip:10.0.0.0/8",
        "ip:a.test",
        "ip:",
        "ip:fe80::1%eth0",
        "email:a",
        "email:",
        "email:ü@b.test",
        "uri:a",
        "uri:https://a b",
        "uri:",
        "rid:1",
        "rid:9.1",
        "rid:1.99",
        "rid:1..2",
        "upn:",
        "dirname:x",
        "DNS:a.test",
        "ipp:10.0.0.1",
    ],
)
def test_an_invalid_alternative_name_is_an_error_at_its_line(tmp_path: Path, name: str) -> None:
    errors = refused_certificate(tmp_path, f'san: ["dns:ok.test", "{name}"]')
    assert f"test.yaml:{FIRST}:" in errors
    assert re.search(r"\bsan[.\[]1", errors)
    assert "ok.test" not in errors


@pytest.mark.parametrize(
    "field",
    [
        "san",
        "key_usage",
        "extended_key_usage",
        "basic_constraints",
        "crl_distribution_points",
        "aia",
        "freshest_crl",
        "name_constraints",
        "policies",
        "policy_mappings",
        "policy_constraints",
        "inhibit_any_policy",
        "scts",
        "windows_sid",
        "certificate_template",
        "certificate_template_name",
        "modbus_role",
    ],
)
def test_none_omits_an_extension(tmp_path: Path, field: str) -> None:
    assert getattr(the_certificate(tmp_path, f"{field}: none"), field) is OMIT
    assert getattr(the_certificate(tmp_path, "key: ec-p256"), field) is None


def test_key_identifiers_are_omitted_or_stated(tmp_path: Path) -> None:
    assert the_certificate(tmp_path, "subject_key_identifier: none").subject_key_identifier
    assert not the_certificate(tmp_path, "key: ec-p256").authority_key_identifier
    assert (
        the_certificate(tmp_path, "authority_key_identifier: '01:02'").authority_key_identifier == b"\x01\x02"
    )
    assert refused_certificate(tmp_path, "authority_key_identifier: '012'")
    assert refused_certificate(tmp_path, f"subject_key_identifier: '{'00' * 65}'")


def test_usages_are_lists_or_mappings(tmp_path: Path) -> None:
    spec = the_certificate(
        tmp_path,
        "key_usage: {critical: false, usages: [digitalSignature, contentCommitment]}, "
        "extended_key_usage: [serverAuth, any, 1.3.6.1.4.1.311.20.2.2]",
    )
    assert spec.key_usage is not None
    assert spec.key_usage is not OMIT
    assert (spec.key_usage.usages, spec.key_usage.critical) == (("digitalSignature", "nonRepudiation"), False)
    assert spec.extended_key_usage is not None
    assert spec.extended_key_usage is not OMIT
    assert spec.extended_key_usage.usages == ("serverAuth", "any", "1.3.6.1.4.1.311.20.2.2")


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("key_usage: [digitalSignatur]", "digitalSignature"),
        ("extended_key_usage: [serverauth]", "serverAuth"),
        ("formats: [pkcs-12]", "pkcs12"),
        ("key: ec-p265", "ec-p256"),
        ("key_format: pkcs9", "pkcs8"),
        ("revoked: {reason: keycompromise}", "keyCompromise"),
        ("revokd: {reason: keyCompromise}", "revoked"),
        ("san: {name: [dns:a.test]}", "names"),
        ("valid: {fromm: -1d, to: +1d}", "from"),
        ("pkcs12: {alais: a}", "alias"),
        ("signature: {digest: sha-256}", "sha256"),
    ],
)
def test_a_typing_error_gets_a_suggestion(tmp_path: Path, field: str, hint: str) -> None:
    errors = refused_certificate(tmp_path, field)
    assert f"did you mean '{hint}'?" in errors


@pytest.mark.parametrize(
    "field",
    [
        "key_usage: []",
        "extended_key_usage: []",
        "policies: []",
        "name_constraints: {}",
        "policy_constraints: {}",
        "crl_distribution_points: []",
        "crl_distribution_points: [{reasons: [keyCompromise]}]",
        "aia: {}",
        "policy_mappings: []",
        "crl_distribution_points: [{reasons: [unused], uris: ['http://a.test']}]",
        "inhibit_any_policy: -1",
        "inhibit_any_policy: x",
        "basic_constraints: {path_length: 0}",
        "basic_constraints: true",
        "policies: [1]",
        "policies: [{oid: 1.2.3, notice: '" + "x" * 1001 + "'}]",
        "policies: [{cps: ['http://a.test']}]",
        "must_staple: perhaps",
        "san: {critical: true}",
        "san: dns:a.test",
        "subject: [a]",
        "subject: {CN: {a: b}}",
        "subject: CN",
        "subject: {C: Österreich}",
        'subject: {CN: "a\\0b"}',
        "subject: {CN: ''}, san: none",
        "key: []",
        "signature: crc32",
        "signature: {digest: sha256, pss: perhaps}",
        "signature: pss-",
        "formats: der",
        "formats: [[der]]",
        "passphrase: [a]",
        "passphrase: {file: missing}",
        "passphrase: {path: a}",
        "pkcs12: x",
        "pkcs12: {passphrase: {file: .}}",
        "revoked: {reason: removeFromCRL}",
        "revoked: {at: never}",
        "revoked: []",
        "renew: -1d",
        "renew: soon",
        "extensions: [{oid: 1.2.3}]",
        "extensions: [{oid: 1.2, der: 0}]",
        "extensions: {}",
        "extensions: [{oid: 1.2.3, der: '05'}, {oid: 1.2.3, der: '05'}]",
        "extensions: [{oid: 1.2.3, der: 'xx'}]",
        "extensions: [{oid: 2.5.29.15, der: '0500'}], key_usage: [digitalSignature]",
        "path_length: 0",
        "crl: {valid: 1d}",
        "from: {certificate: x}",
        "nothing: 1",
        "issuer: [root]",
        "issuer: {a: b}",
        "valid: soon",
        "valid: {from: -1d}",
        "valid: {to: +1d, for: 1d}",
        "valid: {from: +2d, to: +1d}",
        "valid: {from: 2026-01-02, to: 2026-01-01}",
        "valid: 9000y",
        "valid: {from: 1949-01-01, for: 1d}",
        "valid: []",
        "valid: {}",
        "faults: [expird]",
    ],
)
def test_an_invalid_value_is_an_error_at_its_line(tmp_path: Path, field: str) -> None:
    errors = refused_certificate(tmp_path, field)
    assert errors.startswith(f"test.yaml:{FIRST}:"), errors
    assert field.partition(":")[0] in errors, errors


def test_an_issuer_with_ten_thousand_names_is_rejected(tmp_path: Path) -> None:
    names = ", ".join(["dns:a.test"] * 10_001)
    assert "10" in refused_certificate(tmp_path, f"san: [{names}]")


def test_validity_and_its_default(tmp_path: Path) -> None:
    start, end = the_certificate(tmp_path, "key: ec-p256").valid.resolve(NOW)
    assert (NOW - start, end - start) == (timedelta(hours=1), timedelta(days=397))
    start, end = the_certificate(tmp_path, "valid: {from: -1d, to: +397d}").valid.resolve(NOW)
    assert (NOW - start, end - NOW) == (timedelta(days=1), timedelta(days=397))
    start, end = the_certificate(tmp_path, "valid: {from: 2026-01-01T12:00Z, for: 90d}").valid.resolve(NOW)
    assert (start, end - start) == (datetime(2026, 1, 1, 12, tzinfo=UTC), timedelta(days=90))


def test_roots_are_valid_longest_and_intermediates_longer_than_end_entities(tmp_path: Path) -> None:
    specs = authorities(tmp_path, "root: {}\nissuing: {issuer: root}\n")
    lives = {name: spec.valid.resolve(NOW)[1].year for name, spec in specs.items()}
    assert lives == {"root": 2036, "issuing": 2031}


def test_a_revocation_has_reason_and_time(tmp_path: Path) -> None:
    revocation = the_certificate(tmp_path, "revoked: {reason: keyCompromise, at: -2d}").revoked
    assert revocation is not None
    assert (revocation.reason, getattr(revocation.at, "text", None)) == ("keyCompromise", "-2d")


def test_a_passphrase_can_be_in_a_file_beside_the_profile(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("hunter2\n")
    assert the_certificate(tmp_path, "passphrase: {file: secret.txt}").passphrase == b"hunter2"


@pytest.mark.parametrize(
    ("written", "digest", "pss"),
    [
        ("sha384", "sha384", False),
        ("pss-sha256", "sha256", True),
        ("{digest: sha1, pss: true}", "sha1", True),
        ("md5", "md5", False),
    ],
)
def test_signatures(tmp_path: Path, written: str, digest: str, pss: bool) -> None:
    signature = the_certificate(tmp_path, f"signature: {written}").signature
    assert (signature.digest, signature.pss) == (digest, pss)


def test_name_constraints_accept_networks_and_domains(tmp_path: Path) -> None:
    specs = authorities(
        tmp_path,
        'root: {name_constraints: {permitted: ["dns:.a.test", "ip:10.0.0.0/8"], excluded: ["email:.c"]}}\n',
    )["root"].name_constraints
    assert specs is not None
    assert specs is not OMIT
    assert GeneralName("ip", "10.0.0.0/8") in specs.permitted
    assert specs.critical


def test_a_raw_extension_is_bytes(tmp_path: Path) -> None:
    (entry,) = the_certificate(
        tmp_path, 'extensions: [{oid: 1.2.3.4, critical: true, der: "0403010203"}]'
    ).extensions
    assert (entry.oid, entry.critical, entry.der) == ("1.2.3.4", True, bytes.fromhex("0403010203"))


def test_a_list_gives_several_attributes_of_one_type(tmp_path: Path) -> None:
    subject = certificates(tmp_path, "a: {issuer: root, subject: {OU: [One, Two], CN: a}}\n")["a"].subject
    assert subject == (("OU", "One"), ("OU", "Two"), ("CN", "a"))


@pytest.mark.parametrize(
    ("kind", "largest", "limit"),
    [
        ("CN", 64, "at most 64; put longer host names into san"),
        ("O", 64, "at most 64"),
        ("OU", 64, "at most 64"),
        ("L", 128, "at most 128"),
        ("ST", 128, "at most 128"),
        ("title", 64, "at most 64"),
        ("serialNumber", 64, "at most 64"),
        ("pseudonym", 128, "at most 128"),
        ("emailAddress", 255, "at most 255"),
        ("C", 2, "exactly 2"),
        ("2.5.4.3", 64, "at most 64"),
    ],
)
def test_a_subject_value_above_its_upper_bound_is_rejected(
    tmp_path: Path, kind: str, largest: int, limit: str
) -> None:
    fitting, long = "x" * largest, "x" * (largest + 1)
    subject = certificates(tmp_path, _with_subject(kind, fitting))["one"].subject
    assert (kind, fitting) in subject
    output = refused_certificates(tmp_path, _with_subject(kind, long))
    column = _with_subject(kind, long).index(long) + 3
    assert output.startswith(f"test.yaml:{FIRST}:{column}: certificates.one.subject.{kind}: "), output
    assert f"has {largest + 1} characters, but RFC 5280, A.1, allows {limit}" in output


def test_a_country_of_one_letter_and_a_long_name_of_an_issuer_are_rejected(tmp_path: Path) -> None:
    assert "allows exactly 2" in refused_certificates(tmp_path, _with_subject("C", "U"))
    assert "allows at most 64" in refused(
        tmp_path, f"name: a\nauthorities: {{root: {{subject: {{O: {'x' * 65}}}}}}}\n"
    )
    dirname = "{dirname: {OU: " + "x" * 65 + "}}"
    assert "allows at most 64" in refused_certificate(tmp_path, f"san: [{dirname}]")


def _with_subject(kind: str, value: str) -> str:
    return f"one: {{issuer: root, san: ['dns:a.test'], subject: {{{kind}: {value}}}}}\n"
