"""Every kind of demand at its boundaries, on certificates made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkigen.asn1 import der, oids
from pkigen.requirements import (
    CheckInput,
    Demand,
    RequirementSet,
    Status,
    findings,
)
from pkigen.requirements.demands import KINDS
from tests.requirements.certificate_builder import (
    DAY,
    ED25519,
    NOW,
    SECOND,
    SHA1_RSA,
    Made,
    constraints,
    crl_point,
    extension,
    name,
    purposes,
    rsa,
    san,
    serial_of,
    usage,
)

PASS, FAIL, NOT = Status.PASS, Status.FAIL, Status.NOT_APPLICABLE


def _demand(kind: str, parameters: dict[str, Any]) -> Demand:
    return KINDS[kind].model_validate(parameters)


def _status(kind: str, parameters: dict[str, Any], check_input: CheckInput) -> Status:
    """Return the outcome of a demand in a requirement set of its own."""
    one = {
        "id": "one",
        "demand": {kind: parameters},
        "level": "unsupported",
        "section": "1",
        "says": "It holds.",
    }
    document = {"name": "own", "title": "Own", "source": {"title": "Own", "date": "2026"}}
    against = RequirementSet.model_validate({**document, "requirements": [one]})
    (finding,) = findings(against, check_input)
    return finding.outcome.status


DNS = der.tlv(0x82, b"HOST.example.test")
CA = der.boolean(True)
UNKNOWN = extension("1.2.3.4.5", der.null(), critical=True)
LENGTH = {"maximum": "825d"}
CRL_FILE = {"required": True, "suffixes": [".crl"]}
CN = {"type": "CN", "required": True, "form": "domain-name"}

Row = tuple[str, dict[str, Any], Made, Status]


def _of_fields() -> Iterable[Row]:
    sizes = {"sizes": {"rsa": [2048, 4096]}}
    for bits, status in ((2047, FAIL), (2048, PASS), (2049, PASS)):
        yield "public_key", {"minimum": {"rsa": 2048}}, Made(key=rsa(bits)), status
    for bits, status in ((2040, PASS), (2048, PASS), (3072, FAIL), (4096, PASS), (4104, FAIL)):
        yield "public_key", sizes, Made(key=rsa(bits)), status
    yield "public_key", {"maximum": {"rsa": 4095}}, Made(key=rsa(4095)), PASS
    yield "public_key", {"maximum": {"rsa": 4095}}, Made(key=rsa(4096)), FAIL
    yield "public_key", {"families": ["ec"]}, Made(), FAIL
    yield "public_key", {"minimum": {"ec": 384}}, Made(), PASS
    begin = NOW - DAY
    yield "validity", LENGTH, Made(begin=begin, end=begin + 825 * DAY - SECOND), PASS
    yield "validity", LENGTH, Made(begin=begin, end=begin + 825 * DAY), FAIL
    yield "validity", {"begun": True}, Made(begin=NOW), PASS
    yield "validity", {"begun": True}, Made(begin=NOW + SECOND), FAIL
    yield "validity", {"not_ended": True}, Made(end=NOW), PASS
    yield "validity", {"not_ended": True}, Made(end=NOW - SECOND), FAIL
    yield "validity", {"in_order": True}, Made(begin=NOW, end=NOW), PASS
    yield "validity", {"in_order": True}, Made(begin=NOW, end=NOW - SECOND), FAIL
    far = datetime(2050, 1, 1, tzinfo=UTC)
    for end, tag, text, status in (
        (far, 0x18, b"20500101000000Z", PASS),
        (far - SECOND, 0x17, b"491231235959Z", PASS),
        (far - SECOND, 0x18, b"20491231235959Z", FAIL),
    ):
        times = der.sequence(der.time(NOW), der.tlv(tag, text))
        yield "validity", {"well_formed": True}, Made(times=times, end=end), status
    yield "version", {"equals": 3}, Made(), PASS
    yield "version", {"equals": 3}, Made(version=1), FAIL
    yield "version", {"equals": 3}, Made(version=2), FAIL
    for size, status in ((20, PASS), (21, FAIL)):
        yield "serial", {"maximum_octets": 20}, Made(serial=serial_of(size)), status
    # Twenty bytes with the highest bit set need one more, because the number must be positive in DER.
    yield "serial", {"maximum_octets": 20}, Made(serial=der.integer(1 << 159)), FAIL
    for serial, status in ((b"\x02\x01\x00", FAIL), (b"\x02\x01\xff", FAIL), (b"\x02\x01\x01", PASS)):
        yield "serial", {"positive": True}, Made(serial=serial), status
    yield "serial", {"minimum_bits": 64}, Made(serial=der.integer(1 << 63)), PASS
    yield "serial", {"minimum_bits": 64}, Made(serial=der.integer((1 << 63) - 1)), FAIL
    yield "signature_algorithm", {"allowed": ["sha256WithRSAEncryption"]}, Made(), PASS
    yield "signature_algorithm", {"allowed": ["sha256WithRSAEncryption"]}, Made(algorithm=SHA1_RSA), FAIL
    yield "digest", {"allowed": ["sha256"]}, Made(algorithm=SHA1_RSA), FAIL
    yield "digest", {"forbidden": ["sha1"]}, Made(algorithm=SHA1_RSA), FAIL
    yield "digest", {"forbidden": ["sha1"]}, Made(algorithm=ED25519), PASS
    yield "digest", {"allowed": ["sha256"]}, Made(algorithm=ED25519), FAIL
    bare = der.sequence(der.oid("1.2.840.113549.1.1.11"))
    yield "algorithms_agree", {}, Made(), PASS
    yield "algorithms_agree", {}, Made(outer=bare), FAIL
    yield "unique_identifiers", {}, Made(), PASS
    yield "unique_identifiers", {}, Made(identifiers=der.tlv(0x81, b"\x00\x01")), FAIL


def _of_names() -> Iterable[Row]:
    for text, status in (
        ("host.example.test", PASS),
        ("*.example.test", PASS),
        ("host", FAIL),
        ("10.0.0.1", FAIL),
        ("host.example.test.", FAIL),
        ("host_1.example.test", FAIL),
        ("-host.example.test", FAIL),
        ("Contoso Sensor", FAIL),
        (f"{'a' * 63}.test", PASS),
        (f"{'a' * 64}.test", FAIL),
        ("host.example.test\n", FAIL),
        ("", FAIL),
    ):
        yield "subject_attribute", CN, Made(subject=name(("CN", text))), status
    for text, status in (("*.example.test", FAIL), ("a*.example.test", FAIL), ("a.example.test", PASS)):
        wild = {"type": "CN", "wildcard": False}
        yield "subject_attribute", wild, Made(subject=name(("CN", text))), status
    yield "subject_attribute", CN, Made(subject=name(("O", "Test"))), FAIL
    yield "subject_attribute", {"type": "CN", "wildcard": False}, Made(subject=name()), NOT
    both = name(("CN", "a.example.test"), ("CN", "*.example.test"))
    yield "subject_attribute", {"type": "CN", "wildcard": False}, Made(subject=both), FAIL
    for country, status in (("US", PASS), ("us", FAIL), ("USA", FAIL)):
        pattern = {"type": "C", "pattern": "[A-Z]{2}", "counterexample": "x"}
        yield "subject_attribute", pattern, Made(subject=name(("C", country))), status
    for length, status in ((64, PASS), (65, FAIL)):
        subject = name(("O", "x" * length))
        yield "subject_attribute", {"type": "O", "longest": 64}, Made(subject=subject), status
    either = {"issuer": "not-empty", "subject": "not-empty-or-critical-san"}
    yield "names", either, Made(), PASS
    yield "names", either, Made(issuer=name()), FAIL
    yield "names", either, Made(subject=name(), extensions=(san(DNS),)), FAIL
    yield "names", either, Made(subject=name(), extensions=(san(DNS, critical=True),)), PASS
    yield "names", {"subject": "not-empty"}, Made(subject=name()), FAIL


def _of_extensions() -> Iterable[Row]:
    for names, parameters, status in (
        ((), {"not_empty": True}, FAIL),
        ((), {"required": True}, PASS),
        ((DNS,), {"not_empty": True}, PASS),
        ((DNS,), {"covers_cn": True}, PASS),
        ((der.tlv(0x82, b"other.test"),), {"covers_cn": True}, FAIL),
        ((der.tlv(0x87, b"\x0a\x00\x00\x01"),), {"kinds": ["dns", "ip"]}, PASS),
        ((der.tlv(0x81, b"a@b.test"),), {"kinds": ["dns", "ip"]}, FAIL),
    ):
        yield "san", parameters, Made(extensions=(san(*names),)), status
    yield "san", {"required": True}, Made(), FAIL
    yield "san", {"not_empty": True}, Made(), NOT
    for url, status in (
        ("http://crl.test/ca.crl", PASS),
        ("http://crl.test:8080/ca.crl", PASS),
        ("http://crl.test/CA.CRL", PASS),
        ("http://crl.test/ca.crl?a=b#c", PASS),
        ("http://crl.test/ca.crl/list", FAIL),
        ("http://crl.test/?file=ca.crl", FAIL),
        ("http://[::1/ca.crl", FAIL),
        ("http://crl.test:99999/ca.crl", FAIL),
        ("", FAIL),
    ):
        yield "crl_distribution_point", CRL_FILE, Made(extensions=(crl_point(url),)), status
    for url, status in (
        ("http://crl.test/", PASS),
        ("HTTP://crl.test/", PASS),
        ("https://crl.test/", FAIL),
        ("ldap://crl.test/", FAIL),
    ):
        schemes = {"schemes": ["http"]}
        yield "crl_distribution_point", schemes, Made(extensions=(crl_point(url),)), status
    for url, status in (("http://a.test/", PASS), ("http://a.test:80/", PASS), ("http://a.test:81/", FAIL)):
        yield "crl_distribution_point", {"ports": [80]}, Made(extensions=(crl_point(url),)), status
    one_of_two = Made(extensions=(crl_point("http://a.test/a.crl", "ldap://a.test/a"),))
    yield "crl_distribution_point", CRL_FILE, one_of_two, PASS
    yield "crl_distribution_point", {"schemes": ["http"]}, one_of_two, FAIL
    yield "crl_distribution_point", CRL_FILE, Made(), FAIL
    yield "crl_distribution_point", CRL_FILE, Made(extensions=(crl_point(),)), FAIL
    yield "crl_distribution_point", {"schemes": ["http"]}, Made(), NOT
    critical = Made(extensions=(crl_point("http://a.test/", critical=True),))
    yield "crl_distribution_point", {"critical": False}, critical, FAIL
    yield "key_usage", {"required": True}, Made(), FAIL
    yield "key_usage", {"contains": ["digitalSignature"]}, Made(), NOT
    yield "key_usage", {"some": True}, Made(extensions=(usage(),)), FAIL
    yield "key_usage", {"some": True}, Made(extensions=(usage("decipherOnly"),)), PASS
    yield "key_usage", {"lacks": ["keyCertSign"]}, Made(extensions=(usage("keyCertSign"),)), FAIL
    yield "key_usage", {"critical": True}, Made(extensions=(usage("cRLSign", critical=False),)), FAIL
    server = {"contains": ["serverAuth"]}
    yield "extended_key_usage", server, Made(extensions=(purposes("any"),)), PASS
    yield "extended_key_usage", server, Made(extensions=(purposes("clientAuth"),)), FAIL
    yield "extended_key_usage", {"lacks": ["any"]}, Made(extensions=(purposes("any"),)), FAIL
    yield "extended_key_usage", {"required": True}, Made(), FAIL
    yield "basic_constraints", {"ca": False}, Made(), PASS
    yield "basic_constraints", {"ca": False}, Made(extensions=(constraints(CA),)), FAIL
    yield "basic_constraints", {"ca": True}, Made(), FAIL
    yield "basic_constraints", {"ca": True}, Made(extensions=(constraints(),)), FAIL
    only = {"path_length": "ca-only"}
    yield "basic_constraints", only, Made(extensions=(constraints(der.integer(0)),)), FAIL
    yield "basic_constraints", only, Made(extensions=(constraints(CA, der.integer(0)),)), PASS
    least = {"smallest_path_length": 1}
    yield "basic_constraints", least, Made(extensions=(constraints(CA, der.integer(0)),)), FAIL
    yield "basic_constraints", least, Made(extensions=(constraints(CA, der.integer(1)),)), PASS
    yield "extension", {"known": True}, Made(extensions=(UNKNOWN,)), FAIL
    yield "extension", {"once": True}, Made(extensions=(san(DNS), san(DNS))), FAIL
    yield "extension", {"name": "1.2.3.4.5", "forbidden": True}, Made(extensions=(UNKNOWN,)), FAIL
    yield "extension", {"name": "1.2.3.4.5", "required": True}, Made(), FAIL
    yield "extension", {"name": "1.2.3.4.5", "critical": False}, Made(extensions=(UNKNOWN,)), FAIL
    yield "aia", {"required": ["ocsp"]}, Made(), FAIL
    yield "aia", {"not_critical": True}, Made(), NOT


def _rows(*sources: Callable[[], Iterable[Row]]) -> list[Any]:
    rows = [row for source in sources for row in source()]
    return [pytest.param(*row, id=f"{row[0]}-{number}") for number, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("kind", "parameters", "made", "status"), _rows(_of_fields, _of_names, _of_extensions)
)
def test_a_demand_changes_its_result_at_its_boundary(
    kind: str, parameters: dict[str, Any], made: Made, status: Status
) -> None:
    assert _status(kind, parameters, made.check_input()) is status


BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "san": (oids.SUBJECT_ALTERNATIVE_NAME, {"not_empty": True}),
    "ian": (oids.ISSUER_ALTERNATIVE_NAME, {"not_empty": True}),
    "certificate_policies": (oids.CERTIFICATE_POLICIES, {"explicit_text": True}),
    "policy_mappings": (oids.POLICY_MAPPINGS, {"no_any_policy": True}),
    "name_constraints": (oids.NAME_CONSTRAINTS, {"syntax": True}),
    "authority_key_identifier": (oids.AUTHORITY_KEY_IDENTIFIER, {"key_identifier": True}),
    "crl_distribution_point": (oids.CRL_DISTRIBUTION_POINTS, {"required": True}),
    "aia": (oids.AUTHORITY_INFORMATION_ACCESS, {"required": ["ocsp"]}),
    "key_usage": (oids.KEY_USAGE, {"required": True}),
    "extended_key_usage": (oids.EXTENDED_KEY_USAGE, {"required": True}),
    "basic_constraints": (oids.BASIC_CONSTRAINTS, {"ca": False}),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("value", [b"", b"\x30", b"\x30\x03\x02\x01", b"\x04\x01\x00", b"\x30\x80\x00\x00"])
def test_an_unreadable_extension_violates_the_demand(kind: str, value: bytes) -> None:
    oid, parameters = BROKEN[kind]
    made = Made(extensions=(extension(oid, value),))
    assert _status(kind, parameters, made.check_input()) is FAIL


@given(st.sampled_from(sorted(BROKEN)), st.binary(max_size=40))
def test_no_bytes_of_an_extension_raise_an_exception(kind: str, value: bytes) -> None:
    oid, parameters = BROKEN[kind]
    _status(kind, parameters, Made(extensions=(extension(oid, value),)).check_input())


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_input_violates_no_demand(kind: str) -> None:
    parameters = next((row for row in ({}, *PARAMETERS.get(kind, ())) if _accepts(kind, row)), None)
    assert parameters is not None, f"add valid parameters of '{kind}' to PARAMETERS in {__file__}"
    assert _status(kind, parameters, CheckInput(now=NOW)) is NOT


PARAMETERS: dict[str, tuple[dict[str, Any], ...]] = {
    "authority_key_identifier": ({"key_identifier": True},),
    "certificate_policies": ({"once": True},),
    "der": ({"booleans": True},),
    "name_constraints": ({"syntax": True},),
    "policy_mappings": ({"declared": True},),
    "signature_algorithm": ({"allowed": ["sha256WithRSAEncryption"]},),
    "public_key": ({"families": ["rsa"]},),
    "validity": ({"begun": True},),
    "subject_attribute": ({"type": "CN", "required": True},),
    "crl_distribution_point": ({"required": True},),
    "version": ({"equals": 3},),
    "serial": ({"positive": True},),
    "certificate_file": ({"encodings": ["PEM"]},),
    "certification_request": ({"signed": True},),
    "combined_file": ({"contains": ["key"]},),
    "pki_directory": ({"key": "own/private"},),
    "relation": ({"role": "server", "same": ["issuer"]},),
    "key_file": ({"matches": True},),
    "chain_file": ({"complete": True},),
    "revocation": ({"available": True},),
    "crl": ({"number": True},),
    "subject_key_identifier": ({"length": 20},),
    "policy_constraints": ({"required": True},),
}


def _accepts(kind: str, parameters: dict[str, Any]) -> bool:
    try:
        _demand(kind, parameters)
    except ValueError:
        return False
    return True
