"""CRLs: what openssl, certtool and cryptography say of each, and what openssl reads in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS
from tests.faults.conftest import PROFILE
from tests.faults.judging import case_of, extension_text, openssl_says
from tests.openssl import with_new_names
from tests.tools import run

OURS = [one for one in FAULTS.values() if one.family == "crl"]
IDS = [one.id for one in OURS]
REVOKED = [one for one in IDS if one.startswith("revoked")]
OF_LEAF = {"crl-entry-critical-unknown-extension-for-leaf", "crl-indirect-entry"}
LISTED = {*REVOKED, *OF_LEAF, "crl-on-hold", "crl-remove-from-crl-in-full", "crl-future-revocation-date"}
TRANSPORT = {one.id for one in OURS if one.stage == "transport"}

# What openssl has against a case; it accepts all others.
SCOPE, NONE = "different CRL scope", "unable to get certificate CRL"
CRITICAL, REVOCATION = "unhandled critical CRL extension", "certificate revoked"
OPENSSL = {
    **dict.fromkeys((*REVOKED, "crl-on-hold", "crl-future-revocation-date"), f"0 depth lookup: {REVOCATION}"),
    "crl-revoked-intermediate": f"1 depth lookup: {REVOCATION}",
    "crl-stale": "CRL has expired",
    "crl-expired": "CRL has expired",
    "crl-next-before-this": "CRL has expired",
    "crl-not-yet-valid": "CRL is not yet valid",
    "crl-wrong-issuer": NONE,
    "crl-wrong-signer": "CRL signature failure",
    "crl-bad-signature": "CRL signature failure",
    "crl-algorithm-mismatch-invalid": "CRL signature failure",
    "crl-no-crlsign": "key usage does not include CRL signing",
    "crl-number-critical": CRITICAL,
    "crl-unknown-critical": CRITICAL,
    "crl-entry-unknown-critical": CRITICAL,
    "crl-aki-mismatch": NONE,
    "crl-idp-uri-mismatch": SCOPE,
    "crl-idp-only-ca": SCOPE,
    "crl-idp-only-attribute": SCOPE,
    "crl-idp-user-and-ca": NONE,
    "crl-idp-some-reasons": NONE,
    "crl-idp-indirect": NONE,
    "crl-truncated": NONE,
    "crl-empty": NONE,
    "crl-is-a-certificate": NONE,
    "crl-missing": NONE,
    "crl-entry-critical-unknown-extension-for-leaf": CRITICAL,
    "crl-idp-noncritical-mismatch": SCOPE,
    "crl-indirect-entry": NONE,
    "crl-issuer-ku-missing": "CA cert does not include key usage extension",
    "crl-separate-key": NONE,
}
# Some releases of OpenSSL 3.0 have something against these, others accept them.
OPENSSL_BY_RELEASE = {
    "crl-algorithm-mismatch": "CRL signature failure",  # since 3.0.22 and 3.5.9
    "crl-delta-without-base": NONE,
    "crl-idp-empty": NONE,
}
# Against the class of the catalogue.
OPENSSL_ACCEPTS = {
    "crl-delta-without-base": "OpenSSL takes a delta CRL for a complete one without -extended_crl",
    "crl-algorithm-mismatch": "before 3.0.22 it does not compare the signed algorithm of a CRL",
    "crl-pem": "it gets the file in the directory, which must be PEM",
    "crl-der-file": "it reads DER and PEM alike",
}

# certtool --verify wants no CRL, and looks for entries alone in those that it is given: neither at
# signatures (that is --verify-crl) nor at times, scope and critical extensions.
CERTTOOL_REFUSES = {
    **dict.fromkeys(LISTED, "revoked, whatever the reason and the date"),
    "crl-revoked-intermediate": "revoked",
    "crl-truncated": "a PEM block that it cannot read ends everything",
    "crl-trailing-data": "the same",
}

# cryptography reads all others.
UNREAD = {
    "crl-v3": x509.InvalidVersion,
    "crl-algorithm-mismatch": ValueError,
    "crl-algorithm-mismatch-invalid": ValueError,
    "crl-truncated": ValueError,
    "crl-empty": ValueError,
    "crl-is-a-certificate": ValueError,
    "crl-trailing-data": ValueError,
    "crl-pem": ValueError,
}
UNREAD_EXTENSIONS = {
    "crl-number-negative": "error parsing asn1 value",
    "crl-duplicate-extension": "Duplicate 2.5.29.20 extension found",
    "crl-idp-user-and-ca": "Only one of the following can be set to True",
    "crl-idp-empty": "Cannot create empty extension",
}
NOT_BY_ITS_ISSUER = {"crl-wrong-signer", "crl-bad-signature", "crl-separate-key"}
NOT_LOOKED_AT = {"crl-sha1", "crl-md5"}  # its digests are too weak for cryptography; openssl verifies them

READ = [
    ("crl-missing-next-update", "Next Update: NONE"),
    ("crl-wrong-issuer", "Issuer: O=Another Test PKI, CN=Another Test CA"),
    ("crl-sha1", "Signature Algorithm: ecdsa-with-SHA1"),
    ("crl-md5", "Signature Algorithm: md5WithRSAEncryption"),
    ("crl-number-critical", "X509v3 CRL Number: critical"),
    ("crl-number-negative", "X509v3 CRL Number: -1"),
    ("crl-number-21-octets", "X509v3 CRL Number: 0x010000000000000000000000000000000000000000"),
    ("crl-number-goes-back", "X509v3 CRL Number: 999999"),
    ("crl-aki-mismatch", "Key Identifier: 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13"),
    ("crl-v1-with-exts", "Version 1 (0x0)"),
    ("crl-v3", "Version unknown (2)"),
    ("crl-unknown-critical", "CRL Number: 1 1.3.6.1.4.1.55738.99.5: critical"),
    ("crl-entry-unknown-critical", "CRL entry extensions: 1.3.6.1.4.1.55738.99.5: critical"),
    ("crl-delta-without-base", "X509v3 Delta CRL Indicator: critical 0"),
    (
        "crl-idp-uri-mismatch",
        "Issuing Distribution Point: critical Full Name: URI:http://crl.invalid/elsewhere",
    ),
    ("crl-idp-only-ca", "Issuing Distribution Point: critical Only CA Certificates"),
    ("crl-idp-only-attribute", "Issuing Distribution Point: critical Only Attribute Certificates"),
    ("crl-idp-user-and-ca", "critical Only User Certificates Only CA Certificates"),
    ("crl-idp-some-reasons", "critical Only Some Reasons: Key Compromise"),
    ("crl-idp-indirect", "critical Indirect CRL"),
    ("crl-idp-empty", "critical <EMPTY>"),
    ("crl-duplicate-extension", "X509v3 CRL Number: 1 X509v3 CRL Number: 0"),
    ("crl-reason-unspecified", "X509v3 CRL Reason Code: Unspecified"),
    ("crl-on-hold", "X509v3 CRL Reason Code: Certificate Hold"),
    ("crl-remove-from-crl-in-full", "X509v3 CRL Reason Code: Remove From CRL"),
    ("crl-empty-revoked-sequence", "No Revoked Certificates."),
]


_ENTRY = re.compile(r"Serial Number: (\w+)\n(.*?)(?= +Serial Number:| {4}Signature Algorithm:)", re.DOTALL)


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Every case of the family, and nothing else."""
    profile = {**PROFILE, "negatives": [{"of": "sensor", "faults": ["crl/*"]}]}
    return build(profile, tmp_path_factory.mktemp("lists"))


def authority_of(environment: Environment, fault: str) -> dict[str, Any]:
    name = case_of(environment, fault)["path"][0]
    record: dict[str, Any] = next(one for one in environment.manifest["authorities"] if one["name"] == name)
    return record


def published(environment: Environment, fault: str) -> Path:
    """The file at the URL of the CRL of a case's issuer."""
    file: str = authority_of(environment, fault)["crl"]["file"]
    return environment.folder / file


def text_of(path: Path) -> str:
    text = run("openssl", "crl", "-inform", "DER", "-noout", "-text", "-in", path)
    return " ".join(with_new_names(text).split())


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", IDS)
def test_openssl_reports_the_defects_of_a_crl_that_it_detects(lists: Environment, fault: str) -> None:
    error = openssl_says(lists, fault)
    if error and fault in OPENSSL_BY_RELEASE:
        assert OPENSSL_BY_RELEASE[fault] in error
    else:
        assert OPENSSL[fault] in error if fault in OPENSSL else error == ""


def test_openssl_differs_from_the_class_of_a_fault_for_a_reason() -> None:
    judged = [one for one in OURS if one.verdict != "V"]
    differing = {one.id for one in judged if (one.id in OPENSSL) is not (one.verdict == "R")}
    assert differing == OPENSSL_ACCEPTS.keys()


@pytest.mark.needs("certtool")
def test_certtool_rejects_revoked_certificates_and_unreadable_crls(
    lists: Environment, tmp_path: Path
) -> None:
    assert {one for one in IDS if not _certtool_accepts(lists, one, tmp_path)} == CERTTOOL_REFUSES.keys()


def _certtool_accepts(environment: Environment, fault: str, folder: Path) -> bool:
    case = case_of(environment, fault)
    paths = (environment.folder / "authorities" / name / f"{name}.crl" for name in case["path"])
    crls = folder / "crls.pem"
    crls.write_bytes(b"".join(path.read_bytes() for path in paths if path.is_file()))
    command = ["certtool", "--verify", "--verify-purpose", "1.3.6.1.5.5.7.3.1", "--load-crl", str(crls)]
    command += ["--load-ca-certificate", str(environment.trust)]
    files = (case["files"][kind] for kind in ("certificate", "chain"))
    chain = b"".join((environment.folder / path).read_bytes() for path in files)
    return subprocess.run(command, input=chain, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("fault", [one for one in IDS if one != "crl-missing"])
def test_cryptography_reads_the_crl_and_the_issuers_signature_over_it(lists: Environment, fault: str) -> None:
    data = published(lists, fault).read_bytes()
    if fault in UNREAD:
        with pytest.raises(UNREAD[fault]):
            x509.load_der_x509_crl(data)
        return
    crl = x509.load_der_x509_crl(data)
    issuer = lists.folder / authority_of(lists, fault)["files"]["certificate"]
    key: Any = x509.load_pem_x509_certificate(issuer.read_bytes()).public_key()
    assert isinstance(key, EllipticCurvePublicKey) is (fault != "crl-md5")
    assert crl.is_signature_valid(key) is (fault not in NOT_BY_ITS_ISSUER | NOT_LOOKED_AT)
    if fault in UNREAD_EXTENSIONS:
        with pytest.raises((ValueError, x509.DuplicateExtension), match=UNREAD_EXTENSIONS[fault]):
            len(crl.extensions)
    else:
        assert len(crl.extensions) >= 1
    serial = int(case_of(lists, fault)["serial"], 16)
    assert (crl.get_revoked_certificate_by_serial_number(serial) is not None) is (fault in LISTED)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(("fault", "words"), READ)
def test_openssl_shows_the_defect_of_the_crl(lists: Environment, fault: str, words: str) -> None:
    assert words in text_of(published(lists, fault))


@pytest.mark.needs("openssl")
def test_omitted_fields_are_missing(lists: Environment) -> None:
    assert "CRL Number" not in text_of(published(lists, "crl-missing-number"))
    assert "Authority Key Identifier" not in text_of(published(lists, "crl-missing-aki"))
    usage = extension_text(lists, "crl-no-crlsign", "keyUsage", 0)
    assert usage == ["X509v3 Key Usage: critical", "Certificate Sign"]
    assert authority_of(lists, "crl-missing")["crl"] is None
    name = authority_of(lists, "crl-missing")["name"]
    assert not list(lists.folder.rglob(f"{name}.crl"))
    assert extension_text(lists, "crl-missing", "crlDistributionPoints")[-1].endswith(f"/crl/{name}.crl")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(("fault", "times"), [("crl-duplicate-entry", 2), ("crl-reason-unspecified", 1)])
def test_entries_belong_to_no_certificate(lists: Environment, fault: str, times: int) -> None:
    assert text_of(published(lists, fault)).count("Serial Number: 6E6F626F6479") == times


@pytest.mark.needs("openssl")
def test_an_empty_list_of_entries_is_written(lists: Environment) -> None:
    output = run(
        "openssl", "asn1parse", "-inform", "DER", "-in", published(lists, "crl-empty-revoked-sequence")
    )
    assert re.search(r"UTCTIME.*\n.*UTCTIME.*\n.*l=   0 cons: SEQUENCE *\n.*cont \[ 0 \]", output)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("one", REVOKED)
def test_each_reason_reaches_the_crl(lists: Environment, one: str) -> None:
    serial = int(case_of(lists, one)["serial"], 16)
    listed = run("openssl", "crl", "-inform", "DER", "-noout", "-text", "-in", published(lists, one))
    entries = {int(number, 16): " ".join(rest.split()) for number, rest in _ENTRY.findall(listed)}
    _, _, reason = entries[serial].partition("X509v3 CRL Reason Code: ")
    expected = {"revoked": "key-compromise", "revoked-unspecified": ""}.get(one, one.removeprefix("revoked-"))
    assert reason.lower().replace(" ", "-") == expected


def test_the_date_of_a_revocation_to_come_is_the_end_of_the_certificate(lists: Environment) -> None:
    case = case_of(lists, "crl-future-revocation-date")
    assert case["revoked"]["at"] == case["not_after"] > lists.manifest["clock"]


def test_files_have_the_faulty_format(lists: Environment) -> None:
    def files(fault: str) -> tuple[bytes, bytes]:
        name = authority_of(lists, fault)["name"]
        beside = lists.folder / "authorities" / name / f"{name}.crl"
        return published(lists, fault).read_bytes(), beside.read_bytes()

    armour = b"-----BEGIN X509 CRL-----\n"
    assert [data.startswith(armour) for data in files("crl-stale")] == [False, True]
    assert [data.startswith(armour) for data in files("crl-pem")] == [True, True]
    assert [data.startswith(armour) for data in files("crl-der-file")] == [False, False]
    assert files("crl-empty") == (b"", b"")
    name = authority_of(lists, "crl-is-a-certificate")["name"]
    certificate = (lists.folder / "authorities" / name / f"{name}.crt").read_bytes()
    assert files("crl-is-a-certificate")[1] == certificate


@pytest.mark.parametrize("fault", sorted(TRANSPORT))
def test_the_server_sends_the_faulty_response_at_the_url_of_the_certificate(
    lists: Environment, fault: str
) -> None:
    case, crl = case_of(lists, fault), authority_of(lists, fault)["crl"]
    assert [one["url"] for one in case["serving"]] == [crl["url"]]
    assert extension_text(lists, fault, "crlDistributionPoints")[-1] == f"URI:{crl['url']}"
    assert authority_of(lists, fault)["name"] != "issuing"


@pytest.mark.needs("openssl")
def test_the_crls_of_other_certificates_have_no_fault(lists: Environment) -> None:
    urls = {record["crl"]["url"] for record in lists.manifest["authorities"] if record["crl"]}
    changed = [one for one in IDS if one not in (*REVOKED, "crl-on-hold") and not one.startswith("cdp-")]
    assert len(urls) == len(changed) - 1 + len({"root", "issuing", "root of crl-other-ca-same-serial"})
    for name in ("root", "issuing"):
        path = lists.folder / "authorities" / name / f"{name}.crl"
        issuer = lists.folder / "authorities" / name / f"{name}.crt"
        run("openssl", "crl", "-noout", "-in", path, "-CAfile", issuer)
        assert "critical" not in run("openssl", "crl", "-noout", "-text", "-in", path)
