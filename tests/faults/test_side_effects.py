"""No fault makes a certificate wrong in a second way, as the parser of cryptography sees it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID, PublicKeyAlgorithmOID

from pkigen.environment.environment import Case, Environment
from pkigen.faults import FAULTS

BEGINS_BEFORE_ITS_ISSUER = {
    "chain-expired-cross-plus-valid",
    "chain-expired-intermediate-then-valid",
    "expired",
    "expired-by-one-second",
    "expired-intermediate",
    "expires-at-the-second",
    "not-yet-valid-intermediate",
    "not-yet-valid-root",
    "time-1900-unrelated-ca",
    "validity-inverted",
    "validity-pre1970",
}
"""What has ended began before the CAs, which are as old as the environment; or the CA is not valid yet."""
ENDS_AFTER_ITS_ISSUER = {
    "chain-expired-cross-plus-valid",
    "chain-expired-intermediate-then-valid",
    "expired-intermediate",
    "expired-root",
    "outlives-issuer",
}
URLS = {"2.5.29.31", "2.5.29.46", "1.3.6.1.5.5.7.1.1"}
"""CRL distribution points, freshest CRL, authority information access."""
_ENCIPHERING = (PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5, PublicKeyAlgorithmOID.RSASSA_PSS)
_UNREADABLE = (x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
SELF_ISSUED = {"nc-self-issued-last"}
"""Certificates with the name of their issuer, which is another entity."""
SAME_NAME_IN_ANOTHER_FORM = {"cn-ip6-uppercase", "cn-other-case"}
NO_OTHER_NAME = {"cn-in-san", "names-in-san"}


def _fault(case: Case) -> str:
    return str(case.data.get("fault", {}).get("id", ""))


def _path(environment: Environment, case: Case) -> list[x509.Certificate]:
    """The certificate and those of its authorities; empty if cryptography cannot read all of it."""
    files = [environment.folder / f"authorities/{name}/{name}.crt" for name in case.data["path"]]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = [x509.load_pem_x509_certificate(file.read_bytes()) for file in (case.certificate, *files)]
            for one in path:
                _ = one.not_valid_before_utc, one.subject, one.issuer, one.extensions
    except (TypeError, ValueError, *_UNREADABLE):
        return []
    return path


@pytest.fixture(scope="module")
def paths(catalogue: Environment) -> dict[str, list[x509.Certificate]]:
    read = {_fault(case): _path(catalogue, case) for case in catalogue.cases()}
    assert sum(map(bool, read.values())) > len(FAULTS) // 2
    return {fault: path for fault, path in read.items() if path}


def _pairs(
    paths: dict[str, list[x509.Certificate]],
) -> Iterator[tuple[str, x509.Certificate, x509.Certificate]]:
    for fault, path in paths.items():
        yield from ((fault, below, above) for below, above in pairwise(path))


def test_a_certificate_is_valid_while_its_issuer_is(paths: dict[str, list[x509.Certificate]]) -> None:
    pairs = list(_pairs(paths))
    early = {fault for fault, one, ca in pairs if one.not_valid_before_utc < ca.not_valid_before_utc}
    late = {fault for fault, one, ca in pairs if one.not_valid_after_utc > ca.not_valid_after_utc}
    assert early <= BEGINS_BEFORE_ITS_ISSUER
    assert late == ENDS_AFTER_ITS_ISSUER


def test_a_self_signed_certificate_has_no_url_of_another_issuer(
    paths: dict[str, list[x509.Certificate]],
) -> None:
    named_alike = {fault: path[0] for fault, path in paths.items() if path[0].issuer == path[0].subject}
    alone = {fault: one for fault, one in named_alike.items() if fault not in SELF_ISSUED}
    assert alone.keys() >= {"self-signed", "chain-root-as-leaf"}
    assert {
        fault for fault, one in alone.items() if URLS & {e.oid.dotted_string for e in one.extensions}
    } == set()


def test_the_common_name_is_an_alternative_name_unless_the_fault_declares_it(
    paths: dict[str, list[x509.Certificate]],
) -> None:
    apart = {fault for fault, path in paths.items() if not _names(path[0]) <= _alternative_names(path[0])}
    declared = {fault for fault, known in FAULTS.items() if NO_OTHER_NAME & {*known.finds}}
    expected = {"chain-file-leaf-not-first", "cn-empty", "nc-cn-only", "nul-in-cn"}
    assert apart - declared == (expected | SAME_NAME_IN_ANOTHER_FORM) - declared


def _names(certificate: x509.Certificate) -> set[str | bytes]:
    return {one.value for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}


def _alternative_names(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return set(names.get_values_for_type(x509.DNSName))


def test_only_rsa_and_ml_kem_keys_encipher_keys(paths: dict[str, list[x509.Certificate]]) -> None:
    enciphering = set[str]()
    for fault, (own, *_) in paths.items():
        usages = [e.value for e in own.extensions if isinstance(e.value, x509.KeyUsage)]
        if any(one.key_encipherment for one in usages) and own.public_key_algorithm_oid not in _ENCIPHERING:
            enciphering.add(fault)
    assert enciphering == {"key-mlkem-leaf"}


def test_an_ocsp_response_revokes_a_valid_certificate_and_its_responder_does_not_predate_the_ca(
    catalogue: Environment,
) -> None:
    early, responders = set[str](), 0
    for case in catalogue.cases():
        if (published := case.data.get("ocsp")) is None:
            continue
        try:
            response = ocsp.load_der_ocsp_response((catalogue.folder / published["file"]).read_bytes())
            singles, certificates = list(response.responses), response.certificates
        except ValueError:
            continue
        own = x509.load_pem_x509_certificate(case.certificate.read_bytes())
        issuer = catalogue.folder / f"authorities/{case.data['path'][0]}/{case.data['path'][0]}.crt"
        begin = x509.load_pem_x509_certificate(issuer.read_bytes()).not_valid_before_utc
        if any(
            one.revocation_time_utc and one.revocation_time_utc < own.not_valid_before_utc for one in singles
        ):
            early.add(_fault(case))
        responders += len(certificates)
        if any(one.not_valid_before_utc < begin for one in certificates):
            early.add(_fault(case))
    assert responders > 10
    assert early == {"ocsp-delegate-expired"}
