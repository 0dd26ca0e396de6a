"""The set rfc5280 detects the defects of zlint's RFC 5280 lints: a small certificate or CRL for each."""

from __future__ import annotations

import pytest

from pkigen.asn1 import der, oids
from pkigen.requirements import findings, load_set
from tests.requirements.certificate_builder import (
    Made,
    constraints,
    crl_point,
    name,
    purposes,
    san,
    usage,
)
from tests.requirements.rfc5280_certificates import (
    AKI,
    ALTERNATIVE_NAMES,
    ANY_WITH_QUALIFIER,
    CA,
    DNS,
    EMPTY,
    IAN,
    IDENTIFIER,
    LEAF,
    LOCATION,
    NAME,
    POINTS,
    POLICY,
    RSA_WITHOUT_NULL,
    SAN,
    SKI,
    ca,
    ca_with,
    key_without_null,
    leaf,
    leaf_with,
    notice,
    with_constraint,
    with_issuer,
    with_mapping,
    with_names,
    with_policies,
    with_subject,
    with_times,
    with_usage,
)


def _violated(certificate: Made, *, authority: bool = False) -> set[str]:
    """Return the ids of the requirements that a certificate violates."""
    subject = certificate.check_input(authority=authority)
    return {one.requirement.id for one in findings(load_set("rfc5280"), subject) if one.failed}


CERTIFICATES: dict[str, tuple[str, Made]] = {
    "basic_constr_invalid_der": ("der-encoding", leaf(constraints(der.boolean(False)))),
    "cert_ext_invalid_der": (
        "der-encoding",
        leaf(der.sequence(der.oid("1.2.3.4"), der.boolean(False), der.octet_string(der.null()))),
    ),
    "boolean_true_not_ff": (
        "der-encoding",
        leaf(der.sequence(der.oid(IAN), b"\x01\x01\x01", der.octet_string(der.sequence(NAME)))),
    ),
    "incorrect_ku_encoding": ("der-encoding", with_usage(b"\x03\x02\x00\x80")),
    "key_usage_incorrect_length": ("der-encoding", with_usage(b"\x03\x03\x06\x80\x40")),
    "superfluous_ku_encoding": ("der-encoding", with_usage(b"\x03\x03\x00\x80\x00")),
    "spki_rsa_encryption_parameter_not_null": (
        "rsa-null",
        Made(key=key_without_null(), extensions=LEAF),
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
    "utc_time_does_not_include_seconds": ("validity-form", with_times(der.UTC_TIME, b"2701010000Z")),
    "utc_time_not_in_zulu": ("validity-form", with_times(der.UTC_TIME, b"270101000000+0100")),
    "generalized_time_not_in_zulu": (
        "validity-form",
        with_times(der.GENERALIZED_TIME, b"20510101000000+0100"),
    ),
    "generalized_time_does_not_include_seconds": (
        "validity-form",
        with_times(der.GENERALIZED_TIME, b"205101010000Z"),
    ),
    "generalized_time_includes_fraction_seconds": (
        "validity-form",
        with_times(der.GENERALIZED_TIME, b"20510101000000.5Z"),
    ),
    "wrong_time_format_pre2050": ("validity-form", with_times(der.GENERALIZED_TIME, b"20270101000000Z")),
    "subject_dn_country_not_printable_string": (
        "name-string-types",
        with_subject("2.5.4.6", der.UTF8_STRING, b"US"),
    ),
    "issuer_dn_country_not_printable_string": (
        "name-string-types",
        with_issuer("2.5.4.6", der.UTF8_STRING, b"US"),
    ),
    "subject_dn_serial_number_not_printable_string": (
        "name-string-types",
        with_subject("2.5.4.5", der.UTF8_STRING, b"1"),
    ),
    "subject_printable_string_badalpha": (
        "name-string-types",
        with_subject("2.5.4.3", der.PRINTABLE_STRING, b"*.a.test"),
    ),
    "subject_dn_not_printable_characters": (
        "name-string-types",
        with_subject("2.5.4.10", der.UTF8_STRING, "a\x96b".encode()),
    ),
    **{
        f"{lint}_max_length": ("name-lengths", with_subject(oid, tag, b"a" * (bound + 1)))
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
    "subj_email_not_in_san": ("san-email", with_subject("1.2.840.113549.1.9.1", der.IA5_STRING, b"a@b.test")),
    **{
        f"ext_san_{lint}": ("san-syntax", with_names(SAN, value)) for lint, value in ALTERNATIVE_NAMES.items()
    },
    **{
        f"ext_ian_{lint}": ("ian-syntax", with_names(IAN, value)) for lint, value in ALTERNATIVE_NAMES.items()
    },
    "ext_san_no_entries": ("san-not-empty", with_names(SAN)),
    **{
        f"ext_cannot_be_empty_sequence-{oid}": ("extension-not-empty", leaf_with(oid, EMPTY, without=oid))
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
        leaf_with(oids.AUTHORITY_INFORMATION_ACCESS, der.sequence(LOCATION), critical=True),
    ),
    "subject_info_access_marked_critical": (
        "extension-not-critical",
        leaf_with(oids.SUBJECT_INFORMATION_ACCESS, der.sequence(LOCATION), critical=True),
    ),
    "ext_freshest_crl_marked_critical": (
        "extension-not-critical",
        leaf_with(oids.FRESHEST_CRL, POINTS, critical=True),
    ),
    "ext_subject_directory_attr_critical": (
        "extension-not-critical",
        leaf_with(oids.SUBJECT_DIRECTORY_ATTRIBUTES, der.sequence(POLICY), critical=True),
    ),
    "ext_ian_critical": ("ian-not-critical", leaf_with(IAN, der.sequence(NAME), critical=True)),
    "ext_crl_distribution_marked_critical": (
        "crl-point-not-critical",
        leaf(crl_point("http://a.test/a.crl", critical=True)),
    ),
    "distribution_point_incomplete": (
        "crl-point-complete",
        leaf_with(oids.CRL_DISTRIBUTION_POINTS, der.sequence(der.sequence(der.tlv(0x81, b"\x06\x40")))),
    ),
    "ext_authority_key_identifier_critical": (
        "authority-key-identifier",
        leaf_with(
            oids.AUTHORITY_KEY_IDENTIFIER,
            der.sequence(der.tlv(0x80, IDENTIFIER)),
            critical=True,
            without=oids.AUTHORITY_KEY_IDENTIFIER,
        ),
    ),
    "ext_authority_key_identifier_missing": (
        "authority-key-identifier",
        leaf(without=oids.AUTHORITY_KEY_IDENTIFIER),
    ),
    "ext_authority_key_identifier_no_key_identifier": (
        "key-identifier",
        leaf_with(oids.AUTHORITY_KEY_IDENTIFIER, EMPTY, without=oids.AUTHORITY_KEY_IDENTIFIER),
    ),
    "ext_subject_key_identifier_critical": (
        "subject-key-identifier",
        leaf_with(
            oids.SUBJECT_KEY_IDENTIFIER,
            der.octet_string(IDENTIFIER),
            critical=True,
            without=oids.SUBJECT_KEY_IDENTIFIER,
        ),
    ),
    "ext_duplicate_extension": ("extension-once", leaf(DNS)),
    "ext_cert_policy_duplicate": ("policies", with_policies(POLICY, POLICY)),
    "ext_cert_policy_disallowed_any_policy_qualifier": ("policies", with_policies(ANY_WITH_QUALIFIER)),
    "ext_cert_policy_explicit_text_ia5_string": (
        "policies",
        with_policies(notice(der.string(der.IA5_STRING, "a"))),
    ),
    "ext_cert_policy_explicit_text_too_long": (
        "policies",
        with_policies(notice(der.string(der.UTF8_STRING, "a" * 201))),
    ),
    "ext_key_usage_cert_sign_without_ca": (
        "key-usage-no-certsign",
        leaf(usage("keyCertSign"), without=oids.KEY_USAGE),
    ),
    "ext_key_usage_without_bits": ("key-usage-some", leaf(usage(), without=oids.KEY_USAGE)),
    "ext_key_usage_not_critical": (
        "key-usage-critical",
        leaf(usage("digitalSignature", critical=False), without=oids.KEY_USAGE),
    ),
    "key_usage_and_extended_key_usage_inconsistent": (
        "key-usage-consistent",
        leaf(usage("digitalSignature", "nonRepudiation"), purposes("serverAuth"), without=oids.KEY_USAGE),
    ),
    "ext_name_constraints_not_in_ca": (
        "ca-only-extensions",
        leaf_with(oids.NAME_CONSTRAINTS, der.sequence(der.tlv(0xA0, der.sequence(NAME))), critical=True),
    ),
    "path_len_constraint_improperly_included": ("no-path-length", leaf(constraints(der.integer(0)))),
    "readable": ("extension-readable", leaf_with(oids.INHIBIT_ANY_POLICY, b"\x30\x05\x01")),
}
AUTHORITIES: dict[str, tuple[str, Made]] = {
    "basic_constraints_not_critical": (
        "ca-basic-constraints",
        ca(constraints(der.boolean(True), critical=False), without=oids.BASIC_CONSTRAINTS),
    ),
    "ca_subject_field_empty": ("ca-subject", Made(subject=name(), extensions=CA)),
    "ext_subject_key_identifier_missing_ca": (
        "ca-subject-key-identifier",
        ca(without=oids.SUBJECT_KEY_IDENTIFIER),
    ),
    "ext_subject_key_identifier_critical": (
        "ca-subject-key-identifier",
        ca_with(
            oids.SUBJECT_KEY_IDENTIFIER,
            der.octet_string(IDENTIFIER),
            critical=True,
            without=oids.SUBJECT_KEY_IDENTIFIER,
        ),
    ),
    "ext_name_constraints_not_critical": (
        "ca-critical-extensions",
        ca_with(oids.NAME_CONSTRAINTS, der.sequence(der.tlv(0xA0, der.sequence(NAME)))),
    ),
    "ext_policy_constraints_not_critical": (
        "ca-critical-extensions",
        ca_with(oids.POLICY_CONSTRAINTS, der.sequence(der.tlv(0x80, b"\0"))),
    ),
    "inhibit_any_policy_not_critical": (
        "ca-critical-extensions",
        ca_with(oids.INHIBIT_ANY_POLICY, der.integer(0)),
    ),
    "ext_policy_map_not_critical": (
        "ca-policy-mappings-critical",
        ca_with(oids.POLICY_MAPPINGS, der.sequence(der.sequence(der.oid("1.2.3.4"), der.oid("1.2.3.5")))),
    ),
    "ext_policy_map_any_policy-from": ("ca-policy-mappings", with_mapping(oids.ANY_POLICY, "1.2.3.4")),
    "ext_policy_map_any_policy-to": ("ca-policy-mappings", with_mapping("1.2.3.4", oids.ANY_POLICY)),
    "ext_policy_constraints_empty": (
        "extension-not-empty",
        ca_with(oids.POLICY_CONSTRAINTS, EMPTY, critical=True),
    ),
    "ext_cannot_be_empty_sequence-mappings": (
        "extension-not-empty",
        ca_with(oids.POLICY_MAPPINGS, EMPTY, critical=True),
    ),
    "name_constraint_empty": ("name-constraints", ca_with(oids.NAME_CONSTRAINTS, EMPTY, critical=True)),
    "name_constraint_empty-list": (
        "name-constraints",
        ca_with(oids.NAME_CONSTRAINTS, der.sequence(der.tlv(0xA0)), critical=True),
    ),
    "name_constraint_minimum_non_zero": ("name-constraints", with_constraint(NAME, der.tlv(0x80, b"\1"))),
    "name_constraint_maximum_not_absent": ("name-constraints", with_constraint(NAME, der.tlv(0x81, b"\1"))),
    "name_constraint_not_fqdn": ("name-constraints", with_constraint(der.tlv(0x86, b"host"))),
    "path_len_constraint_zero_or_less": (
        "ca-path-length",
        ca(constraints(der.boolean(True), der.integer(-1)), without=oids.BASIC_CONSTRAINTS),
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
    "alternative names": leaf(
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
    "policies": with_policies(
        POLICY, notice(der.string(der.BMP_STRING, "ä" * 200)).replace(b"\x03\x04", b"\x03\x05")
    ),
    "two purposes": leaf(
        usage("digitalSignature", "keyEncipherment"),
        purposes("serverAuth", "clientAuth"),
        without=oids.KEY_USAGE,
    ),
    "any purpose": leaf(usage("dataEncipherment"), purposes("any", "clientAuth"), without=oids.KEY_USAGE),
    "upper bound": with_subject("2.5.4.3", der.UTF8_STRING, "ä".encode() * 64),
    "teletex": with_subject("2.5.4.10", der.TELETEX_STRING, b"a\xe4b"),
    "country": with_issuer("2.5.4.6", der.PRINTABLE_STRING, b"US"),
    "version 1": Made(version=1),
    "distribution point": leaf(crl_point("http://a.test/a.crl")),
    "unknown extension": leaf_with("1.2.3.4", b"\xff"),
}


@pytest.mark.parametrize("certificate", VALID.values(), ids=VALID)
def test_a_valid_certificate_violates_nothing(certificate: Made) -> None:
    missing = {"subject-key-identifier", "authority-key-identifier"} if not certificate.extensions else set()
    assert _violated(certificate) == missing


@pytest.mark.parametrize(
    "certificate",
    [
        ca(),
        with_constraint(der.tlv(0x86, b".a.test")),
        with_constraint(der.tlv(0x82)),
        with_constraint(der.tlv(0x87, bytes(8)), der.tlv(0x80, b"\0")),
        ca(constraints(der.boolean(True), der.integer(0)), without=oids.BASIC_CONSTRAINTS),
    ],
)
def test_a_valid_ca_certificate_violates_nothing(certificate: Made) -> None:
    assert _violated(certificate, authority=True) == set()
