"""Extensions in DER equal those that cryptography encodes for the same values."""

from __future__ import annotations

import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
    ObjectIdentifier,
)
from hypothesis import given
from hypothesis import strategies as st

from pkigen.asn1 import oids
from pkigen.model import CrlPlan, Extension, KeyIdentifier
from pkigen.plan.crl_distribution import points
from pkigen.plan.defaults import Extensions, Setting, _share
from pkigen.plan.extensions import key_usage
from pkigen.profile import CertificateSpec
from pkigen.profile.specifications import TYPED_EXTENSIONS, EntitySpec
from pkigen.x509.general_names import general_names

_BASE_URL = "http://pki.test:8080"
_POINTS, _ = points(CrlPlan(1, f"{_BASE_URL}/crl/issuing.crl"), 0, None)
_SETTING = Setting("issuing", _BASE_URL, encipherment=True, ca=False, points=_POINTS)


def _extension(oid: str, **fields: Any) -> Extension | None:
    spec = CertificateSpec.model_validate({"issuer": "issuing", "subject": {"CN": "a.test"}, **fields})
    return next((one for one in Extensions()(spec, _SETTING) if one.oid == oid), None)


_CONTOSO = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Contoso")])
_URI = x509.UniformResourceIdentifier
_POINT = x509.DistributionPoint
_CASES: list[tuple[str, dict[str, Any], x509.ExtensionType, bool]] = [
    ("2.5.29.17", {}, x509.SubjectAlternativeName([x509.DNSName("a.test")]), False),
    (
        "2.5.29.17",
        {
            "san": {
                "critical": "true",
                "names": [
                    "dns:*.a.test",
                    "ip:10.1.0.10",
                    "ip:2001:db8::1",
                    "email:a@b.test",
                    "uri:https://a.test/x",
                    "rid:1.2.3.4",
                    {"dirname": {"O": "Contoso"}},
                    "upn:user@a.test",
                    "srv:_ldap.a.test",
                    "smtputf8:ä@a.test",
                    {"other": {"oid": "1.2.3", "der": "0500"}},
                ],
            }
        },
        x509.SubjectAlternativeName(
            [
                x509.DNSName("*.a.test"),
                x509.IPAddress(ip_address("10.1.0.10")),
                x509.IPAddress(ip_address("2001:db8::1")),
                x509.RFC822Name("a@b.test"),
                _URI("https://a.test/x"),
                x509.RegisteredID(ObjectIdentifier("1.2.3.4")),
                x509.DirectoryName(_CONTOSO),
                x509.OtherName(ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x0buser@a.test"),
                x509.OtherName(ObjectIdentifier("1.3.6.1.5.5.7.8.7"), b"\x16\x0c_ldap.a.test"),
                x509.OtherName(ObjectIdentifier("1.3.6.1.5.5.7.8.9"), "\x0c\x09ä@a.test".encode()),
                x509.OtherName(ObjectIdentifier("1.2.3"), b"\x05\x00"),
            ]
        ),
        True,
    ),
    (
        "2.5.29.14",
        {"subject_key_identifier": "01:02"},
        x509.SubjectKeyIdentifier(b"\x01\x02"),
        False,
    ),
    (
        "2.5.29.35",
        {"authority_key_identifier": "0102"},
        x509.AuthorityKeyIdentifier(b"\x01\x02", None, None),
        False,
    ),
    ("2.5.29.19", {}, x509.BasicConstraints(False, None), True),
    (
        "2.5.29.19",
        {"basic_constraints": {"ca": "true", "path_length": "3", "critical": "false"}},
        x509.BasicConstraints(True, 3),
        False,
    ),
    (
        "2.5.29.37",
        {},
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
        False,
    ),
    (
        "2.5.29.37",
        {"extended_key_usage": {"critical": "true", "usages": ["any", "1.2.3"]}},
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, ObjectIdentifier("1.2.3")]),
        True,
    ),
    (
        "2.5.29.31",
        {},
        x509.CRLDistributionPoints(
            [_POINT([_URI("http://pki.test:8080/crl/issuing.crl")], None, None, None)]
        ),
        False,
    ),
    (
        "2.5.29.31",
        {
            "crl_distribution_points": [
                "http://x.test/a.crl",
                {
                    "uris": ["http://x.test/b.crl", "ldap://x.test/c"],
                    "reasons": ["keyCompromise", "aACompromise"],
                    "crl_issuer": {"O": "Contoso"},
                },
            ]
        },
        x509.CRLDistributionPoints(
            [
                _POINT([_URI("http://x.test/a.crl")], None, None, None),
                _POINT(
                    [_URI("http://x.test/b.crl"), _URI("ldap://x.test/c")],
                    None,
                    frozenset([x509.ReasonFlags.key_compromise, x509.ReasonFlags.aa_compromise]),
                    [x509.DirectoryName(_CONTOSO)],
                ),
            ]
        ),
        False,
    ),
    (
        "2.5.29.46",
        {"freshest_crl": ["http://x.test/d.crl"]},
        x509.FreshestCRL([_POINT([_URI("http://x.test/d.crl")], None, None, None)]),
        False,
    ),
    (
        "1.3.6.1.5.5.7.1.1",
        {"aia": {"ocsp": ["http://o.test"], "ca_issuers": ["http://i.test/a.crt"], "auto": "true"}},
        x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(AuthorityInformationAccessOID.OCSP, _URI("http://o.test")),
                x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, _URI("http://i.test/a.crt")),
                x509.AccessDescription(
                    AuthorityInformationAccessOID.CA_ISSUERS, _URI("http://pki.test:8080/ca/issuing.crt")
                ),
            ]
        ),
        False,
    ),
    (
        "2.5.29.30",
        {
            "name_constraints": {
                "permitted": ["dns:.a.test", "ip:10.0.0.0/8", "email:a.test"],
                "excluded": ["uri:.b.test", {"dirname": {"O": "Contoso"}}],
            }
        },
        x509.NameConstraints(
            [
                x509.DNSName(".a.test"),
                x509.IPAddress(ip_network("10.0.0.0/8")),
                x509.RFC822Name("a.test"),
            ],
            [_URI(".b.test"), x509.DirectoryName(_CONTOSO)],
        ),
        True,
    ),
    (
        "2.5.29.32",
        {"policies": ["1.2.3", {"oid": "1.2.4", "cps": ["http://cps.test/"], "notice": "Testing"}]},
        x509.CertificatePolicies(
            [
                x509.PolicyInformation(ObjectIdentifier("1.2.3"), None),
                x509.PolicyInformation(
                    ObjectIdentifier("1.2.4"), ["http://cps.test/", x509.UserNotice(None, "Testing")]
                ),
            ]
        ),
        False,
    ),
    (
        "2.5.29.36",
        {"policy_constraints": {"require_explicit": "0", "inhibit_mapping": "128"}},
        x509.PolicyConstraints(0, 128),
        True,
    ),
    ("2.5.29.54", {"inhibit_any_policy": "2"}, x509.InhibitAnyPolicy(2), True),
    (
        "1.3.6.1.5.5.7.1.24",
        {"must_staple": "true"},
        x509.TLSFeature([x509.TLSFeatureType.status_request]),
        False,
    ),
]


@pytest.mark.parametrize(("oid", "fields", "theirs", "critical"), _CASES)
def test_an_extension_is_encoded_as_by_cryptography(
    oid: str, fields: dict[str, Any], theirs: x509.ExtensionType, critical: bool
) -> None:
    assert _extension(oid, **fields) == Extension(oid, critical, theirs.public_bytes())


_SAMPLES: dict[str, Any] = {
    "subject_key_identifier": "0102",
    "authority_key_identifier": "0102",
    "basic_constraints": {"ca": "true"},
    "key_usage": ["keyAgreement"],
    "extended_key_usage": ["codeSigning"],
    "san": ["dns:b.test"],
    "crl_distribution_points": ["http://x.test/a.crl"],
    "freshest_crl": ["http://x.test/a.crl"],
    "aia": "auto",
    "name_constraints": {"permitted": ["dns:a.test"]},
    "policies": ["1.2.3"],
    "policy_mappings": [{"issuer": "1.2.3", "subject": "1.2.4"}],
    "policy_constraints": {"require_explicit": "0"},
    "inhibit_any_policy": "0",
    "must_staple": "true",
    "ocsp_no_check": "true",
    "no_rev_avail": "true",
    "scts": "2",
    "windows_sid": "S-1-5-21-1-2-3-1104",
    "certificate_template": "1.2.3",
    "certificate_template_name": "DomainController",
    "modbus_role": "Operator",
}


@pytest.mark.parametrize(("oid", "field"), TYPED_EXTENSIONS.items())
def test_a_typed_extension_has_an_encoder(oid: str, field: str) -> None:
    assert field in _SAMPLES, f"add a value of '{field}' here, and its encoder to _typed of plan/defaults.py"
    extension = _extension(oid, **{field: _SAMPLES[field]})
    assert extension is not None, f"_typed of plan/defaults.py does not encode '{field}'"
    assert extension != _extension(oid)


@given(st.sets(st.sampled_from(oids.KEY_USAGES)))
def test_every_set_of_key_usages_is_encoded_as_by_cryptography(usages: set[str]) -> None:
    agreement = "keyAgreement" in usages
    if not agreement:
        usages -= {"encipherOnly", "decipherOnly"}
    flags = [usage in usages for usage in oids.KEY_USAGES]
    ours = key_usage(tuple(usages)).value
    if any(flags):
        assert ours == x509.KeyUsage(*flags).public_bytes()
    else:
        assert ours == b"\x03\x01\x00"


@pytest.mark.parametrize(
    ("field", "oid"),
    [
        ("san", oids.SUBJECT_ALTERNATIVE_NAME),
        ("key_usage", oids.KEY_USAGE),
        ("extended_key_usage", oids.EXTENDED_KEY_USAGE),
        ("basic_constraints", oids.BASIC_CONSTRAINTS),
        ("crl_distribution_points", oids.CRL_DISTRIBUTION_POINTS),
        ("subject_key_identifier", oids.SUBJECT_KEY_IDENTIFIER),
        ("authority_key_identifier", oids.AUTHORITY_KEY_IDENTIFIER),
    ],
)
def test_an_extension_can_be_left_out(field: str, oid: str) -> None:
    assert _extension(oid) is not None
    assert _extension(oid, **{field: "none"}) is None


def test_a_raw_extension_replaces_a_typed_one_and_others_are_last() -> None:
    raw = [
        {"oid": "1.2.3.4", "critical": "true", "der": "0403010203"},
        {"oid": oids.KEY_USAGE, "der": "0500"},
    ]
    spec = CertificateSpec.model_validate({"issuer": "i", "subject": {"CN": "a.test"}, "extensions": raw})
    extensions = Extensions()(spec, _SETTING)
    assert extensions[-2:] == (
        Extension("1.2.3.4", True, b"\x04\x03\x01\x02\x03"),
        Extension(oids.KEY_USAGE, False, b"\x05\x00"),
    )
    assert [extension.oid for extension in extensions].count(oids.KEY_USAGE) == 1


_KERBEROS = """asn1 = SEQUENCE:name
[name]
realm = EXP:0, GeneralString:REALM
principal = EXP:1, SEQUENCE:principal
[principal]
type = EXP:0, INTEGER:{type}
strings = EXP:1, SEQUENCE:strings
[strings]
{strings}
"""


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(("principal", "name_type"), [("user", 1), ("krbtgt/REALM", 2), ("HTTP/a.test", 3)])
def test_a_kerberos_principal_is_encoded_as_by_openssl(
    tmp_path: Path, principal: str, name_type: int
) -> None:
    strings = (f"s{n} = GeneralString:{text}" for n, text in enumerate(principal.split("/")))
    (tmp_path / "conf").write_text(_KERBEROS.format(type=name_type, strings="\n".join(strings)))
    command = ["openssl", "asn1parse", "-genconf", "conf", "-noout", "-out", "name.der"]
    subprocess.run(command, cwd=tmp_path, check=True)
    extension = _extension(oids.SUBJECT_ALTERNATIVE_NAME, san=[f"krb5:{principal}@REALM"])
    name = x509.OtherName(ObjectIdentifier("1.3.6.1.5.2.2"), (tmp_path / "name.der").read_bytes())
    assert extension is not None
    assert extension.value == x509.SubjectAlternativeName([name]).public_bytes()
    assert [str(one) for one in general_names(extension.value)] == [f"krb5:{principal}@REALM"]


def test_key_identifiers_are_placeholders_until_the_keys_exist() -> None:
    extension = _extension(oids.SUBJECT_KEY_IDENTIFIER)
    assert extension is not None
    assert extension.value is KeyIdentifier.SUBJECT


@pytest.mark.parametrize(
    ("common_name", "name"),
    [
        ("a.test", x509.DNSName("a.test")),
        ("*.a.test", x509.DNSName("*.a.test")),
        ("localhost", x509.DNSName("localhost")),
        ("10.1.0.10", x509.IPAddress(ip_address("10.1.0.10"))),
        ("2001:db8::1", x509.IPAddress(ip_address("2001:db8::1"))),
        ("Sensor 1", None),
        ("-a.test", None),
    ],
)
def test_a_common_name_is_an_alternative_name_if_it_can_be_one(
    common_name: str, name: x509.GeneralName | None
) -> None:
    extension = _extension(oids.SUBJECT_ALTERNATIVE_NAME, subject={"CN": common_name})
    if name is None:
        assert extension is None
    else:
        assert extension is not None
        assert extension.value == x509.SubjectAlternativeName([name]).public_bytes()


def test_only_equal_specifications_share_encoded_extensions() -> None:
    extensions = Extensions()
    first = CertificateSpec.model_validate({"issuer": "issuing", "subject": {"CN": "a.test"}})
    for field in EntitySpec.model_fields.keys() - {"name", "subject", "san", "extensions"}:
        other = first.model_copy(update={field: object()})
        assert not _share(first, other), f"_share of pkigen/plan/defaults.py ignores the field '{field}'"
    stapled = first.model_copy(update={"must_staple": True})
    assert len(extensions(stapled, _SETTING)) == len(extensions(first, _SETTING)) + 1


@pytest.mark.parametrize(
    ("purposes", "enciphers"),
    [
        (None, True),
        ("none", True),
        (["serverAuth"], True),
        (["clientAuth", "serverAuth"], True),
        (["emailProtection"], True),
        (["1.2.3", "clientAuth"], True),
        (["clientAuth"], False),
        (["codeSigning"], False),
        (["OCSPSigning", "timeStamping"], False),
    ],
)
def test_an_rsa_key_enciphers_keys_only_for_purposes_that_allow_it(purposes: Any, enciphers: bool) -> None:
    extension = _extension(oids.KEY_USAGE, **({"extended_key_usage": purposes} if purposes else {}))
    usages = ("digitalSignature", "keyEncipherment") if enciphers else ("digitalSignature",)
    assert extension == key_usage(usages)


def test_default_key_usage_is_critical() -> None:
    extension = _extension(oids.KEY_USAGE)
    assert extension is not None
    assert extension.critical


@pytest.mark.parametrize(("subject", "critical"), [({}, True), ({"CN": "a.test"}, False)])
def test_alternative_names_are_critical_without_a_subject(subject: dict[str, str], critical: bool) -> None:
    extension = _extension(oids.SUBJECT_ALTERNATIVE_NAME, subject=subject, san=["dns:a.test"])
    assert extension is not None
    assert extension.critical is critical
