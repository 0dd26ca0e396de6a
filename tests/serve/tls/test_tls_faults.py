"""What real clients say: of sound and faulty certificates, and of each thing that a server does wrong."""

from __future__ import annotations

import re
import ssl

import pytest

from pkigen.serve.tls import server
from tests.serve.conftest import Endpoints
from tests.serve.tls_clients import careless, curl, gnutls, python, s_client, trusting

OPENSSL = {
    "sound": "Verification: OK",
    "chain-includes-root": "Verification: OK",
    "chain-reversed": "Verification: OK",
    "chain-key-in-chain-file": "Verification: OK",
    "pem-crlf": "Verification: OK",
    "stapled-missing": "Verification: OK",
    "expired": "certificate has expired",
    "self-signed": "self-signed certificate",
    "chain-missing-intermediate": "unable to get local issuer certificate",
    "chain-file-leaf-not-first": "unsuitable certificate purpose",
    "der-truncated": "asn1 encoding routines",
    "der-wrong-tag-tbs": "wrong tag",
    "san-malformed": "invalid certificate",
    "sig-md5": "CA signature digest algorithm too weak",
    "key-rsa-512": "EE certificate key too weak",
    "key-mismatch": "bad signature",
    "key-type-mismatch": "wrong signature type",
    "key-encrypted": "bad signature",
    "key-empty": "bad signature",
    "key-two-first-wrong": "bad signature",
    "pem-html-body": "wrong tag",
    "pem-empty-file": "length mismatch",
    "tls-no-certificate": "length mismatch",
    "tls-wrong-sni-certificate": "hostname mismatch",
    "tls-close-after-hello": "unexpected eof while reading",
    "plaintext-on-tls-port": "wrong version number",
    "tls-version-1.0-only": "legacy sigalg disallowed or unsupported|unsupported protocol",
    "tls-bad-certificate-verify": "bad signature",
    "tls-certificate-verify-other-key": "bad signature",
}
"""What OpenSSL 3.0 or 3.5 says."""
CURL = {
    "expired": (60, "certificate has expired"),
    "self-signed": (60, "self-signed certificate"),
    "tls-wrong-sni-certificate": (60, "no alternative certificate subject name matches"),
    "tls-bad-certificate-verify": (35, "bad signature|provider signature failure"),
    "plaintext-on-tls-port": (35, "wrong version number"),
}
GNUTLS = {
    "sound": "The certificate is trusted",
    "tls-version-1.0-only": "The certificate is trusted",
    "expired": "expired certificate",
    "der-truncated": "Error in DER parsing",
    "tls-no-certificate": "No certificate was found",
    "tls-wrong-sni-certificate": "name in the certificate does not match",
    "tls-close-after-hello": "non-properly terminated",
    "plaintext-on-tls-port": "unexpected TLS packet",
    "tls-bad-certificate-verify": "signature verification has failed",
    "tls-certificate-verify-other-key": "signature verification has failed",
}


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", OPENSSL)
def test_openssl_reports_the_fault(endpoints: Endpoints, fault: str) -> None:
    result = s_client(endpoints, endpoints.host(fault))
    assert re.search(OPENSSL[fault], result.text)
    assert (result.code == 0) is (OPENSSL[fault] == "Verification: OK")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", ["tls-no-certificate", "tls-bad-certificate-verify", "key-mismatch"])
def test_openssl_reports_the_fault_over_tls_1_2(endpoints: Endpoints, fault: str) -> None:
    result = s_client(endpoints, endpoints.host(fault), "-tls1_2")
    assert result.code == 1
    assert re.search(OPENSSL[fault], result.text)


@pytest.mark.needs("openssl")
def test_a_tls_1_0_client_connects_to_a_tls_1_0_endpoint(endpoints: Endpoints) -> None:
    options = ("-tls1", "-cipher", "ALL:@SECLEVEL=0")
    result = s_client(endpoints, endpoints.host("tls-version-1.0-only"), *options)
    assert "Protocol version: TLSv1\n" in result.text
    assert "Verification: OK" in result.text
    assert "alert protocol version" in s_client(endpoints, endpoints.host("sound"), *options).text


@pytest.mark.needs("curl")
def test_curl_accepts_the_certificate_without_a_fault_and_shows_its_page(endpoints: Endpoints) -> None:
    for name in ("sensor", "console"):
        case = endpoints.environment[name]
        for options in ((), ("--tls-max", "1.2"), ("--http1.0",)):
            result = curl(endpoints, case, case.hosts[0], *options)
            assert result.code == 0, result.text
            assert result.text.startswith(
                f"{name}\nClients accept this certificate.\nThis certificate has no fault.\n"
            )


@pytest.mark.needs("curl")
@pytest.mark.parametrize("fault", CURL)
def test_curl_rejects_with_the_right_error(endpoints: Endpoints, fault: str) -> None:
    result = curl(endpoints, endpoints.case(fault), endpoints.host(fault))
    code, words = CURL[fault]
    assert result.code == code
    assert re.search(words, result.text)


@pytest.mark.needs("curl")
def test_the_case_page_states_the_fault(endpoints: Endpoints) -> None:
    case = endpoints.case("expired")
    text = curl(endpoints, case, case.hosts[0], "--insecure").text
    html = curl(endpoints, case, case.hosts[0], "--insecure", "--header", "Accept: text/html").text
    for page in (text, html):
        assert all(case.data["fault"][part] in page for part in ("says", "shows", "clause"))
        assert "reject" in page
    assert not text.startswith("<")
    assert html.startswith("<!doctype html>")


@pytest.mark.needs("certtool")
@pytest.mark.parametrize("fault", GNUTLS)
def test_gnutls_reports_the_fault(endpoints: Endpoints, fault: str) -> None:
    result = gnutls(endpoints, endpoints.case(fault), endpoints.host(fault))
    assert GNUTLS[fault] in result.text
    assert (result.code == 0) is (GNUTLS[fault] == "The certificate is trusted")


def test_python_accepts_only_the_certificate_without_a_fault(endpoints: Endpoints) -> None:
    trust = endpoints.environment.trust
    for host in (endpoints.host("sound"), "console.contoso.test", "any.edge.contoso.test"):
        assert b"This certificate has no fault." in python(endpoints, host, trusting(trust))[1]
    for fault, words in (("expired", "has expired"), ("tls-wrong-sni-certificate", "mismatch")):
        with pytest.raises(ssl.SSLCertVerificationError, match=words):
            python(endpoints, endpoints.host(fault), trusting(trust))
    for fault in ("tls-bad-certificate-verify", "tls-no-certificate", "plaintext-on-tls-port"):
        with pytest.raises(ssl.SSLError):
            python(endpoints, endpoints.host(fault), careless())


@pytest.mark.needs("curl")
def test_a_slow_handshake_exceeds_the_timeout_of_curl(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = endpoints.case("tls-slow-handshake")
    assert curl(endpoints, case, case.hosts[0], "--max-time", "1").code == 28
    monkeypatch.setattr(server, "_SECONDS_PER_BYTE", 0.0)
    assert case.data["fault"]["says"] in curl(endpoints, case, case.hosts[0]).text


@pytest.mark.needs("openssl")
def test_a_response_is_stapled_on_request(endpoints: Endpoints) -> None:
    for version in ("-tls1_3", "-tls1_2"):
        revoked = endpoints.host("ocsp-revoked")
        text = s_client(endpoints, revoked, "-status", "-msg", version).text
        assert "Cert Status: revoked" in text
        assert "Reason" in text
        assert "Cert Status" not in s_client(endpoints, revoked, "-msg", version).text
        for fault in ("stapled-missing", "must-staple-no-staple", "sound"):
            result = s_client(endpoints, endpoints.host(fault), "-status", "-msg", version)
            assert "OCSP response: no response sent" in result.text
