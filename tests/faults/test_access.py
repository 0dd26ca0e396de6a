"""Where issuer and CRL are said to be, as openssl reads it; and that the CRL is published all the same."""

from __future__ import annotations

import pytest

from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS, FaultType
from pkigen.inspection.path.http_fetch import FetchError, fetch
from tests.faults.judging import case_of, certtool_accepts, extension_text, openssl_says
from tests.tools import run

AIA, CDP = "authorityInfoAccess", "crlDistributionPoints"
ISSUER, CRL = "127.0.0.1:8080/ca/issuing.crt", "/crl/issuing.crl"
READ = [
    ("aia-critical", AIA, [f"CA Issuers - URI:http://{ISSUER}"]),
    ("aia-https", AIA, [f"CA Issuers - URI:https://{ISSUER}"]),
    ("aia-ldap", AIA, ["CA Issuers - URI:ldap://127.0.0.1:8080/CN=issuing?cACertificate;binary"]),
    ("aia-no-uri", AIA, ["CA Issuers - DirName:/CN=issuing"]),
    ("cdp-https", CDP, ["Full Name:", f"URI:https://127.0.0.1:8080{CRL}"]),
    (
        "cdp-ldap",
        CDP,
        ["Full Name:", "URI:ldap://127.0.0.1:8080/CN=issuing?certificateRevocationList;binary"],
    ),
    ("cdp-critical", CDP, ["Full Name:", f"URI:http://127.0.0.1:8080{CRL}"]),
    ("cdp-reasons-only", CDP, ["Reasons:", "Key Compromise"]),
    ("cdp-empty", CDP, []),
    ("cdp-unreachable", CDP, ["Full Name:", f"URI:http://127.0.0.1:1{CRL}"]),
    ("cdp-unresolvable", CDP, ["Full Name:", f"URI:http://crl.invalid{CRL}"]),
]
OURS = [one for one in FAULTS.values() if one.family == "access" and one.id.startswith(("aia-", "cdp-"))]

# OpenSSL takes the certificate for unreadable, and so for one that the issuer cannot have issued.
UNREADABLE = {"cdp-reasons-only", "cdp-malformed"}


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(("fault", "extension", "lines"), READ)
def test_the_certificate_has_the_value_of_the_fault(
    catalogue: Environment, fault: str, extension: str, lines: list[str]
) -> None:
    title, *read = extension_text(catalogue, fault, extension)
    assert read == lines
    assert title.endswith(": critical") is fault.endswith("-critical")


@pytest.mark.needs("openssl")
def test_a_certificate_without_distribution_points_has_none(catalogue: Environment) -> None:
    file = catalogue.folder / case_of(catalogue, "cdp-missing")["files"]["certificate"]
    assert "CRL Distribution" not in run("openssl", "x509", "-noout", "-text", "-in", file)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("one", OURS, ids=lambda one: str(one.id))
def test_openssl_with_the_crl_accepts_every_readable_certificate(
    catalogue: Environment, one: FaultType
) -> None:
    error = openssl_says(catalogue, one.id)
    if one.id in UNREADABLE:
        assert "unable to get local issuer certificate" in error
    elif one.id == "aia-critical":
        assert "unhandled critical extension" in error
    else:
        assert error == ""


@pytest.mark.needs("certtool")
def test_certtool_ignores_these_extensions(catalogue: Environment) -> None:
    assert [one.id for one in OURS if not certtool_accepts(catalogue, one.id)] == []


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", ["cdp-unreachable", "cdp-unresolvable"])
def test_no_crl_is_served_at_the_url_of_the_certificate(catalogue: Environment, fault: str) -> None:
    url = extension_text(catalogue, fault, CDP)[-1].removeprefix("URI:")
    with pytest.raises(FetchError):
        fetch(url)
