"""Certificate transparency and must-staple."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.cases.extension_values import JUNK, leave_out, put
from pkigen.faults.families.ocsp.changes import answered
from pkigen.faults.registry import fault
from pkigen.model import Extension

_POISON = "1.3.6.1.4.1.11129.2.4.3"


@fault("R", "path", "RFC 6962 3.1", finds=("path:unhandled-critical", "path-valid", "chain-of-trust"))
def ct_poison(case: Case) -> Case:
    """The certificate is a precertificate with the critical CT poison extension.

    Clients must reject it: precertificates are only for certificate transparency logs. RFC 9162, which
    obsoletes RFC 6962, has another form of them, but logs and browsers use that of RFC 6962.
    """
    return put(case, _POISON, der.null(), critical=True)


@fault("P", "lint", "RFC 6962 3.3", finds=("extension-readable",))
def sct_malformed(case: Case) -> Case:
    """The certificate has an SCT list that cannot be decoded.

    Only clients that check certificate transparency notice it.
    """
    return put(case, oids.SIGNED_CERTIFICATE_TIMESTAMPS, JUNK)


@fault("P", "lint", "RFC 6962 3.3")
def sct_missing(case: Case) -> Case:
    """The certificate has no signed certificate timestamps (SCTs).

    Browsers require SCTs from public CAs; private CAs do not need them. The case differs from a certificate
    without a fault only if that one has SCTs.
    """
    return leave_out(case, oids.SIGNED_CERTIFICATE_TIMESTAMPS)


@fault("V", "transport", "RFC 7633 4.3.3")
def must_staple_no_staple(case: Case) -> Case:
    """The certificate requires a stapled OCSP response, but the server sends none.

    The certificate refers to a responder with a valid response. Clients that support must-staple end
    the handshake; path validation alone does not notice it. Enable OCSP stapling.
    """
    feature = Extension(oids.TLS_FEATURE, False, der.sequence(der.integer(5)))
    return answered(case).with_extension(feature).served("tls", "stapled-missing")
