"""PEM in other forms than RFC 7468 gives it; the certificate inside is sound."""

from __future__ import annotations

from pkigen.cases.case import Case
from pkigen.faults.registry import fault


def _written(case: Case, how: str, argument: str = "") -> Case:
    return case.alter("certificate", how, argument)


def _chain_written(case: Case, how: str, argument: str = "") -> Case:
    """What is between two blocks: the chain file is the one that has several."""
    case.intermediate()
    return case.alter("chain", how, argument)


@fault("A", "file", "RFC 7468 2")
def pem_crlf(case: Case) -> Case:
    """The certificate file has CRLF line endings.

    Clients accept the file: parsers must handle CRLF as well as LF.
    """
    return _written(case, "crlf")


@fault("V", "file", "RFC 7468 2", sent=False)
def pem_cr_only(case: Case) -> Case:
    """The lines of the certificate file end in CR only.

    RFC 7468 requires parsers to accept this; many read the whole file as one line and report that
    it contains no certificate. Convert the line endings to LF.
    """
    return _written(case, "cr")


@fault("V", "file", "RFC 7468 2", sent=False)
def pem_utf8_bom(case: Case) -> Case:
    """The certificate file begins with a UTF-8 byte order mark.

    Parsers that expect BEGIN at the start of a line report that the file contains no certificate.
    Save the file without a byte order mark (some Windows editors add one).
    """
    return _written(case, "byte-order-mark")


@fault("R", "file", "RFC 7468 2", sent=False)
def pem_utf16(case: Case) -> Case:
    """The certificate file is encoded in UTF-16.

    Parsers report that the file contains no certificate. Save the file as ASCII; redirection (>) in
    Windows PowerShell writes UTF-16.
    """
    return _written(case, "utf-16")


@fault("A", "file", "RFC 7468 2")
def pem_bag_attributes(case: Case) -> Case:
    """The certificate file begins with bag attributes, as openssl pkcs12 writes them.

    Parsers ignore text before BEGIN. If an appliance rejects the file, remove that text.
    """
    return _written(case, "bag-attributes", case.entity.name)


@fault("A", "file", "RFC 7468 2")
def pem_comment_between(case: Case) -> Case:
    """The chain file contains a comment after each certificate.

    Parsers ignore text between the PEM blocks.
    """
    return _chain_written(case, "comment")


@fault("V", "file", "RFC 7468 2", sent=False)
def pem_indented(case: Case) -> Case:
    """All lines of the certificate file are indented, including BEGIN and END.

    Many parsers expect BEGIN at the start of a line and report that the file contains no
    certificate. Remove the indentation, which often comes from a YAML document.
    """
    return _written(case, "indented")


@fault("V", "file", "RFC 7468 3", sent=False)
def pem_concat_no_newline(case: Case) -> Case:
    """The chain file has an END line and the next BEGIN line on the same line.

    Some parsers read both certificates; others lose the second certificate or all certificates. Add a
    line break between the concatenated files.
    """
    return _chain_written(case, "blocks-joined")


@fault("V", "file", "RFC 7468 2", sent=False)
def pem_single_line_base64(case: Case) -> Case:
    """The base64 data of the certificate file is a single long line.

    RFC 7468 requires generators to write lines of 64 characters, and permits parsers to accept other
    lengths; most parsers accept them. Write the data again in lines of 64 characters.
    """
    return _written(case, "one-line")


@fault("V", "file", "RFC 7468 2", sent=False)
def pem_header_lines(case: Case) -> Case:
    """The PEM block of the certificate has header lines in the style of RFC 1421.

    RFC 7468 does not allow headers; some parsers skip them, others report invalid base64.
    """
    return _written(case, "header", "Comment: of the server")


@fault("V", "file", "RFC 7468 5.1", sent=False)
def pem_x509_certificate_label(case: Case) -> Case:
    """The certificate file has the PEM label X509 CERTIFICATE.

    Generators must not write this obsolete label; some parsers still accept it. Use the label
    CERTIFICATE.
    """
    return _written(case, "label", "X509 CERTIFICATE")


@fault("V", "file", "RFC 7468 5.1", sent=False)
def pem_trusted_label(case: Case) -> Case:
    """The certificate file has the PEM label TRUSTED CERTIFICATE.

    Only OpenSSL and related tools read this label, which stands for a certificate with trust
    settings. Use the label CERTIFICATE.
    """
    return _written(case, "label", "TRUSTED CERTIFICATE")


@fault("R", "file", "RFC 7468 5.1", finds=("path:unreadable", "unreadable"), sent=False)
def pem_wrong_label(case: Case) -> Case:
    """The certificate file has the PEM label PUBLIC KEY.

    Parsers report that the file contains no certificate. Use the label CERTIFICATE.
    """
    return _written(case, "label", "PUBLIC KEY")


@fault("R", "file", "RFC 7468 2", finds=("path:unreadable", "unreadable"))
def pem_mismatched_begin_end(case: Case) -> Case:
    """The PEM block begins with CERTIFICATE and ends with PUBLIC KEY.

    The labels must match. Most parsers reject the file; some ignore the label of the END line.
    """
    return _written(case, "end-label", "PUBLIC KEY")


@fault("R", "file", "RFC 7468 3", finds=("path:unreadable", "unreadable"))
def pem_missing_end(case: Case) -> Case:
    """The certificate file has no END line.

    Parsers report an incomplete PEM block. The file is probably truncated; obtain it again.
    """
    return _written(case, "no-end")


@fault("R", "file", "RFC 7468 3", finds=("path:unreadable", "unreadable"))
def pem_bad_base64(case: Case) -> Case:
    """The base64 data of the certificate file contains an exclamation mark.

    Parsers reject the data, or skip the character and cannot decode the certificate. Obtain the
    file again.
    """
    return _written(case, "bad-base64")


@fault("R", "file", "RFC 7468 3", finds=("path:unreadable", "unreadable"))
def pem_nul_bytes(case: Case) -> Case:
    """The base64 data of the certificate file contains a NUL byte.

    Parsers reject the data; programs in C treat the NUL as the end of the string. Obtain the file
    again.
    """
    return _written(case, "nul")


@fault("R", "file", "RFC 7468 3", finds=("path:unreadable", "unreadable"))
def pem_truncated_base64(case: Case) -> Case:
    """The base64 data of the certificate file lacks its last characters.

    The END line is there. Parsers report invalid base64, or a truncated certificate. Obtain the file again.
    """
    return _written(case, "short-base64")


@fault("A", "file", "RFC 7468 2")
def pem_trailing_spaces(case: Case) -> Case:
    """The lines of the certificate file end with spaces.

    Parsers should ignore white space at the end of a line (control case).
    """
    return _written(case, "trailing-spaces")


@fault("A", "file", "RFC 7468 3")
def pem_no_trailing_newline(case: Case) -> Case:
    """The certificate file ends without a line break.

    The line break after the END line is optional for parsers (control case). Two such files must not be
    concatenated as they are.
    """
    return _written(case, "no-final-newline")
