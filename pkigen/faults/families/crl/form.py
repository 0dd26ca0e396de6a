"""Versions, structure and files of CRLs (RFC 5280, 5.1)."""

from __future__ import annotations

from pkigen.asn1 import der
from pkigen.cases.case import Case
from pkigen.faults.families.crl.changes import edit_crl, with_crl
from pkigen.faults.registry import fault
from pkigen.model import CrlForm, Edit, EditOp

_VERSION, _EXTENSIONS = (0,), (-1,)
_WHOLE = ()
_CUT = bytes(40)


@fault("V", "revocation", "5.1.2.1", finds=("crl-version-2",))
def crl_v1_with_exts(case: Case) -> Case:
    """The CRL has extensions but no version field, which makes it a version 1 CRL.

    Version 1 does not allow extensions; many parsers read them anyway.
    """
    return edit_crl(case, Edit(_VERSION, EditOp.REMOVE))


@fault("V", "revocation", "5.1.2.1", finds=("path:malformed", "crl-version-2"))
def crl_v3(case: Case) -> Case:
    """The CRL has version 3, which does not exist.

    Version 3 exists for certificates; the latest CRL version is 2. Strict parsers reject the CRL.
    """
    return edit_crl(case, Edit(_VERSION, EditOp.REPLACE, der.integer(2)))


@fault("P", "revocation", "5.1.2.6", finds=("crl-no-empty-list",))
def crl_empty_revoked_sequence(case: Case) -> Case:
    """The CRL has an empty list of revoked certificates.

    The list must be omitted if there are no revoked certificates; linters report it, clients read
    the CRL anyway.
    """
    return edit_crl(case, Edit(_EXTENSIONS, EditOp.INSERT, der.sequence()))


@fault("R", "revocation", "5.1", finds=("path:unreadable", "crl-fresh", "crl-reachable"))
def crl_truncated(case: Case) -> Case:
    """The CRL lacks its last 40 bytes.

    Clients report a malformed CRL. Publish it again.
    """
    return edit_crl(case, Edit(_WHOLE, EditOp.TRUNCATE, _CUT, signed=False))


@fault("R", "revocation", "5.1", finds=("path:unreadable", "crl-fresh", "crl-reachable"))
def crl_empty(case: Case) -> Case:
    """The CRL file is empty.

    Clients cannot read it, and must not treat the certificate as not revoked.
    """
    return with_crl(case, form=CrlForm.EMPTY)


@fault("R", "revocation", "5.1", finds=("path:unreadable", "crl-fresh", "crl-reachable"))
def crl_is_a_certificate(case: Case) -> Case:
    """The CRL URL serves the certificate of the issuing CA instead of a CRL.

    Clients report a malformed CRL. Publish the correct file.
    """
    return with_crl(case, form=CrlForm.CERTIFICATE)


@fault("V", "revocation", "5.1", finds=("path:unreadable", "crl-fresh", "crl-reachable"))
def crl_trailing_data(case: Case) -> Case:
    """The CRL is followed by two extra bytes.

    Strict parsers reject the file; others ignore data after the end.
    """
    return edit_crl(case, Edit(_WHOLE, EditOp.APPEND, bytes(2), signed=False))


@fault("R", "revocation", "4.2.1.13")
def crl_pem(case: Case) -> Case:
    """The CRL URL serves PEM instead of DER.

    RFC 5280 requires DER. Clients that read only DER cannot use the CRL; others, such as Java, detect
    PEM.
    """
    return with_crl(case, form=CrlForm.PEM)


@fault("R", "revocation", "RFC 7468 2", sent=False)
def crl_der_file(case: Case) -> Case:
    """The CRL file in the directory of the issuing CA is DER instead of PEM.

    Tools that load CRLs from PEM files find none; the CRL at the URL is not affected.
    """
    return with_crl(case, form=CrlForm.DER)


@fault("V", "revocation", "6.3.3 (a)", finds=("path:crl-missing", "crl-fresh", "crl-reachable"))
def crl_missing(case: Case) -> Case:
    """The CRL is not published.

    Clients that require a CRL reject the certificate; others continue without it.
    """
    return with_crl(case, form=CrlForm.NONE)
