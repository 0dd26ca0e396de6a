"""Something else than the certificate in PEM, in the file that is called after it."""

from __future__ import annotations

from pkigen.cases.case import Case
from pkigen.faults.registry import fault


def _holding(case: Case, how: str) -> Case:
    return case.alter("certificate", how)


@fault("R", "file", "RFC 7468 5.1", finds=("path:unreadable", "unreadable", "certificate-encoding"))
def pem_html_body(case: Case) -> Case:
    """The certificate file contains an HTML page with a 404 error.

    Parsers report that the file contains no certificate. Download the file again, and check the
    HTTP status.
    """
    return _holding(case, "html")


@fault("R", "file", "RFC 7468 5.1", finds=("path:unreadable", "unreadable", "certificate-encoding"))
def pem_empty_file(case: Case) -> Case:
    """The certificate file is empty.

    Parsers report that the file contains no certificate. Check the disk space and the download,
    then obtain the file again.
    """
    return _holding(case, "empty")


@fault("R", "file", "RFC 7468 5.1", sent=False)
def file_der_in_pem_name(case: Case) -> Case:
    """The certificate file contains DER, although its name is that of a PEM file.

    PEM parsers find no BEGIN line; parsers that detect the encoding accept the file. Convert it to
    PEM.
    """
    return _holding(case, "der")


@fault("R", "file", "RFC 7468 5.1", finds=("certificate-encoding",), sent=False)
def file_pkcs7_instead(case: Case) -> Case:
    """The certificate file is a PKCS#7 bundle that contains the certificate.

    PEM parsers report that the file contains no certificate. Extract the certificate; Windows
    exports such bundles as .p7b.
    """
    return _holding(case, "pkcs7")


@fault("R", "file", "RFC 7468 5.1", finds=("path:unreadable", "unreadable"))
def file_csr_instead(case: Case) -> Case:
    """The certificate file contains a certificate signing request (CSR).

    Parsers report that the file contains no certificate. Use the certificate that the CA issued for
    the request.
    """
    return _holding(case, "request")
