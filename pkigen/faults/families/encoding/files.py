"""Something else than the certificate in PEM, in the file that is called after it."""

from __future__ import annotations

from pkigen.cases.case import Case
from pkigen.faults.registry import fault


def _holding(case: Case, how: str) -> Case:
    return case.alter("certificate", how)


@fault("R", "file", "RFC 7468 5.1", finds=("path:unreadable", "unreadable", "certificate-encoding"))
def pem_html_body(case: Case) -> Case:
    """Its file holds a web page that says 404.

    Somebody saved the error for the certificate: download it anew.
    """
    return _holding(case, "html")


@fault("R", "file", "RFC 7468 5.1", finds=("path:unreadable", "unreadable", "certificate-encoding"))
def pem_empty_file(case: Case) -> Case:
    """Its file is empty.

    A disk was full, or a download failed: there is no certificate.
    """
    return _holding(case, "empty")


@fault("R", "file", "RFC 7468 5.1")
def file_der_in_pem_name(case: Case) -> Case:
    """Its file is DER under the name of a PEM file.

    Readers of PEM find no BEGIN in it; those that look at the octets read it.
    """
    return _holding(case, "der")


@fault("R", "file", "RFC 7468 5.1", finds=("certificate-encoding",))
def file_pkcs7_instead(case: Case) -> Case:
    """Its file is a PKCS#7 bag with the certificate in it.

    Windows exports such bags as .p7b: take the certificate out of it.
    """
    return _holding(case, "pkcs7")


@fault("R", "file", "RFC 7468 5.1", finds=("path:unreadable", "unreadable"))
def file_csr_instead(case: Case) -> Case:
    """Its file is the request that the certificate was asked for with.

    The CA's answer belongs there.
    """
    return _holding(case, "request")
