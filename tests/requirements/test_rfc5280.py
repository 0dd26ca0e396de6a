"""The set rfc5280 detects the defects of zlint's RFC 5280 lints: a small certificate or CRL for each."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pkigen.asn1 import der, oids
from pkigen.requirements import CheckInput, PublishedCrl, findings, load_set
from pkigen.x509 import CertificateList
from tests.requirements.certificate_builder import (
    DAY,
    NOW,
    SHA256_RSA,
    Made,
    constraints,
    crl_point,
    extension,
    name,
    purposes,
    san,
    usage,
)

RSA_WITHOUT_NULL = der.sequence(der.oid("1.2.840.113549.1.1.11"))
IDENTIFIER = bytes(range(20))
AKI = extension(oids.AUTHORITY_KEY_IDENTIFIER, der.sequence(der.tlv(0x80, IDENTIFIER)))
SKI = extension(oids.SUBJECT_KEY_IDENTIFIER, der.octet_string(IDENTIFIER))
DNS = san(der.tlv(0x82, b"host.example.test"))
LEAF = (SKI, AKI, usage("digitalSignature"), DNS)
CA = (SKI, AKI, usage("keyCertSign", "cRLSign"), constraints(der.boolean(True)))
EMPTY = der.sequence()


def _violated(certificate: Made, *, authority: bool = False) -> set[str]:
    """Return the ids of the requirements that a certificate violates."""
    subject = certificate.shown(authority=authority)
    return {one.requirement.id for one in findings(load_set("rfc5280"), subject) if one.failed}


def _leaf(*extensions: bytes, without: str = "") -> Made:
    """Return an end-entity certificate with further extensions, and without those of an OID."""
    kept = (one for one in LEAF if not without or der.oid(without) not in one)
    return Made(extensions=(*kept, *extensions))


def _ca(*extensions: bytes, without: str = "") -> Made:
    kept = (one for one in CA if not without or der.oid(without) not in one)
    return Made(extensions=(*kept, *extensions))


def _value(oid: str, value: bytes, *, critical: bool = False, without: str = "") -> Made:
    return _leaf(extension(oid, value, critical=critical), without=without)


def _ca_value(oid: str, value: bytes, *, critical: bool = False, without: str = "") -> Made:
    return _ca(extension(oid, value, critical=critical), without=without)


def _names(oid: str, *names: bytes) -> Made:
    without = oid if oid == oids.SUBJECT_ALTERNATIVE_NAME else ""
    return _value(oid, der.sequence(*names), without=without)


def _subject(oid: str, tag: int, text: bytes) -> Made:
    attribute = der.set_of(der.sequence(der.oid(oid), der.tlv(tag, text)))
    return Made(subject=der.sequence(attribute), extensions=LEAF)


def _issuer(oid: str, tag: int, text: bytes) -> Made:
    attribute = der.set_of(der.sequence(der.oid(oid), der.tlv(tag, text)))
    return Made(issuer=der.sequence(attribute), extensions=LEAF)


def _times(tag: int, text: bytes) -> Made:
    return Made(times=der.sequence(der.time(NOW - DAY), der.tlv(tag, text)), extensions=LEAF)


def _usage_value(value: bytes) -> Made:
    return _value(oids.KEY_USAGE, value, critical=True, without=oids.KEY_USAGE)


def _policies(*policies: bytes) -> Made:
    return _value(oids.CERTIFICATE_POLICIES, der.sequence(*policies))


def _notice(text: bytes) -> bytes:
    qualifier = der.sequence(der.oid(oids.USER_NOTICE), der.sequence(text))
    return der.sequence(der.oid("1.2.3.4"), der.sequence(qualifier))


def _constraint(*parts: bytes) -> Made:
    return _ca_value(oids.NAME_CONSTRAINTS, der.sequence(der.tlv(0xA0, der.sequence(*parts))), critical=True)


def _mapping(issuer: str, subject: str) -> Made:
    pair = der.sequence(der.oid(issuer), der.oid(subject))
    return _ca_value(oids.POLICY_MAPPINGS, der.sequence(pair), critical=True)


def _key_without_null() -> bytes:
    algorithm, bits = der.children(Made().key)
    return der.sequence(der.sequence(der.children(algorithm)[0]), bits)


NAME = der.tlv(0x82, b"example.test")
POLICY = der.sequence(der.oid("1.2.3.4"))
ANY_WITH_QUALIFIER = der.sequence(
    der.oid(oids.ANY_POLICY), der.sequence(der.sequence(der.oid("1.2.3.5"), der.null()))
)
LOCATION = der.sequence(der.oid(oids.CA_ISSUERS_ACCESS), der.tlv(0x86, b"http://a.test/ca.crt"))
POINTS = der.sequence(der.sequence(der.tlv(0xA0, der.tlv(0xA0, der.tlv(0x86, b"http://a.test/a.crl")))))
SAN, IAN = oids.SUBJECT_ALTERNATIVE_NAME, oids.ISSUER_ALTERNATIVE_NAME
ALTERNATIVE_NAMES = {
    "dns_empty_label": der.tlv(0x82, b"a..test"),
    "dns_hyphen": der.tlv(0x82, b"-a.test"),
    "dns_label_too_long": der.tlv(0x82, b"a" * 64 + b".test"),
    "dns_underscore": der.tlv(0x82, b"a_b.test"),
    "dns_too_long": der.tlv(0x82, b"a." * 125 + b"test"),
    "dns_not_ia5_string": der.tlv(0x82, "bücher.test".encode()),
    "dns_space": der.tlv(0x82, b" "),
    "dns_not_unicode": der.tlv(0x82, b"xn--99999999999.test"),
    "empty_name": der.tlv(0x81),
    "email_in_brackets": der.tlv(0x81, b"<a@b.test>"),
    "email_with_comment": der.tlv(0x81, b"a@b.test (work)"),
    "uri_relative": der.tlv(0x86, b"/a/b"),
    "uri_without_scheme": der.tlv(0x86, b"a.test/b"),
    "uri_without_specific_part": der.tlv(0x86, b"http:"),
    "uri_host_not_fqdn": der.tlv(0x86, b"http://a_b/x"),
    "uri_host_wildcard": der.tlv(0x86, b"http://a.*.test/"),
    "uri_not_ia5_string": der.tlv(0x86, "http://bücher.test/".encode()),
    "ip_with_mask": der.tlv(0x87, bytes(8)),
}
CERTIFICATES: dict[str, tuple[str, Made]] = {
    "basic_constr_invalid_der": ("der-encoding", _leaf(constraints(der.boolean(False)))),
    "cert_ext_invalid_der": (
        "der-encoding",
        _leaf(der.sequence(der.oid("1.2.3.4"), der.boolean(False), der.octet_string(der.null()))),
    ),
    "boolean_true_not_ff": (
        "der-encoding",
        _leaf(der.sequence(der.oid(IAN), b"\x01\x01\x01", der.octet_string(der.sequence(NAME)))),
    ),
    "incorrect_ku_encoding": ("der-encoding", _usage_value(b"\x03\x02\x00\x80")),
    "key_usage_incorrect_length": ("der-encoding", _usage_value(b"\x03\x03\x06\x80\x40")),
    "superfluous_ku_encoding": ("der-encoding", _usage_value(b"\x03\x03\x00\x80\x00")),
    "spki_rsa_encryption_parameter_not_null": (
        "rsa-null",
        Made(key=_key_without_null(), extensions=LEAF),
    ),
    "tbs_signature_rsa_encryption_parameter_not_null": (
        "rsa-null",
        Made(algorithm=RSA_WITHOUT_NULL, extensions=LEAF),
    ),
    "cert_sig_alg_not_match_tbs_sig_alg": (
        "algorithms-agree",
        Made(outer=der.sequence(der.oid("1.2.840.113549.1.1.5"), der.null()), extensions=LEAF),
    ),
    "cert_extensions_version_not_3": ("version-3", Made(version=2, extensions=LEAF)),
    "cert_unique_identifier_version_not_2_or_3": (
        "version-3",
        Made(version=1, identifiers=der.tlv(0x81, b"\0\1")),
    ),
    "cert_contains_unique_identifier": (
        "no-unique-identifiers",
        Made(identifiers=der.tlv(0x82, b"\0\1"), extensions=LEAF),
    ),
    "serial_number_not_positive": ("serial-positive", Made(serial=der.integer(-1), extensions=LEAF)),
    "serial_number_longer_than_20_octets": (
        "serial-20-octets",
        Made(serial=der.integer(1 << 160), extensions=LEAF),
    ),
    "issuer_field_empty": ("issuer-not-empty", Made(issuer=name(), extensions=LEAF)),
    "subject_empty_without_san": ("issuer-not-empty", Made(subject=name(), extensions=LEAF[:3])),
    "ext_san_not_critical_without_subject": ("issuer-not-empty", Made(subject=name(), extensions=LEAF)),
    "utc_time_does_not_include_seconds": ("validity-form", _times(der.UTC_TIME, b"2701010000Z")),
    "utc_time_not_in_zulu": ("validity-form", _times(der.UTC_TIME, b"270101000000+0100")),
    "generalized_time_not_in_zulu": ("validity-form", _times(der.GENERALIZED_TIME, b"20510101000000+0100")),
    "generalized_time_does_not_include_seconds": (
        "validity-form",
        _times(der.GENERALIZED_TIME, b"205101010000Z"),
    ),
    "generalized_time_includes_fraction_seconds": (
        "validity-form",
        _times(der.GENERALIZED_TIME, b"20510101000000.5Z"),
    ),
    "wrong_time_format_pre2050": ("validity-form", _times(der.GENERALIZED_TIME, b"20270101000000Z")),
    "subject_dn_country_not_printable_string": (
        "name-string-types",
        _subject("2.5.4.6", der.UTF8_STRING, b"US"),
    ),
    "issuer_dn_country_not_printable_string": (
        "name-string-types",
        _issuer("2.5.4.6", der.UTF8_STRING, b"US"),
    ),
    "subject_dn_serial_number_not_printable_string": (
        "name-string-types",
        _subject("2.5.4.5", der.UTF8_STRING, b"1"),
    ),
    "subject_printable_string_badalpha": (
        "name-string-types",
        _subject("2.5.4.3", der.PRINTABLE_STRING, b"*.a.test"),
    ),
    "subject_dn_not_printable_characters": (
        "name-string-types",
        _subject("2.5.4.10", der.UTF8_STRING, "a\x96b".encode()),
    ),
    **{
        f"{lint}_max_length": ("name-lengths", _subject(oid, tag, b"a" * (bound + 1)))
        for lint, oid, tag, bound in (
            ("subject_common_name", "2.5.4.3", der.UTF8_STRING, 64),
            ("subject_dn_serial_number", "2.5.4.5", der.PRINTABLE_STRING, 64),
            ("subject_email", "1.2.840.113549.1.9.1", der.IA5_STRING, 255),
            ("subject_given_name", "2.5.4.42", der.UTF8_STRING, 32768),
            ("subject_locality_name", "2.5.4.7", der.UTF8_STRING, 128),
            ("subject_organization_name", "2.5.4.10", der.UTF8_STRING, 64),
            ("subject_organizational_unit_name", "2.5.4.11", der.UTF8_STRING, 64),
            ("subject_postal_code", "2.5.4.17", der.UTF8_STRING, 16),
            ("subject_state_name", "2.5.4.8", der.UTF8_STRING, 128),
            ("subject_street_address", "2.5.4.9", der.UTF8_STRING, 128),
            ("subject_surname", "2.5.4.4", der.UTF8_STRING, 32768),
            ("subject_country", "2.5.4.6", der.PRINTABLE_STRING, 2),
        )
    },
    "subj_email_not_in_san": ("san-email", _subject("1.2.840.113549.1.9.1", der.IA5_STRING, b"a@b.test")),
    **{f"ext_san_{lint}": ("san-syntax", _names(SAN, value)) for lint, value in ALTERNATIVE_NAMES.items()},
    **{f"ext_ian_{lint}": ("ian-syntax", _names(IAN, value)) for lint, value in ALTERNATIVE_NAMES.items()},
    "ext_san_no_entries": ("san-not-empty", _names(SAN)),
    **{
        f"ext_cannot_be_empty_sequence-{oid}": ("extension-not-empty", _value(oid, EMPTY, without=oid))
        for oid in (
            oids.CERTIFICATE_POLICIES,
            SAN,
            IAN,
            oids.SUBJECT_DIRECTORY_ATTRIBUTES,
            oids.EXTENDED_KEY_USAGE,
            oids.CRL_DISTRIBUTION_POINTS,
            oids.FRESHEST_CRL,
            oids.AUTHORITY_INFORMATION_ACCESS,
            oids.SUBJECT_INFORMATION_ACCESS,
        )
    },
    "ext_aia_marked_critical": (
        "aia-not-critical",
        _value(oids.AUTHORITY_INFORMATION_ACCESS, der.sequence(LOCATION), critical=True),
    ),
    "subject_info_access_marked_critical": (
        "extension-not-critical",
        _value(oids.SUBJECT_INFORMATION_ACCESS, der.sequence(LOCATION), critical=True),
    ),
    "ext_freshest_crl_marked_critical": (
        "extension-not-critical",
        _value(oids.FRESHEST_CRL, POINTS, critical=True),
    ),
    "ext_subject_directory_attr_critical": (
        "extension-not-critical",
        _value(oids.SUBJECT_DIRECTORY_ATTRIBUTES, der.sequence(POLICY), critical=True),
    ),
    "ext_ian_critical": ("ian-not-critical", _value(IAN, der.sequence(NAME), critical=True)),
    "ext_crl_distribution_marked_critical": (
        "crl-point-not-critical",
        _leaf(crl_point("http://a.test/a.crl", critical=True)),
    ),
    "distribution_point_incomplete": (
        "crl-point-complete",
        _value(oids.CRL_DISTRIBUTION_POINTS, der.sequence(der.sequence(der.tlv(0x81, b"\x06\x40")))),
    ),
    "ext_authority_key_identifier_critical": (
        "authority-key-identifier",
        _value(
            oids.AUTHORITY_KEY_IDENTIFIER,
            der.sequence(der.tlv(0x80, IDENTIFIER)),
            critical=True,
            without=oids.AUTHORITY_KEY_IDENTIFIER,
        ),
    ),
    "ext_authority_key_identifier_missing": (
        "authority-key-identifier",
        _leaf(without=oids.AUTHORITY_KEY_IDENTIFIER),
    ),
    "ext_authority_key_identifier_no_key_identifier": (
        "key-identifier",
        _value(oids.AUTHORITY_KEY_IDENTIFIER, EMPTY, without=oids.AUTHORITY_KEY_IDENTIFIER),
    ),
    "ext_subject_key_identifier_critical": (
        "subject-key-identifier",
        _value(
            oids.SUBJECT_KEY_IDENTIFIER,
            der.octet_string(IDENTIFIER),
            critical=True,
            without=oids.SUBJECT_KEY_IDENTIFIER,
        ),
    ),
    "ext_duplicate_extension": ("extension-once", _leaf(DNS)),
    "ext_cert_policy_duplicate": ("policies", _policies(POLICY, POLICY)),
    "ext_cert_policy_disallowed_any_policy_qualifier": ("policies", _policies(ANY_WITH_QUALIFIER)),
    "ext_cert_policy_explicit_text_ia5_string": (
        "policies",
        _policies(_notice(der.string(der.IA5_STRING, "a"))),
    ),
    "ext_cert_policy_explicit_text_too_long": (
        "policies",
        _policies(_notice(der.string(der.UTF8_STRING, "a" * 201))),
    ),
    "ext_key_usage_cert_sign_without_ca": (
        "key-usage-no-certsign",
        _leaf(usage("keyCertSign"), without=oids.KEY_USAGE),
    ),
    "ext_key_usage_without_bits": ("key-usage-some", _leaf(usage(), without=oids.KEY_USAGE)),
    "ext_key_usage_not_critical": (
        "key-usage-critical",
        _leaf(usage("digitalSignature", critical=False), without=oids.KEY_USAGE),
    ),
    "key_usage_and_extended_key_usage_inconsistent": (
        "key-usage-consistent",
        _leaf(usage("digitalSignature", "nonRepudiation"), purposes("serverAuth"), without=oids.KEY_USAGE),
    ),
    "ext_name_constraints_not_in_ca": (
        "ca-only-extensions",
        _value(oids.NAME_CONSTRAINTS, der.sequence(der.tlv(0xA0, der.sequence(NAME))), critical=True),
    ),
    "path_len_constraint_improperly_included": ("no-path-length", _leaf(constraints(der.integer(0)))),
    "readable": ("extension-readable", _value(oids.INHIBIT_ANY_POLICY, b"\x30\x05\x01")),
}
AUTHORITIES: dict[str, tuple[str, Made]] = {
    "basic_constraints_not_critical": (
        "ca-basic-constraints",
        _ca(constraints(der.boolean(True), critical=False), without=oids.BASIC_CONSTRAINTS),
    ),
    "ca_subject_field_empty": ("ca-subject", Made(subject=name(), extensions=CA)),
    "ext_subject_key_identifier_missing_ca": (
        "ca-subject-key-identifier",
        _ca(without=oids.SUBJECT_KEY_IDENTIFIER),
    ),
    "ext_subject_key_identifier_critical": (
        "ca-subject-key-identifier",
        _ca_value(
            oids.SUBJECT_KEY_IDENTIFIER,
            der.octet_string(IDENTIFIER),
            critical=True,
            without=oids.SUBJECT_KEY_IDENTIFIER,
        ),
    ),
    "ext_name_constraints_not_critical": (
        "ca-critical-extensions",
        _ca_value(oids.NAME_CONSTRAINTS, der.sequence(der.tlv(0xA0, der.sequence(NAME)))),
    ),
    "ext_policy_constraints_not_critical": (
        "ca-critical-extensions",
        _ca_value(oids.POLICY_CONSTRAINTS, der.sequence(der.tlv(0x80, b"\0"))),
    ),
    "inhibit_any_policy_not_critical": (
        "ca-critical-extensions",
        _ca_value(oids.INHIBIT_ANY_POLICY, der.integer(0)),
    ),
    "ext_policy_map_not_critical": (
        "ca-policy-mappings-critical",
        _ca_value(oids.POLICY_MAPPINGS, der.sequence(der.sequence(der.oid("1.2.3.4"), der.oid("1.2.3.5")))),
    ),
    "ext_policy_map_any_policy-from": ("ca-policy-mappings", _mapping(oids.ANY_POLICY, "1.2.3.4")),
    "ext_policy_map_any_policy-to": ("ca-policy-mappings", _mapping("1.2.3.4", oids.ANY_POLICY)),
    "ext_policy_constraints_empty": (
        "extension-not-empty",
        _ca_value(oids.POLICY_CONSTRAINTS, EMPTY, critical=True),
    ),
    "ext_cannot_be_empty_sequence-mappings": (
        "extension-not-empty",
        _ca_value(oids.POLICY_MAPPINGS, EMPTY, critical=True),
    ),
    "name_constraint_empty": ("name-constraints", _ca_value(oids.NAME_CONSTRAINTS, EMPTY, critical=True)),
    "name_constraint_empty-list": (
        "name-constraints",
        _ca_value(oids.NAME_CONSTRAINTS, der.sequence(der.tlv(0xA0)), critical=True),
    ),
    "name_constraint_minimum_non_zero": ("name-constraints", _constraint(NAME, der.tlv(0x80, b"\1"))),
    "name_constraint_maximum_not_absent": ("name-constraints", _constraint(NAME, der.tlv(0x81, b"\1"))),
    "name_constraint_not_fqdn": ("name-constraints", _constraint(der.tlv(0x86, b"host"))),
    "path_len_constraint_zero_or_less": (
        "ca-path-length",
        _ca(constraints(der.boolean(True), der.integer(-1)), without=oids.BASIC_CONSTRAINTS),
    ),
    "path_len_constraint_improperly_included": (
        "no-path-length",
        Made(
            extensions=(SKI, AKI, usage("cRLSign"), constraints(der.boolean(True), der.integer(0))),
        ),
    ),
}


@pytest.mark.parametrize(("requirement", "certificate"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_certificate_with_the_defect_of_a_lint_violates_the_requirement(
    requirement: str, certificate: Made
) -> None:
    assert requirement in _violated(certificate)


@pytest.mark.parametrize(("requirement", "certificate"), AUTHORITIES.values(), ids=AUTHORITIES)
def test_a_ca_certificate_with_the_defect_of_a_lint_violates_the_requirement(
    requirement: str, certificate: Made
) -> None:
    assert requirement in _violated(certificate, authority=True)


VALID = {
    "alternative names": _leaf(
        san(
            *(der.tlv(0x82, text) for text in (b"*.a.test", b"xn--bcher-kva.test", b"a" * 63 + b".test")),
            *(der.tlv(0x86, text) for text in (b"urn:a:b", b"https://*.a.test:1/x?y", b"opc.tcp://[::1]/x")),
            der.tlv(0x86, b"http://10.0.0.1/"),
            der.tlv(0x81, b"a.b@c.test"),
            der.tlv(0x87, bytes(16)),
            der.tlv(0x88, b"\x2a\x03"),
        ),
        without=SAN,
    ),
    "policies": _policies(
        POLICY, _notice(der.string(der.BMP_STRING, "ä" * 200)).replace(b"\x03\x04", b"\x03\x05")
    ),
    "two purposes": _leaf(
        usage("digitalSignature", "keyEncipherment"),
        purposes("serverAuth", "clientAuth"),
        without=oids.KEY_USAGE,
    ),
    "any purpose": _leaf(usage("dataEncipherment"), purposes("any", "clientAuth"), without=oids.KEY_USAGE),
    "upper bound": _subject("2.5.4.3", der.UTF8_STRING, "ä".encode() * 64),
    "teletex": _subject("2.5.4.10", der.TELETEX_STRING, b"a\xe4b"),
    "country": _issuer("2.5.4.6", der.PRINTABLE_STRING, b"US"),
    "version 1": Made(version=1),
    "distribution point": _leaf(crl_point("http://a.test/a.crl")),
    "unknown extension": _value("1.2.3.4", b"\xff"),
}


@pytest.mark.parametrize("certificate", VALID.values(), ids=VALID)
def test_a_valid_certificate_violates_nothing(certificate: Made) -> None:
    missing = {"subject-key-identifier", "authority-key-identifier"} if not certificate.extensions else set()
    assert _violated(certificate) == missing


@pytest.mark.parametrize(
    "certificate",
    [
        _ca(),
        _constraint(der.tlv(0x86, b".a.test")),
        _constraint(der.tlv(0x82)),
        _constraint(der.tlv(0x87, bytes(8)), der.tlv(0x80, b"\0")),
        _ca(constraints(der.boolean(True), der.integer(0)), without=oids.BASIC_CONSTRAINTS),
    ],
)
def test_a_valid_ca_certificate_violates_nothing(certificate: Made) -> None:
    assert _violated(certificate, authority=True) == set()


def _crl(*entries: bytes, algorithm: bytes = SHA256_RSA, **fields: bytes) -> CertificateList:
    key = der.sequence(
        der.oid(oids.AUTHORITY_KEY_IDENTIFIER), der.octet_string(der.sequence(der.tlv(0x80, b"1")))
    )
    number = der.sequence(der.oid(oids.CRL_NUMBER), der.octet_string(der.integer(1)))
    parts = {
        "version": der.integer(1),
        "algorithm": algorithm,
        "issuer": name(("CN", "CA")),
        "this_update": der.time(NOW),
        "next_update": der.time(NOW + DAY),
        "revoked": der.sequence(*entries) if entries else b"",
        "extensions": der.explicit(0, der.sequence(key, number)),
    }
    tbs = der.sequence(*{**parts, **fields}.values())
    return CertificateList(der.sequence(tbs, algorithm, der.bit_string(b"\0")))


def _entry(at: datetime, *extensions: bytes) -> bytes:
    return der.sequence(der.integer(1), der.time(at), *([der.sequence(*extensions)] if extensions else []))


def _reason(code: int) -> bytes:
    return der.sequence(der.oid(oids.CRL_REASON), der.octet_string(der.tlv(0x0A, bytes((code,)))))


def _violated_by(crl: CertificateList) -> set[str]:
    """Return the requirements about CRLs that the CRL at a certificate's distribution point violates."""
    certificate = _leaf(crl_point("http://a.test/a.crl")).shown().certificate
    subject = CheckInput(now=NOW, certificate=certificate, look=lambda url: PublishedCrl(crl))
    every = (one for one in findings(load_set("rfc5280"), subject) if one.requirement.kind == "crl")
    return {one.requirement.id for one in every if one.failed}


CRLS = {
    "crl_empty_revoked_certificates": ("crl-no-empty-list", _crl(revoked=EMPTY)),
    "crl_has_authority_key_identifier": ("crl-key-identifier", _crl(extensions=b"")),
    "crl_missing_crl_number": ("crl-number", _crl(extensions=b"")),
    "crl_has_next_update": ("crl-next-update", _crl(next_update=b"")),
    "crl_version": ("crl-version-2", _crl(version=b"")),
    "crl_revocation_time_after_this_update": ("crl-entries", _crl(_entry(NOW + DAY))),
    "crl_has_valid_reason_code": ("crl-entries", _crl(_entry(NOW, _reason(7)))),
    "crl_sigalgo_missing_null_params": ("crl-rsa-null", _crl(algorithm=RSA_WITHOUT_NULL)),
}


@pytest.mark.parametrize(("requirement", "crl"), CRLS.values(), ids=CRLS)
def test_a_crl_with_the_defect_of_a_lint_violates_the_requirement(
    requirement: str, crl: CertificateList
) -> None:
    assert requirement in _violated_by(crl)


def test_a_valid_crl_violates_nothing() -> None:
    assert _violated_by(_crl()) == set()
    early = datetime(2026, 1, 1, tzinfo=UTC)
    assert _violated_by(_crl(_entry(NOW), _entry(early, _reason(2)), _entry(early, _reason(10)))) == set()
