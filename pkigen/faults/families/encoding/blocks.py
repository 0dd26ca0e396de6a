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
    """Its file has the line ends of Windows.

    Parsers must handle CRLF as well as LF.
    """
    return _written(case, "crlf")


@fault("V", "file", "RFC 7468 2")
def pem_cr_only(case: Case) -> Case:
    """The lines of its file end in a bare CR.

    RFC 7468 wants it read; for most parsers the file is one long line without a certificate.
    """
    return _written(case, "cr")


@fault("V", "file", "RFC 7468 2")
def pem_utf8_bom(case: Case) -> Case:
    """Its file begins with a byte order mark in UTF-8.

    Windows' editors write it: parsers that want BEGIN at the start of a line find none.
    """
    return _written(case, "byte-order-mark")


@fault("R", "file", "RFC 7468 2")
def pem_utf16(case: Case) -> Case:
    """Its file is in UTF-16.

    PowerShell's > writes so; write the file anew in ASCII.
    """
    return _written(case, "utf-16")


@fault("A", "file", "RFC 7468 2")
def pem_bag_attributes(case: Case) -> Case:
    """Its file begins with bag attributes, as openssl pkcs12 writes them.

    Text before BEGIN is allowed; the appliance that refuses it wants it cut off.
    """
    return _written(case, "bag-attributes", case.entity.name)


@fault("A", "file", "RFC 7468 2")
def pem_comment_between(case: Case) -> Case:
    """The chain file has a comment after each certificate.

    Text between the blocks is allowed.
    """
    return _chain_written(case, "comment")


@fault("V", "file", "RFC 7468 2")
def pem_indented(case: Case) -> Case:
    """The lines of its file are indented, BEGIN and END with them.

    As when it was copied out of a YAML document; many parsers want BEGIN at the start of a line.
    """
    return _written(case, "indented")


@fault("V", "file", "RFC 7468 3")
def pem_concat_no_newline(case: Case) -> Case:
    """In the chain file END and the next BEGIN share a line.

    Files without a line end at their end were put together; parsers lose the second certificate or all.
    """
    return _chain_written(case, "blocks-joined")


@fault("A", "file", "RFC 7468 2")
def pem_single_line_base64(case: Case) -> Case:
    """The base64 in its file is one long line.

    Lines of 64 characters are to be written; parsers read other sizes as well.
    """
    return _written(case, "one-line")


@fault("V", "file", "RFC 7468 2")
def pem_header_lines(case: Case) -> Case:
    """Its PEM block has a header, as those of RFC 1421 had.

    RFC 7468 has no headers; some parsers read past it.
    """
    return _written(case, "header", "Comment: of the server")


@fault("V", "file", "RFC 7468 5.1")
def pem_x509_certificate_label(case: Case) -> Case:
    """Its label is X509 CERTIFICATE.

    The old label must not be written any more, and some parsers still read it.
    """
    return _written(case, "label", "X509 CERTIFICATE")


@fault("V", "file", "RFC 7468 5.1")
def pem_trusted_label(case: Case) -> Case:
    """Its label is TRUSTED CERTIFICATE.

    OpenSSL's own label, for certificates with settings of trust; others do not know it.
    """
    return _written(case, "label", "TRUSTED CERTIFICATE")


@fault("R", "file", "RFC 7468 5.1", finds=("path:unreadable", "unreadable"))
def pem_wrong_label(case: Case) -> Case:
    """Its label is PUBLIC KEY.

    By its label the file holds no certificate.
    """
    return _written(case, "label", "PUBLIC KEY")


@fault("R", "file", "RFC 7468 2", finds=("path:unreadable", "unreadable"))
def pem_mismatched_begin_end(case: Case) -> Case:
    """Its PEM begins as CERTIFICATE and ends as PUBLIC KEY.

    Labels must agree; a parser may pass over the second one, and then reads the certificate.
    """
    return _written(case, "end-label", "PUBLIC KEY")


@fault("R", "file", "RFC 7468 3", finds=("path:unreadable", "unreadable"))
def pem_missing_end(case: Case) -> Case:
    """Its file has no END line.

    The file was cut off, as far as anybody can tell: get it anew.
    """
    return _written(case, "no-end")


@fault("R", "file", "RFC 7468 3", finds=("path:unreadable", "unreadable"))
def pem_bad_base64(case: Case) -> Case:
    """A character of its base64 is an exclamation mark.

    Whether it is refused or passed over, the certificate is lost.
    """
    return _written(case, "bad-base64")


@fault("R", "file", "RFC 7468 3", finds=("path:unreadable", "unreadable"))
def pem_nul_bytes(case: Case) -> Case:
    """A character of its base64 is a NUL.

    Programs in C take it for the end of the text.
    """
    return _written(case, "nul")
